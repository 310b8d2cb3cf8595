/* SPDX-License-Identifier: MIT */
/*
 * rate.c - how exactly max_bytes_per_s is kept.
 *
 * Batches migrate a set over and over in a context with a rate, without a
 * pause, to the other node and back or, with one node, to other memory of it
 * (BM_REPLACE). Every 5 ms bm_batch_progress() tells how much has moved. A
 * second and a tenth of one are looked at from each of these moments on, not
 * one after the other, so that no burst is cut in two; MB are 10^6 bytes. The
 * pool is filled before, without a rate.
 */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "memory.h"
#include "mover.h"
#include "refuse.h"
#include "results.h"
#include "team.h"

#define POLL_US     5000
#define RATE_MB_MAX 1000000
#define SECONDS     5
#define SECONDS_MAX 3600
#define ROUNDS      3
#define MIB         256

enum metric { LEAST_1S, MOST_1S, LEAST_100MS, MOST_100MS, MEAN_ERROR, METRICS };

static const struct {
	const char *name;
	enum better better;
} metrics[METRICS] = {{"least_1s", MORE_IS_BETTER},
		      {"most_1s", LESS_IS_BETTER},
		      {"least_100ms", MORE_IS_BETTER},
		      {"most_100ms", LESS_IS_BETTER},
		      {"mean_error", NEITHER}};

struct rates {
	struct setup setup;
	int seconds;
	long mb[LISTED_MAX];
	int count;
	const char *mover;
	double percent[LISTED_MAX][METRICS][ROUNDS_MAX];
};

/* Bytes so far at a time. */
struct sample {
	double ns, bytes;
};

struct samples {
	struct sample *at;
	size_t count, room;
};

static void add_sample(struct samples *samples, double ns, double bytes)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 1024;
		samples->at = realloc(samples->at, samples->room * sizeof(samples->at[0]));
		if (!samples->at)
			die("memory for the samples");
	}
	samples->at[samples->count++] = (struct sample){ns, bytes};
}

static struct bm_batch *start(struct bm_context *context, const struct setup *setup,
			      struct bm_range *range, int64_t rate)
{
	struct bm_request request;
	struct bm_batch *batch;
	int rc;

	request_begin(&request, setup);
	request.count = 1;
	request.ranges = range;
	request.range_size = sizeof(*range);
	request.max_bytes_per_s = rate;
	rc = bm_submit(context, &request, &batch);
	if (rc < 0)
		library_failed("bm_submit", rc);
	return batch;
}

/* Returns what the batch moved. */
static double finish(struct bm_batch *batch)
{
	struct bm_report report;
	long rc = bm_batch_wait(batch, BM_FOREVER);

	if (rc < 0)
		library_failed("bm_batch_wait", rc);
	rc = bm_batch_report(batch, &report, sizeof(report));
	if (rc < 0)
		library_failed("bm_batch_report", rc);
	bm_batch_free(batch);
	return (double)report.bytes_moved;
}

/* Until the batch is complete, or @end has come; returns 1 when it is complete. */
static int poll_batch(struct bm_batch *batch, struct samples *samples, double before, double end)
{
	struct bm_progress progress;
	int rc;

	do {
		double ns = now_ns();

		rc = bm_batch_progress(batch, &progress, sizeof(progress));
		if (rc < 0)
			library_failed("bm_batch_progress", rc);
		if (progress.state == BM_BATCH_COMPLETE)
			return 1;
		add_sample(samples, ns, before + (double)progress.bytes_moved);
		if (ns >= end)
			return 0;
	} while (bm_batch_wait(batch, POLL_US) < 0);
	return 1;
}

static void measure(const struct rates *rates, const struct region *region, long mb,
		    struct samples *samples)
{
	const struct setup *setup = &rates->setup;
	const struct mover_options options = {.name = rates->mover,
					      .pool_mb = pool_mb_of(setup),
					      .max_bytes_per_s = mb * 1000000};
	struct bm_range range = {.addr = region->start, .length = region->length};
	double before = 0, end;
	struct mover mover;
	int complete = 1;

	mover_open(&mover, &options);
	for (int turn = 0; turn < 2; turn++) {
		range.node = turn ? setup->near : setup->far;
		finish(start(mover.context, setup, &range, BM_UNBOUNDED));
	}
	end = now_ns() + rates->seconds * 1e9;
	for (int turn = 0; complete; turn++) {
		struct bm_batch *batch;

		range.node = turn % 2 ? setup->near : setup->far;
		batch = start(mover.context, setup, &range, 0);
		complete = poll_batch(batch, samples, before, end);
		if (!complete)
			bm_batch_cancel(batch);
		before += finish(batch);
	}
	mover_close(&mover);
}

/* Bytes in the @span nanoseconds after sample @from, between samples by line; -1: too few. */
static double bytes_in(const struct samples *samples, size_t from, double span)
{
	double end = samples->at[from].ns + span;
	size_t i = from;

	while (i < samples->count && samples->at[i].ns < end)
		i++;
	if (i == samples->count)
		return -1;
	if (i > from) {
		const struct sample *a = &samples->at[i - 1], *b = &samples->at[i];
		double share = (end - a->ns) / (b->ns - a->ns);

		return a->bytes + share * (b->bytes - a->bytes) - samples->at[from].bytes;
	}
	return 0;
}

/* The least and the most in any @span, in percent of what is allowed. */
static void find_worst(const struct samples *samples, double span, double allowed,
		       double percent[2])
{
	double most = -1, least = -1;

	for (size_t i = 0; i < samples->count; i++) {
		double bytes = bytes_in(samples, i, span);

		if (bytes < 0)
			break;
		if (bytes > most)
			most = bytes;
		if (least < 0 || bytes < least)
			least = bytes;
	}
	if (most < 0) {
		fprintf(stderr, "there is no whole span of %g s in what was seen\n", span / 1e9);
		exit(1);
	}
	percent[0] = 100 * least / allowed;
	percent[1] = 100 * most / allowed;
}

static void one_round(struct rates *rates, const struct region *region, int index, int round)
{
	double allowed = (double)rates->mb[index] * 1e6, second[2], tenth[2];
	const struct sample *first, *last;
	struct samples samples = {NULL, 0, 0};

	measure(rates, region, rates->mb[index], &samples);
	first = samples.at;
	last = samples.at + samples.count - 1;
	find_worst(&samples, 1e9, allowed, second);
	find_worst(&samples, 1e8, allowed / 10, tenth);
	rates->percent[index][MEAN_ERROR][round] =
		100 * ((last->bytes - first->bytes) / ((last->ns - first->ns) / 1e9) / allowed - 1);
	rates->percent[index][LEAST_1S][round] = second[0];
	rates->percent[index][MOST_1S][round] = second[1];
	rates->percent[index][LEAST_100MS][round] = tenth[0];
	rates->percent[index][MOST_100MS][round] = tenth[1];
	free(samples.at);
}

static void add_rows(const struct rates *rates, int index, const char *pages)
{
	for (int i = 0; i < METRICS; i++) {
		json_t *row = results_row(rates->setup.results, "rate", metrics[i].name, "%",
					  metrics[i].better);

		row_key(row, "pages", "%s", pages);
		row_key(row, "rate", "%ld MB/s", rates->mb[index]);
		row_key(row, "mover", "%s", rates->mover);
		row_values(row, rates->percent[index][i], rates->setup.rounds);
	}
}

static void run_pages(struct rates *rates, enum frames frames)
{
	struct region region;

	region_new(&region, &rates->setup, frames, rates->setup.mb << 20, rates->setup.near);
	for (int round = 0; round < rates->setup.rounds; round++)
		for (int i = 0; i < rates->count; i++)
			one_round(rates, &region, i, round);
	region_check(&region, "rate");
	region_free(&region);
	for (int i = 0; i < rates->count; i++)
		add_rows(rates, i, pages_text(&rates->setup, frames));
	results_show(rates->setup.results);
}

enum { KEY_RATES = 256, KEY_SECONDS };

static const struct argp_option options[] = {
	{"rates", KEY_RATES, "LIST", 0, "MB/s, each in 1..1000000 (50,200,1000)", 0},
	{"seconds", KEY_SECONDS, "N", 0, "2..3600, for each rate and size of pages (5)", 0},
	{0},
};

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct rates *rates = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &rates->setup;
	else if (key == KEY_RATES)
		rates->count = whole_numbers("--rates", text, (long[]){1, RATE_MB_MAX}, rates->mb,
					     LISTED_MAX);
	else if (key == KEY_SECONDS)
		rates->seconds = (int)whole_number("--seconds", text, 2, SECONDS_MAX);
	else if (key == ARGP_KEY_END)
		refuse(state, &rates->setup, NO_THREADS | NO_INSTRUCTIONS);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = take_option,
	.doc = "How exactly max_bytes_per_s is kept: in percent of it, what the worst seconds and "
	       "tenths of a second are, and how far away the mean is.",
	.children = setup_options,
};

int command_rate(int argc, char **argv)
{
	static struct rates rates = {.seconds = SECONDS, .mb = {50, 200, 1000}, .count = 3};
	const char *names[MOVERS_MAX];
	int movers;

	setup_parse(&argp, &rates, argc, argv);
	if (!rates.setup.movers)
		rates.setup.movers = "swap/cpu";
	setup_begin(&rates.setup, ROUNDS, MIB);
	movers = movers_list(&rates.setup, names);
	for (int i = 0; i < movers; i++) {
		rates.mover = names[i];
		run_pages(&rates, FRAMES_IN_ORDER);
		if (rates.setup.huge_size)
			run_pages(&rates, FRAMES_HUGE);
	}
	return setup_end(&rates.setup);
}
