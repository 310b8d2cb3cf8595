/* SPDX-License-Identifier: MIT */
/*
 * throughput.c - how fast memory moves, by length of the runs and number of threads.
 *
 * The library in all its ways, plain copies of the same amount, which are the
 * limit, and with two nodes the plain calls of the kernel take turns. The total is
 * the same for all lengths: runs of 4 KiB to 2 MiB have gaps between them that are
 * as long. Tables: "throughput"; "few" for 1 and 8 huge pages, where what a device
 * costs once shows; "interrupts" for flushes of TLBs while other threads run.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "contest.h"
#include "interrupts.h"
#include "results.h"

#define ROUNDS              9
#define MB                  1024
#define INSTRUCTIONS_ROUNDS 3
#define INSTRUCTIONS_MB     16
#define RUN_KB_MAX          2048

struct throughput {
	struct setup setup;
	long runs[LISTED_MAX]; /* KiB */
	int run_count;
	char *const *words; /* choose the parts that have one of them in their name */
	int word_count;
	const char *names[MOVERS_MAX];
	int name_count;
};

/* ---------------------------------------------------------------- contests */

static void open_movers(const struct throughput *throughput, int threads, struct mover *movers)
{
	for (int i = 0; i < throughput->name_count; i++) {
		const struct mover_options options = {.name = throughput->names[i],
						      .threads = threads,
						      .pool_mb = pool_mb_of(&throughput->setup)};

		mover_open(&movers[i], &options);
	}
}

static void close_movers(const struct throughput *throughput, struct mover *movers)
{
	for (int i = 0; i < throughput->name_count; i++)
		mover_close(&movers[i]);
}

/* @contest has its table and keys. */
static void run_one(const struct throughput *throughput, struct contest *contest, int quiesce)
{
	struct mover movers[MOVERS_MAX];

	open_movers(throughput, contest->stage->threads, movers);
	for (int i = 0; i < throughput->name_count; i++)
		contest_mover(contest, &movers[i])->quiesce = quiesce;
	contest_copy(contest, "plain nt", copy_plain);
	if (quiesce)
		contest_copy(contest, "populate + nt", copy_populate);
	else
		contest_copy(contest, "memcpy", copy_memcpy);
	contest_kernel(contest);
	contest_run(contest);
	close_movers(throughput, movers);
}

/* For each number of threads. */
static void run_all(const struct throughput *throughput, struct stage *stage, const char *run,
		    int empty)
{
	const struct setup *setup = &throughput->setup;
	struct contest contest;

	for (int i = 0; i < setup->thread_counts; i++) {
		stage->threads = setup->threads[i];
		contest_begin(&contest, "throughput", stage);
		contest_key(&contest, "pages", "%s", pages_text(stage->setup, stage->frames));
		contest_key(&contest, "run", "%s", run);
		contest_key(&contest, "pool", "%s", empty ? "empty" : "kept");
		run_one(throughput, &contest, empty);
	}
}

/* ------------------------------------------------------------------- parts */

/* Twice the memory, since there are gaps. */
static void part_runs(const struct throughput *throughput)
{
	const struct setup *setup = &throughput->setup;
	size_t bytes = setup->mb << 20;
	struct stage stage;
	char text[SIZE_TEXT];

	stage_open(&stage, setup, FRAMES_IN_ORDER, 2 * bytes);
	for (int i = 0; i < throughput->run_count; i++) {
		size_t run = (size_t)throughput->runs[i] << 10;

		if (run < setup->page_size || run > bytes)
			continue;
		size_text(text, run);
		stage_runs(&stage, run, 1, bytes);
		run_all(throughput, &stage, text, 0);
	}
	stage_close(&stage);
}

static void whole(const struct throughput *throughput, enum frames frames, int empty)
{
	struct stage stage;

	stage_open(&stage, &throughput->setup, frames, throughput->setup.mb << 20);
	if (stage_is_whole(&stage))
		run_all(throughput, &stage, "all", empty);
	stage_close(&stage);
}

static int has_huge_pages(const struct throughput *throughput)
{
	const struct setup *setup = &throughput->setup;

	if (setup->huge_size && setup->huge_size <= setup->mb << 20)
		return 1;
	fprintf(stderr, "huge pages are left out: there are none here, or --mb is less than one\n");
	return 0;
}

static void part_all(const struct throughput *throughput)
{
	whole(throughput, FRAMES_IN_ORDER, 0);
	whole(throughput, FRAMES_SCATTERED, 0);
}

static void part_thp(const struct throughput *throughput)
{
	if (has_huge_pages(throughput))
		whole(throughput, FRAMES_HUGE, 0);
}

/* With one node a batch recycles what it takes out itself. */
static void part_empty(const struct throughput *throughput)
{
	if (throughput->setup.instructions)
		return;
	whole(throughput, FRAMES_IN_ORDER, 1);
	if (has_huge_pages(throughput))
		whole(throughput, FRAMES_HUGE, 1);
}

static void part_few(const struct throughput *throughput)
{
	const struct setup *setup = &throughput->setup;
	struct contest contest;
	struct stage stage;

	if (setup->instructions || !has_huge_pages(throughput))
		return;
	stage_open(&stage, setup, FRAMES_HUGE, setup->mb << 20);
	for (size_t count = 1;
	     count <= 8 && count * setup->huge_size <= setup->mb << 20 && stage_is_whole(&stage);
	     count *= 8) {
		stage_calls(&stage, count);
		for (int i = 0; i < setup->thread_counts; i++) {
			stage.threads = setup->threads[i];
			contest_begin(&contest, "few", &stage);
			contest_key(&contest, "pages", "thp");
			contest_key(&contest, "count", "%zu", count);
			run_one(throughput, &contest, 0);
		}
	}
	stage_close(&stage);
}

/* -------------------------------------------------------------- interrupts */

static void *spin(void *stop)
{
	while (!atomic_load_explicit((atomic_int *)stop, memory_order_relaxed))
		;
	return NULL;
}

/* Without copies: they interrupt nobody. */
static void count_interrupts(const struct throughput *throughput, enum frames frames)
{
	const struct setup *setup = &throughput->setup;
	struct mover movers[MOVERS_MAX];
	struct contest contest;
	struct stage stage;

	stage_open(&stage, setup, frames, setup->mb << 20);
	for (int i = 0; i < setup->thread_counts && stage_is_whole(&stage); i++) {
		stage.threads = setup->threads[i];
		open_movers(throughput, stage.threads, movers);
		contest_begin(&contest, "interrupts", &stage);
		contest_key(&contest, "pages", "%s", pages_text(setup, frames));
		for (int k = 0; k < throughput->name_count; k++)
			contest_mover(&contest, &movers[k]);
		contest_kernel(&contest);
		contest_run(&contest);
		close_movers(throughput, movers);
	}
	stage_close(&stage);
}

/* A CPU that runs no thread of the process needs no interrupt: all others are kept busy. */
static void part_interrupts(const struct throughput *throughput)
{
	const struct setup *setup = &throughput->setup;
	int siblings = setup->cpus > THREADS_MAX ? THREADS_MAX : setup->cpus - 1;
	pthread_t threads[THREADS_MAX];
	atomic_int stop = 0;

	if (setup->instructions)
		return;
	if (bench_tlb_interrupts() < 0 || siblings < 1) {
		fprintf(stderr, "interrupts are left out: one CPU, or no line TLB in "
				"/proc/interrupts\n");
		return;
	}
	for (int i = 0; i < siblings; i++)
		if (pthread_create(&threads[i], NULL, spin, &stop) != 0)
			die("thread");
	count_interrupts(throughput, FRAMES_IN_ORDER);
	if (has_huge_pages(throughput))
		count_interrupts(throughput, FRAMES_HUGE);
	atomic_store(&stop, 1);
	for (int i = 0; i < siblings; i++)
		pthread_join(threads[i], NULL);
}

/* ----------------------------------------------------------------- command */

static const struct part {
	const char *name;
	void (*run)(const struct throughput *throughput);
} parts[] = {
	{"runs", part_runs},   {"all", part_all}, {"thp", part_thp},
	{"empty", part_empty}, {"few", part_few}, {"interrupts", part_interrupts},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int chosen(const struct throughput *throughput, const char *name)
{
	for (int i = 0; i < throughput->word_count; i++)
		if (strcmp(name, throughput->words[i]) == 0)
			return 1;
	return throughput->word_count == 0;
}

static void check_words(const struct throughput *throughput, struct argp_state *state)
{
	for (int i = 0; i < throughput->word_count; i++) {
		size_t k = 0;

		while (k < PARTS && strcmp(parts[k].name, throughput->words[i]) != 0)
			k++;
		if (k == PARTS)
			argp_error(state,
				   "%s is not allowed: it must be runs, all, thp, empty, few or "
				   "interrupts",
				   throughput->words[i]);
	}
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	static const long range[2] = {4, RUN_KB_MAX};
	struct throughput *throughput = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &throughput->setup;
	else if (key == 'r')
		throughput->run_count =
			whole_numbers("--runs", text, range, throughput->runs, LISTED_MAX);
	else if (key == ARGP_KEY_ARGS) {
		throughput->words = state->argv + state->next;
		throughput->word_count = state->argc - state->next;
		check_words(throughput, state);
	} else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option options[] = {
	{"runs", 'r', "LIST", 0, "Lengths of runs, KiB (4,16,64,256,1024,2048)", 0},
	{0},
};
static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.args_doc = "[PART...]",
	.doc = "How fast memory moves, beside plain copies and plain calls of the kernel.\v"
	       "Parts: runs of several lengths; all of it (frames in order, and scattered); thp, "
	       "huge pages; empty, the same with nothing in the pool; few, 1 and 8 huge pages; "
	       "interrupts, flushes of TLBs while other threads run.",
	.children = setup_options,
};

int command_throughput(int argc, char **argv)
{
	static struct throughput throughput = {.runs = {4, 16, 64, 256, 1024, 2048},
					       .run_count = 6};
	struct setup *setup = &throughput.setup;

	setup_parse(&parser, &throughput, argc, argv);
	if (setup->instructions)
		setup_begin(setup, INSTRUCTIONS_ROUNDS, INSTRUCTIONS_MB);
	else
		setup_begin(setup, ROUNDS, MB);
	throughput.name_count = movers_list(setup, throughput.names);
	for (size_t i = 0; i < PARTS; i++)
		if (chosen(&throughput, parts[i].name))
			parts[i].run(&throughput);
	return setup_end(setup);
}
