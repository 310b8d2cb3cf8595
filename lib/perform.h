/* SPDX-License-Identifier: MIT */
/* perform.h - works a checked request off, in the calling thread. */
#ifndef BM_PERFORM_H
#define BM_PERFORM_H

#include "job.h"

/*
 * The result of the batch, or -errno: then no page was tried. *report (may be
 * NULL) and the sums of the context only on success. Cancellation of the
 * thread must be disabled: one that ended within would leave locks, memory
 * and other threads behind.
 */
long bm_perform(struct bm_context *context, const struct bm_request *request,
		const struct bm_choice *choice, struct bm_report *report);

/*
 * One page, the most frequent batch of small callers: 3 % of a call are 900
 * instructions, less than a plan takes. 1 when it may be tried; and the try:
 * 0 when there is more to it than a page that moved, and nothing was counted.
 */
int bm_perform_one_will_do(const struct bm_context *context, const struct bm_request *request,
			   const struct bm_choice *choice);
int bm_perform_one(struct bm_context *context, const struct bm_request *request);

/* Writes an error to all statuses and reasons, or ranges, and to the report. */
void bm_perform_nothing(const struct bm_request *request, int error, struct bm_report *report);

#endif
