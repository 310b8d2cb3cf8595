/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - what one flush of the TLB costs on this machine, with and without
 * another thread of the process running: what the kernel movers save where a
 * plain call flushes once for each page that need not move.
 *
 * A page is taken its write permission away, which must flush; the time of
 * the mprotect(2) alone and beside a spinning thread differ by the interrupt
 * to the other CPU.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "commands.h"
#include "refuse.h"
#include "results.h"
#include "spread.h"
#include "team.h"

#define ROUNDS 5
#define TIMES  10001 /* in a round */

static const struct {
	const char *name;
	int index; /* of the times in order */
} quantiles[] = {{"p10", TIMES / 10}, {"p50", TIMES / 2}, {"p90", TIMES / 10 * 9}};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static double ns[2][QUANTILES][ROUNDS_MAX]; /* alone, and beside a running thread */
static atomic_int runs, stop;

/* Both on one CPU would measure nothing. */
static void *spin(void *unused)
{
	pin_to(1);
	atomic_store(&runs, 1);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	return unused;
}

static void measure(char *page, size_t length, int sibling, int round)
{
	static double times[TIMES];

	for (int i = 0; i < TIMES; i++) {
		double start;

		mprotect(page, length, PROT_READ | PROT_WRITE);
		*(volatile char *)page = 1; /* so that a TLB holds it */
		start = now_ns();
		mprotect(page, length, PROT_READ);
		times[i] = now_ns() - start;
	}
	spread_of(times, TIMES);
	for (size_t i = 0; i < QUANTILES; i++)
		ns[sibling][i][round] = times[quantiles[i].index];
}

static void measure_all(const struct setup *setup, char *page)
{
	pthread_t sibling;

	pin_to(0);
	for (int round = 0; round < setup->rounds; round++) {
		measure(page, setup->page_size, 0, round);
		atomic_store(&runs, 0);
		atomic_store(&stop, 0);
		if (pthread_create(&sibling, NULL, spin, NULL) != 0)
			die("thread");
		while (!atomic_load(&runs))
			sched_yield();
		measure(page, setup->page_size, 1, round);
		atomic_store(&stop, 1);
		pthread_join(sibling, NULL);
	}
}

static void add_rows(const struct setup *setup)
{
	for (int sibling = 0; sibling < 2; sibling++)
		for (size_t i = 0; i < QUANTILES; i++) {
			json_t *row = results_row(setup->results, "tlb", quantiles[i].name, "ns",
						  LESS_IS_BETTER);

			row_key(row, "sibling", "%s", sibling ? "running" : "none");
			row_values(row, ns[sibling][i], setup->rounds);
		}
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct setup *setup = state->input;

	(void)text;
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = setup;
	else if (key == ARGP_KEY_END)
		refuse(state, setup, NO_MB | NO_THREADS | NO_MOVER | NO_NODES | NO_INSTRUCTIONS);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.parser = take_option,
	.doc = "What one flush of the TLB costs: the time in which a page is taken its write "
	       "permission away, alone and beside a running thread of the same process.",
	.children = setup_options,
};

int command_tlb(int argc, char **argv)
{
	struct setup setup = {0};
	char *page;

	setup_parse(&argp, &setup, argc, argv);
	setup_begin(&setup, ROUNDS, 1);
	if (setup.cpus < 2) {
		fprintf(stderr,
			"this process may use one CPU only: there is no other to interrupt\n");
		return SKIPPED;
	}
	page = mmap(NULL, setup.page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (page == MAP_FAILED)
		die("memory");
	measure_all(&setup, page);
	munmap(page, setup.page_size);
	add_rows(&setup);
	results_show(setup.results);
	return setup_end(&setup);
}
