/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - what the kernel movers cost beside a plain move_pages(2) call.
 *
 * For each case the same pages go from the first to the second node by one
 * plain call and by bm_migrate_batch(), in alternating rounds, with fresh
 * memory in each. With --interrupts it counts instead by how many interrupts
 * TLBs were flushed while another thread of the process runs: what a flush
 * costs does not show in instructions. With --call-pages it compares lengths
 * of a kernel call instead.
 */
#include <batchmig.h>
#include <numa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "interrupts.h"
#include "kernel_batch.h"
#include "refuse.h"
#include "results.h"
#include "team.h"

#define ROUNDS              3
#define SMALL_ROUNDS        21 /* of batches so short that a timer interrupt shows */
#define SMALL               512
#define INTERRUPT_PAGES_MAX 70000u

static const struct scenario scenarios[] = {
	{"1 page", BASE_PAGES, 1, 0},
	{"16 pages", BASE_PAGES, 16, 0},
	{"512 pages", BASE_PAGES, 512, 0},
	{"4096 pages", BASE_PAGES, 4096, 0},
	{"262144 pages", BASE_PAGES, 262144, 0},
	{"64 THPs, one entry each", HUGE_PAGES, 64, 0},
	{"64 THPs, all their pages", HUGE_PAGES, 64 * 512, 1},
	{"16384 pages, targets alternate", INTERLEAVED, 16384, 0},
	{"16384 entries, every other a hole", HOLES, 16384, 0},
	{"65536 entries, 8 of 64 exist", SPARSE, 65536, 0},
	{"16384 pages, every other there", LOCAL_HALF, 16384, 0},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

enum { PLAIN, LIBRARY, WAYS };
static const char *const way_names[WAYS] = {"plain", "library"};

struct costs {
	struct setup setup;
	int rounds; /* that were told; 0: by the length of a batch */
	int interrupts, call_pages;
	char *const *words; /* choose cases */
	int word_count;
	struct bm_context *context; /* NULL: the default one */
	double (*measure)(void);
};

static double round_of(const struct costs *costs, const struct scenario *scenario, int way)
{
	struct batch batch;
	double start, end;
	long rc;

	batch_build(&batch, &costs->setup, scenario);
	start = costs->measure();
	rc = way == PLAIN ? plain_move_pages(&batch, batch.nodes)
			  : bm_migrate_batch(costs->context, batch.count, batch.pages, batch.nodes,
					     batch.status, 0);
	end = costs->measure();
	if (rc < 0 && way == PLAIN)
		die("move_pages");
	if (rc < 0)
		library_failed("bm_migrate_batch", rc);
	batch_check(&batch, scenario, way_names[way]);
	batch_free(&batch);
	return end - start;
}

static const char *unit_of(const struct costs *costs)
{
	if (costs->interrupts)
		return "TLB interrupts/1000";
	return costs->setup.instructions ? "instructions" : "ns";
}

static json_t *add_row(const struct costs *costs, const struct scenario *scenario, int way,
		       const double *values, int rounds)
{
	json_t *row = results_row(costs->setup.results, "kernel",
				  costs->interrupts ? "tlb_interrupts" : "per_entry",
				  unit_of(costs), LESS_IS_BETTER);

	row_key(row, "case", "%s", scenario->name);
	row_key(row, "way", "%s", way_names[way]);
	row_values(row, values, rounds);
	return row;
}

static int rounds_of(const struct costs *costs, const struct scenario *scenario)
{
	if (costs->rounds)
		return costs->rounds;
	return scenario->pages <= SMALL && scenario->layout == BASE_PAGES ? SMALL_ROUNDS : ROUNDS;
}

static void compare(const struct costs *costs, const struct scenario *scenario)
{
	static double values[WAYS][ROUNDS_MAX], ratios[ROUNDS_MAX];
	double scale = (costs->interrupts ? 1000.0 : 1.0) / (double)scenario->pages;
	int rounds = rounds_of(costs, scenario);
	json_t *row;

	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < WAYS; i++) {
			/* Who comes second gets the frames that the first one gave back. */
			int way = round % 2 ? WAYS - 1 - i : i;

			values[way][round] = scale * round_of(costs, scenario, way);
		}
		ratios[round] = values[LIBRARY][round] / values[PLAIN][round];
	}
	add_row(costs, scenario, PLAIN, values[PLAIN], rounds);
	row = add_row(costs, scenario, LIBRARY, values[LIBRARY], rounds);
	/* Of interrupts there may be none. */
	if (!costs->interrupts) {
		row = results_again(costs->setup.results, row, "ratio", "x", LESS_IS_BETTER);
		row_values(row, ratios, rounds);
	}
	results_show(costs->setup.results);
}

static void *spin(void *stop)
{
	while (!atomic_load((atomic_int *)stop))
		continue;
	return NULL;
}

static int has_word(const struct costs *costs, const char *name)
{
	for (int i = 0; i < costs->word_count; i++)
		if (strstr(name, costs->words[i]))
			return 1;
	return costs->word_count == 0;
}

/* Emulated, a spinning thread makes everything slow: not the longest ones. */
static int is_chosen(const struct costs *costs, const struct scenario *scenario)
{
	if (!has_word(costs, scenario->name) ||
	    (scenario->layout == HUGE_PAGES && !costs->setup.huge_size))
		return 0;
	return !costs->interrupts ||
	       (scenario->pages <= INTERRUPT_PAGES_MAX && scenario->layout != HUGE_PAGES);
}

static void compare_all(const struct costs *costs)
{
	atomic_int stop = 0;
	pthread_t sibling;

	if (costs->interrupts && pthread_create(&sibling, NULL, spin, &stop) != 0)
		die("thread");
	for (size_t i = 0; i < SCENARIOS; i++)
		if (is_chosen(costs, &scenarios[i]))
			compare(costs, &scenarios[i]);
	atomic_store(&stop, 1);
	if (costs->interrupts)
		pthread_join(sibling, NULL);
}

/* The same pages, so many in a call of the kernel. */
static void compare_call_pages(struct costs *costs)
{
	static const int lengths[] = {64, 256, 1024, 4096, 16384, 65536};
	enum { COUNT = sizeof(lengths) / sizeof(lengths[0]) };
	static const struct scenario scenario = {"65536 pages", BASE_PAGES, 65536, 0};
	static double values[COUNT][ROUNDS_MAX];
	int rounds = costs->rounds ? costs->rounds : ROUNDS;

	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < COUNT; i++) {
			struct bm_options options;
			int rc;

			bm_options_init(&options, sizeof(options));
			options.call_pages = lengths[i];
			options.threads = 1;
			rc = bm_context_new(&options, &costs->context);
			if (rc < 0)
				library_failed("bm_context_new", rc);
			values[i][round] =
				round_of(costs, &scenario, LIBRARY) / (double)scenario.pages;
			bm_context_free(costs->context);
		}
	for (int i = 0; i < COUNT; i++)
		row_key(add_row(costs, &scenario, LIBRARY, values[i], rounds), "call_pages", "%d",
			lengths[i]);
	results_show(costs->setup.results);
}

enum { KEY_INTERRUPTS = 256, KEY_CALL_PAGES };

static const struct argp_option options[] = {
	{"interrupts", KEY_INTERRUPTS, NULL, 0,
	 "Counts the interrupts that flush TLBs, beside a running thread", 0},
	{"call-pages", KEY_CALL_PAGES, NULL, 0, "Compares lengths of a kernel call", 0},
	{0},
};

static void check_words(struct argp_state *state, const struct costs *costs)
{
	for (size_t i = 0; i < SCENARIOS; i++)
		if (has_word(costs, scenarios[i].name))
			return;
	argp_error(state, "%s is not allowed: no case has it in its name; --help lists them",
		   costs->words[0]);
}

static void check_options(struct argp_state *state, const struct costs *costs)
{
	refuse(state, &costs->setup, NO_MB | NO_THREADS | NO_MOVER);
	if (costs->interrupts && (costs->call_pages || costs->setup.instructions))
		argp_error(state, "--interrupts is not allowed with --call-pages or "
				  "--instructions: it counts something else");
	if (costs->call_pages && costs->word_count)
		argp_error(state, "%s is not allowed with --call-pages, which has one case",
			   costs->words[0]);
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct costs *costs = state->input;

	(void)text;
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &costs->setup;
	else if (key == KEY_INTERRUPTS)
		costs->interrupts = 1;
	else if (key == KEY_CALL_PAGES)
		costs->call_pages = 1;
	else if (key == ARGP_KEY_ARGS) {
		costs->words = state->argv + state->next;
		costs->word_count = state->argc - state->next;
		check_words(state, costs);
	} else if (key == ARGP_KEY_END)
		check_options(state, costs);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = take_option,
	.args_doc = "[WORD...]",
	.doc = "What the library's kernel movers cost for each entry, beside one plain "
	       "move_pages(2) call for all.\vA WORD chooses the cases that have it in their name: "
	       "1, "
	       "16, 512, 4096 and 262144 pages; 64 THPs, one entry each, and all their pages; "
	       "16384 pages, targets alternate; 16384 entries, every other a hole; 65536 entries, "
	       "8 of 64 exist; 16384 pages, every other there. Rounds, unless told: 3, and 21 of "
	       "up to 512 base pages.",
	.children = setup_options,
};

int command_kernel(int argc, char **argv)
{
	static struct costs costs;
	struct setup *setup = &costs.setup;
	const struct scenario *warm_up = &scenarios[0];

	setup_parse(&argp, &costs, argc, argv);
	costs.rounds = setup->rounds;
	setup_begin(setup, ROUNDS, 1);
	if (!setup->two_nodes) {
		fprintf(stderr, "this machine has one node: the kernel has nowhere to move to; "
				"tests/vm/run starts an emulated one with two\n");
		return SKIPPED;
	}
	costs.measure = costs.interrupts ? bench_tlb_interrupts : now_ns;
	if (costs.interrupts && bench_tlb_interrupts() < 0) {
		fprintf(stderr, "/proc/interrupts has no line TLB: they are not counted here\n");
		return SKIPPED;
	}
	numa_set_preferred(setup->near);
	for (int way = 0; way < WAYS; way++)
		round_of(&costs, warm_up, way);
	if (costs.call_pages)
		compare_call_pages(&costs);
	else
		compare_all(&costs);
	return setup_end(setup);
}
