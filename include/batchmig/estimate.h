/* SPDX-License-Identifier: MIT */
/* estimate.h - what a batch would cost. */
#ifndef BATCHMIG_ESTIMATE_H
#define BATCHMIG_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "request.h"
#include "linkage.h"

BATCHMIG_BEGIN

/*
 * struct bm_estimate - what a batch would cost. Of memory as it is now; what
 * is measured while batches run makes it better.
 */
struct bm_estimate {
	uint64_t pages;         /* entries; ranges: base pages that are there */
	uint64_t already;       /* of these: on their target */
	uint64_t absent;        /* nothing there to move (of ranges: not counted) */
	uint64_t bounded;       /* would be left for the sake of max_stall_us */
	uint64_t bytes;         /* that would move */
	uint64_t bytes_swapped; /* of these: by the mover swap */
	uint64_t ns;            /* wall time of it, nanoseconds; no pauses for others */
	uint64_t ns_window_max; /* 999 of 1000 windows or calls would be shorter */
	unsigned int threads;   /* most at once */
};

/*
 * bm_estimate - what a batch would cost, before it is submitted.
 * @context, @request: as for bm_submit(); nothing moves, and no output of the
 * request is written. @estimate: filled up to @size, sizeof(struct bm_estimate)
 * of the caller.
 * Looks at every page: about 130 ns for each. With the quiet promise the first
 * one measures the machine for some milliseconds, like the first batch.
 * Returns 0; -EINVAL also for NULL and an impossible size; or the errors of
 * bm_submit() and bm_batch_wait(), and for ranges that of reading
 * /proc/PID/pagemap. Any thread. Since 0.1.
 */
int bm_estimate(struct bm_context *context, const struct bm_request *request,
		struct bm_estimate *estimate, size_t size);

BATCHMIG_END

#endif /* BATCHMIG_ESTIMATE_H */
