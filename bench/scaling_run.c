/* SPDX-License-Identifier: MIT */
/*
 * scaling_run.c - batches of so many pages, and what their reports say of each.
 *
 * Reports tell the wall time of each phase, but of windows, which T threads have
 * beside each other, the sum of all. A T-th of that sum is told, as if the threads
 * had shared them evenly:
 *
 *     copy    a backend copied (ns_copy)
 *     remap   the other time in which pages were out of reach: they are taken out and
 *             put back. Where the pool is empty the kernel copies while it does that.
 *     other   what of the whole call is neither a phase nor in a window: handing over
 *             to threads, new memory for the pool, waiting for the slowest thread.
 *
 * So plan, classify, copy, remap, other and verify add up to the whole call. A mover
 * of the kernel has no windows: what it does is in other.
 */
#include "scaling.h"

#include <stdlib.h>
#include <string.h>

#include "resident.h"
#include "results.h"

#define FIRST 64 /* pages */

enum phase { WHOLE, PLAN, CLASSIFY, COPY, REMAP, OTHER, VERIFY, PHASES };
static const char *const phase_names[PHASES] = {"whole", "plan",  "classify", "copy",
						"remap", "other", "verify"};

/* What one mover is measured by. */
struct measured {
	struct mover mover;
	double *phases[PHASES]; /* of each round, for a page */
	double start;  /* bytes that the first pages of all made resident, whatever follows */
	double peak;   /* those of the first turn, at most; -1: not told */
	double memory; /* of these what is not in the pool */
	int is_bound;  /* it may be less */
};

/* ------------------------------------------------------------------- field */

static void *array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("memory for the entries");
	return memory;
}

void field_open(struct field *field, const struct setup *setup, size_t count)
{
	*field = (struct field){.setup = setup, .count = count};
	region_new(&field->region, setup, FRAMES_IN_ORDER, count * setup->page_size, setup->near);
	field->pages = array(count, sizeof(*field->pages));
	field->nodes = array(count, sizeof(*field->nodes));
	field->status = array(count, sizeof(*field->status));
	for (size_t i = 0; i < count; i++)
		field->pages[i] = field->region.start + i * setup->page_size;
	/* Resident from now on: it is not the library that uses them. */
	memset(field->nodes, -1, count * sizeof(*field->nodes));
	memset(field->status, -1, count * sizeof(*field->status));
}

void field_close(struct field *field)
{
	free(field->status);
	free(field->nodes);
	free(field->pages);
	region_free(&field->region);
}

static double move(struct field *field, struct mover *mover, int node)
{
	struct bm_request request;

	for (size_t i = 0; i < field->count; i++)
		field->nodes[i] = node;
	request_begin(&request, field->setup);
	request.count = field->count;
	request.pages = field->pages;
	request.nodes = field->nodes;
	request.status = field->status;
	return mover_run(mover, &request, field->setup->page_size);
}

/* ------------------------------------------------------------------ phases */

/* One batch, added to the sums; @weight: by so much. */
static void add_batch(struct field *field, struct mover *mover, int node, double sums[PHASES],
		      double weight)
{
	double window = (double)mover->ns_window, copy = (double)mover->ns_copy;
	unsigned int most = mover->threads;
	double values[PHASES], threads;

	mover->threads = 0;
	values[WHOLE] = move(field, mover, node);
	threads = mover->threads ? mover->threads : 1;
	mover->threads = mover->threads > most ? mover->threads : most;
	window = ((double)mover->ns_window - window) / threads;
	values[PLAN] = (double)mover->ns_plan;
	values[CLASSIFY] = (double)mover->ns_classify;
	values[COPY] = ((double)mover->ns_copy - copy) / threads;
	values[REMAP] = window - values[COPY];
	values[VERIFY] = (double)mover->ns_verify;
	values[OTHER] = values[WHOLE] - values[PLAN] - values[CLASSIFY] - window - values[VERIFY];
	for (int i = 0; i < PHASES; i++)
		sums[i] += values[i] * weight;
}

/* Of a page: the mean of both ways where there are two. */
static void run_turn(struct field *field, struct mover *mover, double sums[PHASES])
{
	const struct setup *setup = field->setup;
	double pages = (double)field->count * (setup->two_nodes ? 2 : 1);

	memset(sums, 0, PHASES * sizeof(*sums));
	add_batch(field, mover, setup->far, sums, 1 / pages);
	if (setup->two_nodes)
		add_batch(field, mover, setup->near, sums, 1 / pages);
}

/*
 * With its first pages a context starts threads and measures the machine. The first
 * turn fills the pool, and what the library notes things in: both are kept.
 */
static void warm_up(struct field *field, struct measured *measured)
{
	struct mover *mover = &measured->mover;
	size_t count = field->count;
	struct resident resident;
	double sums[PHASES], pool;

	resident_begin(&resident);
	field->count = count < FIRST ? count : FIRST;
	run_turn(field, mover, sums);
	measured->start = resident_growth(&resident);
	field->count = count;
	pool = (double)mover_pooled(mover);
	resident_begin(&resident);
	run_turn(field, mover, sums);
	measured->peak = resident_growth(&resident);
	measured->memory = measured->peak - ((double)mover_pooled(mover) - pool);
	measured->is_bound = resident.is_bound;
	run_turn(field, mover, sums);
	mover_reset(mover);
}

static void run_rounds(const struct scaling *scaling, struct field *field,
		       struct measured *measured)
{
	double sums[PHASES];

	for (int i = 0; i < scaling->name_count; i++)
		warm_up(field, &measured[i]);
	for (int round = 0; round < scaling->setup.rounds; round++)
		for (int i = 0; i < scaling->name_count; i++) {
			struct measured *one = &measured[(i + round) % scaling->name_count];

			run_turn(field, &one->mover, sums);
			for (int k = 0; k < PHASES; k++)
				one->phases[k][round] = sums[k];
		}
}

/* -------------------------------------------------------------------- rows */

static json_t *first_row(const struct field *field, const struct measured *measured, int threads)
{
	const struct setup *setup = field->setup;
	json_t *row =
		results_row(setup->results, "scaling", phase_names[WHOLE],
			    setup->instructions ? "instructions/page" : "ns/page", LESS_IS_BETTER);

	row_key(row, "pages", "%s", pages_text(setup, FRAMES_IN_ORDER));
	row_key(row, "count", "%zu", field->count);
	row_key(row, "mover", "%s", measured->mover.name);
	row_key(row, "threads", "%d", threads);
	row_values(row, measured->phases[WHOLE], setup->rounds);
	return row;
}

static void add_fact(const struct setup *setup, const json_t *like, const char *metric,
		     const char *unit, double value)
{
	row_values(results_again(setup->results, like, metric, unit, NEITHER), &value, 1);
}

/* What the pool keeps is bounded by an option, not by the number of pages. */
static void add_memory(const struct field *field, const struct measured *measured, json_t *like)
{
	struct results *results = field->setup->results;
	double peak = measured->peak / (1 << 20), of_page = measured->memory;
	json_t *row;

	if (measured->peak < 0)
		return;
	of_page = of_page > 0 ? of_page / (double)field->count : 0;
	row = results_again(results, like, "memory", "bytes/page", LESS_IS_BETTER);
	row_values(row, &of_page, 1);
	if (measured->is_bound)
		row_note(row, "at most: the peak before could not be forgotten "
			      "(/proc/self/clear_refs)");
	row_values(results_again(results, like, "resident_peak", "MiB", LESS_IS_BETTER), &peak, 1);
	add_fact(field->setup, like, "pool", "MiB",
		 (double)mover_pooled(&measured->mover) / (1 << 20));
	add_fact(field->setup, like, "start", "MiB", measured->start / (1 << 20));
}

static void report(const struct field *field, const struct measured *measured, int threads)
{
	const struct setup *setup = field->setup;
	const struct mover *mover = &measured->mover;
	json_t *first = first_row(field, measured, threads);

	for (int i = PLAN; i < PHASES; i++) {
		if ((i == COPY || i == REMAP) && !mover->windows)
			continue;
		row_values(results_again(setup->results, first, phase_names[i],
					 setup->instructions ? "instructions/page" : "ns/page",
					 LESS_IS_BETTER),
			   measured->phases[i], setup->rounds);
	}
	if (!mover->windows)
		row_note(first, "the kernel copies and remaps: that is in other");
	add_memory(field, measured, first);
	add_fact(setup, first, "swapped_share", "",
		 (double)mover->bytes_swapped / (double)mover->bytes);
	add_fact(setup, first, "threads_used", "", mover->threads);
}

/* ------------------------------------------------------------------ movers */

static void measured_open(struct measured *measured, const struct field *field, const char *name,
			  int threads)
{
	const struct mover_options options = {.name = name,
					      .threads = threads,
					      .pool_mb =
						      (int64_t)(field->region.length >> 20) + 64};

	mover_open(&measured->mover, &options);
	for (int i = 0; i < PHASES; i++)
		measured->phases[i] =
			array((size_t)field->setup->rounds, sizeof(*measured->phases[i]));
}

static void measured_close(struct measured *measured)
{
	for (int i = 0; i < PHASES; i++)
		free(measured->phases[i]);
	mover_close(&measured->mover);
}

void scaling_measure(const struct scaling *scaling, struct field *field, int threads)
{
	struct measured measured[MOVERS_MAX];

	for (int i = 0; i < scaling->name_count; i++)
		measured_open(&measured[i], field, scaling->names[i], threads);
	run_rounds(scaling, field, measured);
	for (int i = 0; i < scaling->name_count; i++)
		report(field, &measured[i], threads);
	for (int i = 0; i < scaling->name_count; i++)
		measured_close(&measured[i]);
	results_show(scaling->setup.results);
}
