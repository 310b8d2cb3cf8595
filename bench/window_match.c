/* SPDX-License-Identifier: MIT */
/* window_match.c - rounds in which the rivals of a match take turns, batch by batch. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_calls.h"
#include "results.h"
#include "spread.h"
#include "team.h"
#include "window.h"

#define WARM_UP 2

/* ------------------------------------------------------------------ rivals */

static double *numbers(size_t count)
{
	double *values = calloc(count, sizeof(*values));

	if (!values)
		die("memory for the rounds");
	return values;
}

static struct rival *add(struct match *match, const char *name)
{
	struct rival *rival = &match->rivals[match->count];

	if (match->count == RIVALS_MAX) {
		fprintf(stderr, "window: at most %d movers and lengths of chunks can be compared\n",
			RIVALS_MAX);
		exit(WRONG_CALL);
	}
	match->count++;
	rival->name = name;
	snprintf(rival->chunk, sizeof(rival->chunk), "auto");
	for (int i = 0; i < WINDOW_METRICS; i++)
		rival->values[i] = numbers((size_t)match->stage->setup->rounds);
	return rival;
}

void match_begin(struct match *match, struct stage *stage, int observer_cpu)
{
	memset(match, 0, sizeof(*match));
	match->stage = stage;
	match->observer_cpu = observer_cpu;
	match->observer = observer_start(stage->setup, observer_cpu);
	/* Before the library makes threads. */
	keep_off(observer_cpu);
}

/* Each has a pool of its own, with room for the one batch that is away at a time. */
void match_library(struct match *match, const char *name, long chunk_kb)
{
	const struct stage *stage = match->stage;
	struct rival *rival = add(match, name);
	struct setup batch = {.mb = (stage->count * stage->unit >> 20) + 1};
	struct mover_options options = {.name = name,
					.threads = stage->threads,
					.chunk_kb = chunk_kb,
					.pool_mb = pool_mb_of(&batch)};

	if (chunk_kb)
		size_text(rival->chunk, (size_t)chunk_kb << 10);
	mover_open(&rival->mover, &options);
}

void match_plain(struct match *match)
{
	if (match->stage->setup->two_nodes)
		add(match, "plain move_pages")->plain = 1;
}

static void close_rival(struct rival *rival)
{
	if (!rival->plain)
		mover_close(&rival->mover);
	for (int i = 0; i < WINDOW_METRICS; i++)
		free(rival->values[i]);
}

/* ----------------------------------------------------------------- batches */

struct batch {
	struct match *match;
	const struct stage *stage;
	size_t first; /* entry */
	int to_far;
	atomic_size_t left;
};

static void plain_part(void *arg, int index, int count)
{
	struct batch *batch = arg;
	const struct stage *stage = batch->stage;
	size_t at = batch->first + stage->count * (size_t)index / (size_t)count;
	size_t end = batch->first + stage->count * (size_t)(index + 1) / (size_t)count;

	/* The threads are there, the first one begins with the first page. */
	if (index == 0)
		observer_submitted(batch->match->observer);
	atomic_fetch_add(&batch->left, stage_move_pages(stage, at, end, batch->to_far));
}

static double library_batch(const struct batch *batch, struct mover *mover)
{
	const struct stage *stage = batch->stage;
	struct bm_request request;

	request_begin(&request, stage->setup);
	request.count = stage->count;
	request.pages = stage->pages + batch->first;
	request.nodes = stage->nodes[batch->to_far];
	request.status = stage->status;
	mover->ns_window_max = 0;
	observer_submitted(batch->match->observer);
	return mover_run(mover, &request, stage->unit);
}

/* Of the batches of a round, an array for each metric. */
struct samples {
	size_t count, seen;
	double *call, *first, *out_of_reach, *told;
};

static void take(struct samples *samples, struct rival *rival, double call, struct sight sight)
{
	size_t i = samples->count++;

	rival->batches++;
	rival->first_by_frame += (size_t)sight.by_frame;
	rival->first_unseen += sight.first < 0;
	rival->unseen += sight.out_of_reach < 0;
	samples->call[i] = call;
	/* When the batch is complete its first page can be used: who waited may wake up later. */
	samples->first[i] = sight.first < 0 || sight.first > call ? call : sight.first;
	samples->told[i] = (double)rival->mover.ns_window_max;
	if (sight.out_of_reach >= 0)
		samples->out_of_reach[samples->seen++] = sight.out_of_reach;
}

static void one_batch(struct rival *rival, struct batch *batch, struct samples *samples)
{
	const struct stage *stage = batch->stage;
	struct observer *observer = batch->match->observer;
	double call;

	observer_watch(observer, stage->pages + batch->first, stage->count);
	call = rival->plain ? in_threads(plain_part, batch, stage->threads)
			    : library_batch(batch, &rival->mover);
	take(samples, rival, call, observer_saw(observer));
}

/* ------------------------------------------------------------------ rounds */

static double median_us(double *values, size_t count)
{
	return count ? spread_of(values, (int)count).median / 1000 : -1;
}

static void keep_round(const struct match *match, struct rival *rival, int round,
		       struct samples *samples)
{
	double ns = 0;

	for (size_t i = 0; i < samples->count; i++)
		ns += samples->call[i];
	rival->values[THROUGHPUT][round] = (double)stage_bytes(match->stage) / ns;
	rival->values[FIRST_PAGE][round] = median_us(samples->first, samples->count);
	rival->values[OUT_OF_REACH][round] = median_us(samples->out_of_reach, samples->seen);
	rival->values[CALL][round] = median_us(samples->call, samples->count);
	rival->values[TOLD][round] = median_us(samples->told, samples->count);
}

/* @round negative: of the warm-up. */
static void one_round(struct match *match, struct rival *rival, int round)
{
	const struct stage *stage = match->stage;
	size_t count = stage->repeats * (stage->setup->two_nodes ? 2 : 1);
	double *values = numbers(4 * count);
	struct samples samples = {.call = values,
				  .first = values + count,
				  .out_of_reach = values + 2 * count,
				  .told = values + 3 * count};
	struct batch batch = {.match = match, .stage = stage};

	keep_off(match->observer_cpu);
	for (size_t i = 0; i < stage->repeats; i++) {
		batch.first = i * stage->count;
		for (batch.to_far = stage->setup->two_nodes; batch.to_far >= 0; batch.to_far--)
			one_batch(rival, &batch, &samples);
	}
	rival->left += batch.left;
	if (round >= 0)
		keep_round(match, rival, round, &samples);
	free(values);
}

static void warm_up(struct match *match)
{
	for (int i = 0; i < match->count * WARM_UP; i++)
		one_round(match, &match->rivals[i % match->count], -1);
	for (int i = 0; i < match->count; i++) {
		struct rival *rival = &match->rivals[i];

		rival->batches = rival->unseen = rival->left = 0;
		rival->first_by_frame = rival->first_unseen = 0;
		if (!rival->plain)
			mover_reset(&rival->mover);
	}
}

void match_run(struct match *match)
{
	struct results *results = match->stage->setup->results;

	warm_up(match);
	for (int round = 0; round < match->stage->setup->rounds; round++)
		for (int i = 0; i < match->count; i++) {
			/* Nobody is always first, or always behind the same one. */
			int turn = (round + (round % 2 ? match->count - i : i)) % match->count;

			one_round(match, &match->rivals[turn], round);
		}
	for (int i = 0; i < match->count; i++)
		rival_rows(match, &match->rivals[i]);
	region_check(&match->stage->live, "window");
	observer_stop(match->observer);
	for (int i = 0; i < match->count; i++)
		close_rival(&match->rivals[i]);
	results_show(results);
}
