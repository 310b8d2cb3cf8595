/* SPDX-License-Identifier: MIT */
/* stats.h - sums over the batches of a context. */
#ifndef BATCHMIG_STATS_H
#define BATCHMIG_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "results.h"
#include "linkage.h"

BATCHMIG_BEGIN

/* Sums over all batches of a context that were tried and are complete. */
struct bm_stats {
	uint64_t calls; /* batches */
	struct bm_tally tally;
	uint64_t bytes_asked; /* base pages of the tally, in bytes */
	uint64_t bytes_moved;
	uint64_t kernel_calls;
	uint64_t ns_plan; /* nanoseconds in each phase */
	uint64_t ns_classify;
	uint64_t ns_move;
	uint64_t ns_verify;
	uint64_t reasons[BM_REASON_SLOTS];
	uint64_t bytes_swapped; /* as in struct bm_report */
	uint64_t windows;
	uint64_t ns_window;
	uint64_t ns_window_max;
	uint64_t ns_window_p50;
	uint64_t ns_window_p99;
	uint64_t ns_window_p999;
	uint64_t windows_late;
	uint64_t windows_preempted;
	uint64_t ns_call_max;
	uint64_t bytes_offloaded; /* as in struct bm_report */
	uint64_t ns_copy;
};

/*
 * bm_stats_get - the sums so far.
 * @stats: filled up to @size, sizeof(struct bm_stats) of the caller.
 * Returns 0, -EINVAL, -ESTALE. A batch that completes meanwhile is counted
 * wholly or not at all. Any thread. Since 0.1.
 */
int bm_stats_get(struct bm_context *context, struct bm_stats *stats, size_t size);

/* bm_stats_reset - back to zero. Returns 0 or -ESTALE. Any thread. Since 0.1. */
int bm_stats_reset(struct bm_context *context);

BATCHMIG_END

#endif /* BATCHMIG_STATS_H */
