/* SPDX-License-Identifier: MIT */
/*
 * load.c - how long threads wait whose pages migrate, what that costs them, and
 * what throughput and what CPU time of the library it takes.
 *
 * Threads read and write random pages of a working set, as those of a server
 * do, and time every access; meanwhile the set migrates, over and over: to the
 * other node and back, with one node to other memory of it (BM_REPLACE). What
 * the threads see is measured outside of the library, and set beside what the
 * library says. A trial without migration tells how many accesses take as long
 * for other reasons. All trials take their turn in each round. Table: "load".
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "results.h"

#define ROUNDS       3
#define MB           256
#define SECONDS_MAX  3600
#define WARMUP_MAX   1000
#define SLOW_US_MAX  1000000
#define BOUND_US_MAX 60000000
#define TRIALS_MAX   (2 * (1 + MOVERS_MAX * LISTED_MAX))

/* ------------------------------------------------------------------ options */

enum {
	KEY_TOUCHERS = 256,
	KEY_LIBRARY_THREADS,
	KEY_SECONDS,
	KEY_WARMUP,
	KEY_THRESHOLD,
	KEY_BOUNDS,
	KEY_HUGE_BOUNDS,
	KEY_WISH,
};

static const struct argp_option options[] = {
	{"touchers", KEY_TOUCHERS, "N", 0, "Threads that touch the pages (1)", 0},
	{"library-threads", KEY_LIBRARY_THREADS, "N", 0,
	 "Of the library at most (the CPUs that are left, at least 1)", 0},
	{"seconds", KEY_SECONDS, "N", 0, "Of a trial in a round (2)", 0},
	{"warmup", KEY_WARMUP, "N", 0, "Migrations before that do not count (1)", 0},
	{"threshold", KEY_THRESHOLD, "US", 0, "An access that takes as long is slow (5)", 0},
	{"bounds", KEY_BOUNDS, "LIST", 0,
	 "max_stall_us for base pages, 0 for none (0,100,500); - for no base pages", 0},
	{"huge-bounds", KEY_HUGE_BOUNDS, "LIST", 0, "The same for huge pages (0,500)", 0},
	{"wish", KEY_WISH, NULL, 0, "What would take longer than the bound is moved nevertheless",
	 0},
	{0},
};

static void take_bounds(struct load *load, int huge, const char *option, const char *text)
{
	static const long range[2] = {0, BOUND_US_MAX};
	long *bounds = load->bounds[huge];
	int count = 0;

	if (strcmp(text, "-") != 0)
		count = whole_numbers(option, text, range, bounds, LISTED_MAX);
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			if (bounds[i] == bounds[k]) {
				fprintf(stderr, "%s %s is not allowed: %ld is there twice\n",
					option, text, bounds[i]);
				exit(WRONG_CALL);
			}
	load->bound_counts[huge] = count;
}

static void not_allowed(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(WRONG_CALL);
}

static void check_together(const struct load *load)
{
	if (load->setup.thread_counts)
		not_allowed("--threads is not allowed here: --touchers and --library-threads say "
			    "which threads");
	if (load->setup.instructions)
		not_allowed("--instructions is not allowed here: this command tells times only");
	if (!load->bound_counts[0] && !load->bound_counts[1])
		not_allowed("--bounds and --huge-bounds: one of them must name a bound");
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct load *load = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &load->setup;
	else if (key == KEY_TOUCHERS)
		load->touchers = (int)whole_number("--touchers", text, 1, THREADS_MAX);
	else if (key == KEY_LIBRARY_THREADS)
		load->library_threads =
			(int)whole_number("--library-threads", text, 1, THREADS_MAX);
	else if (key == KEY_SECONDS)
		load->seconds = (int)whole_number("--seconds", text, 1, SECONDS_MAX);
	else if (key == KEY_WARMUP)
		load->warmup = (int)whole_number("--warmup", text, 0, WARMUP_MAX);
	else if (key == KEY_THRESHOLD)
		load->slow_ns = 1000 * (uint64_t)whole_number("--threshold", text, 1, SLOW_US_MAX);
	else if (key == KEY_BOUNDS)
		take_bounds(load, 0, "--bounds", text);
	else if (key == KEY_HUGE_BOUNDS)
		take_bounds(load, 1, "--huge-bounds", text);
	else if (key == KEY_WISH)
		load->wish = 1;
	else if (key == ARGP_KEY_END)
		check_together(load);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.doc = "Threads read and write random pages while these migrate: what they wait, what "
	       "throughput is left to them and to the migration, and the library's CPU time; "
	       "without migration, and with each mover and bound.\v"
	       "An access has waited when it took the threshold or longer and had a page fault. A "
	       "thread of the library and one that touches need a CPU each: with fewer the "
	       "scheduler decides who waits.",
	.children = setup_options,
};

/* ------------------------------------------------------------------- trials */

static void leave_huge_out(struct load *load)
{
	const struct setup *setup = &load->setup;

	if (setup->huge_size && setup->huge_size <= setup->mb << 20)
		return;
	if (load->bound_counts[1])
		fprintf(stderr, "huge pages are left out: there are none here, or --mb is less "
				"than one\n");
	load->bound_counts[1] = 0;
	if (!load->bound_counts[0])
		exit(SKIPPED);
}

/* What the command line left to the machine. */
static void fill_up(struct load *load)
{
	const struct setup *setup = &load->setup;
	size_t bytes = setup->mb << 20;

	if (!load->library_threads)
		load->library_threads =
			setup->cpus > load->touchers ? setup->cpus - load->touchers : 1;
	if (load->library_threads > THREADS_MAX)
		load->library_threads = THREADS_MAX;
	leave_huge_out(load);
	if (load->bound_counts[0])
		region_new(&load->regions[0], setup, FRAMES_IN_ORDER, bytes, setup->near);
	if (load->bound_counts[1])
		region_new(&load->regions[1], setup, FRAMES_HUGE,
			   bytes / setup->huge_size * setup->huge_size, setup->near);
}

/* Numbers of two runs with other settings may be compared; but not without knowing it. */
static void record_settings(const struct load *load)
{
	json_t *settings = json_pack("{s:i, s:i, s:i, s:f}", "mb", (int)load->setup.mb, "seconds",
				     load->seconds, "warmup", load->warmup, "threshold_us",
				     (double)load->slow_ns / 1000);

	if (!settings || json_object_set_new(results_machine(load->setup.results), "load_settings",
					     settings) < 0)
		die("the settings");
}

static struct trial *trial_add(struct trial *trials, int *count, const struct load *load, int huge)
{
	struct trial *trial = &trials[(*count)++];

	trial_new(trial, load);
	trial->huge = huge;
	return trial;
}

/* For each size of pages one without migration, then the movers with the bounds. */
static int trials_new(const struct load *load, struct trial *trials)
{
	const char *movers[MOVERS_MAX];
	int mover_count = movers_list(&load->setup, movers), count = 0;

	for (int huge = 0; huge < 2; huge++) {
		if (load->bound_counts[huge])
			trial_add(trials, &count, load, huge);
		for (int i = 0; i < mover_count * load->bound_counts[huge]; i++) {
			struct trial *trial = trial_add(trials, &count, load, huge);

			trial->mover = movers[i / load->bound_counts[huge]];
			trial->bound_us = load->bounds[huge][i % load->bound_counts[huge]];
		}
	}
	return count;
}

/* The order changes from round to round. */
static void run_rounds(const struct load *load, struct trial *trials, int count)
{
	int rounds = load->setup.rounds, shown = isatty(STDERR_FILENO);
	struct observed observed;

	for (int i = 0; i < rounds * count; i++) {
		int round = i / count;
		struct trial *trial = &trials[(i + round) % count];

		if (shown)
			fprintf(stderr, "\rround %d of %d, trial %d of %d ", round + 1, rounds,
				i % count + 1, count);
		trial_run(load, trial, &observed);
		trial_take(trial, load, round, &observed);
		touches_free(&observed.touches);
	}
	if (shown)
		fprintf(stderr, "\r%*s\r", 40, "");
}

/* Threads may have read and written beside a copy: is every byte as it was? */
static void check_bytes(const struct load *load)
{
	if (load->bound_counts[0])
		region_check(&load->regions[0], "base pages");
	if (load->bound_counts[1])
		region_check(&load->regions[1], "huge pages");
}

int command_load(int argc, char **argv)
{
	static struct trial trials[TRIALS_MAX];
	static struct load load = {
		.touchers = 1,
		.seconds = 2,
		.warmup = 1,
		.slow_ns = 5000,
		.bounds = {{0, 100, 500}, {0, 500}},
		.bound_counts = {3, 2},
	};
	int count;

	setup_parse(&parser, &load, argc, argv);
	setup_begin(&load.setup, ROUNDS, MB);
	fill_up(&load);
	record_settings(&load);
	count = trials_new(&load, trials);
	run_rounds(&load, trials, count);
	check_bytes(&load);
	for (int i = 0; i < count; i++)
		trial_rows(&trials[i], &load);
	return setup_end(&load.setup);
}
