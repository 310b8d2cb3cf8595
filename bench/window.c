/* SPDX-License-Identifier: MIT */
/*
 * window.c - when the first page of a batch can be used again, and how long any was
 * out of reach, by number of pages in the batch and length of chunks.
 *
 * Long chunks and batches cost less for each page and keep pages out of reach for
 * longer. Both ends are seen by a thread of the program that touches the pages
 * meanwhile, not told by the library. The rivals are the library with each length
 * of chunks, the library choosing by itself ("auto"), and, with two nodes, the
 * library's move_pages and a plain loop of move_pages(2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "refuse.h"
#include "results.h"
#include "window.h"

#define ROUNDS       9
#define MB           1024
#define COUNT_MAX    (1l << 28)
#define CHUNK_KB_MAX 1048576    /* of the library */
#define SHARED       (16 << 20) /* bytes; less is one thread's work in the library */

struct numbers {
	const char *option;
	long least, most;
	long values[LISTED_MAX];
	int count;
};

struct window {
	struct setup setup;
	struct numbers counts, huge_counts, chunks;
	const char *names[MOVERS_MAX];
	int name_count;
};

/* ----------------------------------------------------------------- matches */

/* A chunk that is longer than the batch is the batch, whatever its length. */
static void add_chunks(const struct window *window, struct match *match, const char *name)
{
	size_t bytes = match->stage->count * match->stage->unit;
	int covered = 0;

	for (int i = 0; i < window->chunks.count; i++) {
		int covers = (size_t)window->chunks.values[i] << 10 >= bytes;

		if (!covers || !covered)
			match_library(match, name, window->chunks.values[i]);
		covered |= covers;
	}
}

/* A huge page is one chunk. */
static void add_mover(const struct window *window, struct match *match, const char *name)
{
	int has_chunks = strncmp(name, "swap/", 5) == 0;

	/* Slower than move_pages, and no other window: only for who wants it. */
	if (strcmp(name, "mbind") == 0 && !window->setup.movers)
		return;
	if (has_chunks && match->stage->frames != FRAMES_HUGE)
		add_chunks(window, match, name);
	else
		match_library(match, name, 0);
}

static void run_match(const struct window *window, struct stage *stage)
{
	static struct match match;

	match_begin(&match, stage, window->setup.cpus - 1);
	for (int i = 0; i < window->name_count; i++)
		add_mover(window, &match, window->names[i]);
	match_plain(&match);
	match_run(&match);
}

/* The observer wants a CPU of its own. */
static int wants_threads(const struct stage *stage, int threads)
{
	return threads < stage->setup->cpus &&
	       (threads == 1 || stage->count * stage->unit >= SHARED);
}

static void run_counts(const struct window *window, enum frames frames,
		       const struct numbers *counts)
{
	const struct setup *setup = &window->setup;
	size_t page = frames == FRAMES_HUGE ? setup->huge_size : setup->page_size;
	size_t most = (setup->mb << 20) / page;
	struct stage stage;

	stage_open(&stage, setup, frames, setup->mb << 20);
	for (int i = 0; i < counts->count && stage_is_whole(&stage); i++) {
		size_t count = (size_t)counts->values[i];

		if (count > most) {
			fprintf(stderr, "%s %zu is left out: --mb %zu has room for %zu pages\n",
				counts->option, count, setup->mb, most);
			continue;
		}
		stage_calls(&stage, count);
		for (int k = 0; k < setup->thread_counts; k++) {
			stage.threads = setup->threads[k];
			if (wants_threads(&stage, stage.threads))
				run_match(window, &stage);
		}
	}
	stage_close(&stage);
}

static void run_huge(const struct window *window)
{
	const struct setup *setup = &window->setup;

	if (!window->huge_counts.count)
		return;
	if (setup->huge_size && setup->huge_size <= setup->mb << 20)
		run_counts(window, FRAMES_HUGE, &window->huge_counts);
	else
		fprintf(stderr, "huge pages are left out: there are none here, or --mb is less "
				"than one\n");
}

/* ----------------------------------------------------------------- options */

enum { KEY_COUNTS = 1, KEY_HUGE_COUNTS, KEY_CHUNKS };

static const struct argp_option options[] = {
	{"counts", KEY_COUNTS, "LIST", 0,
	 "Base pages in a batch (1,8,64,512,4096,32768,262144); - for none", 0},
	{"huge-counts", KEY_HUGE_COUNTS, "LIST", 0,
	 "Huge pages in a batch (1,8,64,512); - for none", 0},
	{"chunks", KEY_CHUNKS, "LIST", 0,
	 "Lengths of chunks in KiB (64,128,256,512,1024,2048); - for none but what the library "
	 "takes by itself. Of base pages; and of those that are as long as the batch or longer "
	 "only the first",
	 0},
	{0},
};

static int ascending(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;

	return (left > right) - (left < right);
}

static void take_numbers(struct numbers *numbers, const char *text)
{
	const long range[2] = {numbers->least, numbers->most};

	numbers->count = 0;
	if (strcmp(text, "-") == 0)
		return;
	numbers->count = whole_numbers(numbers->option, text, range, numbers->values, LISTED_MAX);
	qsort(numbers->values, (size_t)numbers->count, sizeof(numbers->values[0]), ascending);
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct window *window = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &window->setup;
		return 0;
	case KEY_COUNTS:
		take_numbers(&window->counts, text);
		return 0;
	case KEY_HUGE_COUNTS:
		take_numbers(&window->huge_counts, text);
		return 0;
	case KEY_CHUNKS:
		take_numbers(&window->chunks, text);
		return 0;
	case ARGP_KEY_END:
		refuse(state, &window->setup, NO_INSTRUCTIONS);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.children = setup_options,
	.doc = "When the first page of a batch can be used again, and how long any page of it was "
	       "out of reach, as a thread sees it that touches them: beside the throughput, by "
	       "number of pages and length of chunks.",
};

static int needs_a_cpu(const struct setup *setup)
{
	for (int i = 0; i < setup->thread_counts; i++)
		if (setup->threads[i] < setup->cpus)
			return 0;
	fprintf(stderr,
		"window: the thread that touches the pages needs a CPU of its own beside those of "
		"--threads, and this process has %d\n",
		setup->cpus);
	return 1;
}

int command_window(int argc, char **argv)
{
	struct window window = {
		.counts = {"--counts", 1, COUNT_MAX, {1, 8, 64, 512, 4096, 32768, 262144}, 7},
		.huge_counts = {"--huge-counts", 1, COUNT_MAX, {1, 8, 64, 512}, 4},
		.chunks = {"--chunks", 4, CHUNK_KB_MAX, {64, 128, 256, 512, 1024, 2048}, 6}};

	setup_parse(&parser, &window, argc, argv);
	setup_begin(&window.setup, ROUNDS, MB);
	if (needs_a_cpu(&window.setup))
		return SKIPPED;
	window.name_count = movers_list(&window.setup, window.names);
	if (window.counts.count)
		run_counts(&window, FRAMES_IN_ORDER, &window.counts);
	run_huge(&window);
	return setup_end(&window.setup);
}
