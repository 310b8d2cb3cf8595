/* SPDX-License-Identifier: MIT */
/*
 * stall_move.c - one trial: the set migrates, other threads touch it.
 *
 * Each trial has a context of its own, as a program with this bound would, and
 * begins with an empty pool, which turns that do not count fill.
 */
#include "stall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct bm_context *context_open(const struct stall *stall, int64_t bound_us)
{
	struct bm_context *context;
	struct bm_options options;
	int rc;

	bm_options_init(&options, sizeof(options));
	options.mover = stall->setup.mover;
	options.threads = stall->library_threads;
	options.pool_mb = (int64_t)stall->setup.mb + 64;
	options.local_ranks = 1;
	options.pool_idle_ms = 0;
	options.max_stall_us = bound_us;
	rc = bm_context_new(&options, &context);
	if (rc < 0)
		library_failed("bm_context_new", rc);
	return context;
}

static void move(const struct stall *stall, struct bm_context *context, const struct region *region,
		 int node)
{
	struct bm_range range = {.addr = region->start, .length = region->length, .node = node};
	struct bm_request request;
	struct bm_batch *batch;
	long misplaced;

	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | (stall->setup.two_nodes ? 0 : BM_REPLACE) |
			(stall->wish ? BM_BOUND_WISH : 0);
	request.count = 1;
	request.ranges = &range;
	request.range_size = sizeof(range);
	batch_ns(context, &request, &batch, &misplaced);
	bm_batch_free(batch);
}

/* To the other node and back, or to other memory of the only one. */
static void turn(const struct stall *stall, struct bm_context *context, const struct region *region)
{
	move(stall, context, region, stall->setup.far);
	if (stall->setup.two_nodes)
		move(stall, context, region, stall->setup.near);
}

/* Nanoseconds that counted. */
static double migrate(const struct stall *stall, const struct trial *trial,
		      struct touchers *touchers, struct bm_stats *stats)
{
	struct bm_context *context = context_open(stall, trial->bound_us);
	const struct region *region = &stall->regions[trial->huge];
	double start, ns;

	for (int i = 0; i < stall->warmup; i++)
		turn(stall, context, region);
	bm_stats_reset(context);
	touchers_count(touchers, 1);
	start = now_ns();
	do {
		turn(stall, context, region);
		ns = now_ns() - start;
	} while (ns < stall->seconds * 1e9);
	touchers_count(touchers, 0);
	bm_stats_get(context, stats, sizeof(*stats));
	bm_context_free(context);
	bm_quiesce();
	return ns;
}

static double wait_only(const struct stall *stall, struct touchers *touchers)
{
	double start;

	usleep(100000); /* the threads have begun, and the CPU is no longer asleep */
	touchers_count(touchers, 1);
	start = now_ns();
	sleep((unsigned int)stall->seconds);
	touchers_count(touchers, 0);
	return now_ns() - start;
}

static double per_s(const struct histogram *histogram, uint64_t from, double ns)
{
	return (double)histogram_count(histogram, from) / ns * 1e9;
}

static void take_touches(struct trial *trial, int round, const struct stall *stall,
			 const struct touches *touches, double ns)
{
	static const double shares[] = {0.5, 0.99, 0.999, 1};
	double(*values)[STALL_ROUNDS_MAX] = trial->values;
	uint64_t slow = stall->slow_ns;

	for (int i = 0; i < 4; i++) {
		values[NET_P50 + i][round] = histogram_quantile_us(touches->net, slow, shares[i]);
		values[RAW_P50 + i][round] = histogram_quantile_us(touches->raw, slow, shares[i]);
	}
	if (touches->raw->longest >= slow)
		values[RAW_MAX][round] = (double)touches->raw->longest / 1000;
	if (touches->net->longest >= slow)
		values[NET_MAX][round] = (double)touches->net->longest / 1000;
	values[SLOW][round] = (double)histogram_count(touches->net, slow);
	values[OVER][round] = (double)touches->over;
	values[OTHERS][round] = (double)histogram_count(touches->other, 0);
	values[OTHER_MAX][round] = (double)touches->other->longest / 1000;
	values[PAUSES_100][round] = per_s(touches->other, 100000, ns);
	values[PAUSES_1000][round] = per_s(touches->other, 1000000, ns);
}

static void take_stats(struct trial *trial, int round, const struct bm_stats *stats, double ns)
{
	double(*values)[STALL_ROUNDS_MAX] = trial->values;
	double pages = stats->tally.pages ? (double)stats->tally.pages : 1;
	double bytes = stats->bytes_moved ? (double)stats->bytes_moved : 1;

	values[GB_PER_S][round] = (double)stats->bytes_moved / ns;
	values[LEFT][round] = 100 * (double)stats->reasons[BM_REASON_BOUND] / pages;
	values[SWAPPED][round] = 100 * (double)stats->bytes_swapped / bytes;
	values[WINDOWS][round] = (double)stats->windows;
	values[WINDOW_P50][round] = (double)stats->ns_window_p50 / 1000;
	values[WINDOW_P99][round] = (double)stats->ns_window_p99 / 1000;
	values[WINDOW_P999][round] = (double)stats->ns_window_p999 / 1000;
	values[WINDOW_MAX][round] = (double)stats->ns_window_max / 1000;
	values[LATE][round] = (double)stats->windows_late;
	values[PREEMPTED][round] = (double)stats->windows_preempted;
}

void trial_run(struct stall *stall, struct trial *trial, int round)
{
	struct touches touches = {
		.raw = histogram_new(), .net = histogram_new(), .other = histogram_new()};
	const struct region *region = &stall->regions[trial->huge];
	struct touchers *touchers = touchers_start(stall, region, trial->bound_us);
	struct bm_stats stats;
	double ns;

	memset(&stats, 0, sizeof(stats));
	ns = trial->moves ? migrate(stall, trial, touchers, &stats) : wait_only(stall, touchers);
	touchers_stop(touchers, &touches);
	take_touches(trial, round, stall, &touches, ns);
	take_stats(trial, round, &stats, ns);
	trial->values[ACCESS_RATE][round] =
		(double)(histogram_count(touches.raw, 0) + histogram_count(touches.other, 0)) / ns *
		1000;
	stall->delay_told = touches.delay_told;
	histogram_merge(trial->raw, touches.raw);
	histogram_merge(trial->net, touches.net);
	free(touches.raw);
	free(touches.net);
	free(touches.other);
}
