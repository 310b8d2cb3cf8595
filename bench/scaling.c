/* SPDX-License-Identifier: MIT */
/*
 * scaling.c - what a page costs in each phase of a batch, by the number of pages, and
 * what memory the library uses. Table "scaling", of base pages with frames in order.
 */
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "results.h"
#include "scaling.h"

#define ROUNDS              5
#define INSTRUCTIONS_ROUNDS 3
#define INSTRUCTIONS_MOST   10000 /* pages: the machine that counts them is slow */
#define MOST                100000000
#define LISTS_BYTES         256 /* of a page: ours, and what the library notes */

/* Between two nodes each pool has once what moves, on the far node. */
static size_t pools_of(const struct scaling *scaling)
{
	size_t pools = 0;

	for (int i = 0; scaling->setup.two_nodes && i < scaling->name_count; i++)
		pools += strcmp(scaling->names[i], "move_pages") != 0 &&
			 strcmp(scaling->names[i], "mbind") != 0;
	return pools;
}

static int is_too_much(size_t pages, size_t need, size_t have, const char *where)
{
	size_t most = have / 4 * 3;

	if (need <= most)
		return 0;
	fprintf(stderr,
		"%zu pages are left out: they need %zu MiB, and 3/4 of what is %s are %zu MiB\n",
		pages, need >> 20, where, most >> 20);
	return 1;
}

/* A node that is full would be helped out by the other one. */
static int fits(const struct scaling *scaling, size_t pages)
{
	const struct setup *setup = &scaling->setup;
	size_t bytes = pages * setup->page_size, pools = pools_of(scaling);
	size_t available = memory_available();
	long long near, far;

	if (bytes >> 20 > setup->mb) {
		fprintf(stderr, "%zu pages are left out: they are more than --mb %zu\n", pages,
			setup->mb);
		return 0;
	}
	if (available &&
	    is_too_much(pages, bytes * (1 + pools) + pages * LISTS_BYTES, available, "available"))
		return 0;
	if (!setup->two_nodes || numa_node_size64(setup->near, &near) < 0 ||
	    numa_node_size64(setup->far, &far) < 0)
		return 1;
	return !is_too_much(pages, bytes + pages * LISTS_BYTES, (size_t)near,
			    "free on the near node") &&
	       !is_too_much(pages, bytes * (pools ? pools : 1), (size_t)far,
			    "free on the far node");
}

static int measure_count(const struct scaling *scaling, size_t count)
{
	const struct setup *setup = &scaling->setup;
	struct field field;

	if (!fits(scaling, count))
		return 0;
	field_open(&field, setup, count);
	for (int i = 0; i < setup->thread_counts; i++)
		scaling_measure(scaling, &field, setup->threads[i]);
	region_check(&field.region, "scaling");
	field_close(&field);
	return 1;
}

/* ----------------------------------------------------------------- command */

static error_t take_option(int key, char *text, struct argp_state *state)
{
	static const long range[2] = {1, MOST};
	struct scaling *scaling = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &scaling->setup;
	else if (key == 'c')
		scaling->count_count =
			whole_numbers("--counts", text, range, scaling->counts, LISTED_MAX);
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "%s is not allowed: scaling takes options only", text);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option options[] = {
	{"counts", 'c', "LIST", 0, "Pages of a batch (1000,10000,100000,1000000,4000000)", 0},
	{0},
};
static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.doc = "What a page costs in each phase of a batch, by the number of pages, and how much "
	       "memory the library uses.\v"
	       "copy: a backend copies; remap: the other time that pages are out of reach; other: "
	       "what of the whole call is neither a phase nor in a window. T threads have windows "
	       "beside each other: a T-th of their sums is told. start is what the first 64 pages "
	       "make resident, resident_peak what the first batch then does at most, memory the "
	       "same without the pool.",
	.children = setup_options,
};

static void choose_counts(struct scaling *scaling)
{
	static const long counts[] = {1000, 10000, 100000, 1000000, 4000000};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!scaling->setup.instructions || counts[i] <= INSTRUCTIONS_MOST)
			scaling->counts[scaling->count_count++] = counts[i];
}

/* All that are asked for: what fits is found out for each. */
static size_t mb_of_all(const struct scaling *scaling)
{
	long most = 0;

	for (int i = 0; i < scaling->count_count; i++)
		most = scaling->counts[i] > most ? scaling->counts[i] : most;
	return (((size_t)most * (size_t)sysconf(_SC_PAGESIZE)) >> 20) + 1;
}

/* Unless others are named: those that one thing is known of, what they do. */
static void choose_movers(struct scaling *scaling)
{
	const char *all[MOVERS_MAX];
	int count = movers_list(&scaling->setup, all);

	for (int i = 0; i < count; i++)
		if (scaling->setup.movers ||
		    (strcmp(all[i], "auto") != 0 && strcmp(all[i], "mbind") != 0))
			scaling->names[scaling->name_count++] = all[i];
	if (scaling->name_count)
		return;
	fprintf(stderr, "the mover swap cannot be had here\n");
	exit(SKIPPED);
}

int command_scaling(int argc, char **argv)
{
	static struct scaling scaling;
	struct setup *setup = &scaling.setup;
	int any = 0, rc;

	setup_parse(&parser, &scaling, argc, argv);
	if (!scaling.count_count)
		choose_counts(&scaling);
	if (!setup->mb)
		setup->mb = mb_of_all(&scaling);
	setup_begin(setup, setup->instructions ? INSTRUCTIONS_ROUNDS : ROUNDS, setup->mb);
	choose_movers(&scaling);
	for (int i = 0; i < scaling.count_count; i++)
		any |= measure_count(&scaling, (size_t)scaling.counts[i]);
	rc = setup_end(setup);
	return any ? rc : SKIPPED;
}
