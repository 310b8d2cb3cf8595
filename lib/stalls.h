/* SPDX-License-Identifier: MIT */
/* stalls.h - how long pages of a batch were out of reach. Several threads add without a lock. */
#ifndef BM_STALLS_H
#define BM_STALLS_H

#include "batchmig.h"
#include "histogram.h"

struct bm_stalls {
	uint64_t bound_ns; /* 0: none was set */
	atomic_uint_fast64_t windows, ns, copying, longest, late, preempted;
	atomic_uint_fast64_t longest_call; /* of the kernel's */
	struct bm_histogram histogram;
};

/*
 * A window is over; @copying of its nanoseconds a backend copied. @preempted: the
 * scheduler ran something else meanwhile.
 */
void bm_stalls_window(struct bm_stalls *stalls, uint64_t ns, uint64_t copying, int preempted);
void bm_stalls_call(struct bm_stalls *stalls, uint64_t ns);

/* Into a report, when nobody adds any more. */
void bm_stalls_report(const struct bm_stalls *stalls, struct bm_report *report);

#endif
