/* SPDX-License-Identifier: MIT */
/*
 * refusals.h - tells at level debug what the mover swap leaves to the kernel:
 * one line for pages that follow each other with the same reason.
 */
#ifndef BM_REFUSALS_H
#define BM_REFUSALS_H

#include <stdint.h>

#include "log.h"

struct bm_refusals {
	const struct bm_log *log;
	uint64_t start, end; /* not told yet, where start < end */
	int reason;
};

void bm_refusals_add_told(struct bm_refusals *refusals, uint64_t start, uint64_t end, int reason);
/* Tells what has not been told. Not while pages are out of reach, as all here. */
void bm_refusals_end(struct bm_refusals *refusals);

/* Where nobody wants to know it costs a look at the level. */
static inline void bm_refusals_add(struct bm_refusals *refusals, uint64_t start, uint64_t end,
				   int reason)
{
	if (refusals->log->level >= BM_LOG_DEBUG)
		bm_refusals_add_told(refusals, start, end, reason);
}

#endif
