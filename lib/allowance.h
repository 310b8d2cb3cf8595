/* SPDX-License-Identifier: MIT */
/*
 * allowance.h - so many bytes per second: the time from which on more may move.
 * No lock; several threads take from one.
 */
#ifndef BM_ALLOWANCE_H
#define BM_ALLOWANCE_H

#include <stdatomic.h>
#include <stdint.h>

struct bm_allowance {
	uint64_t bytes_per_s;          /* 0: any number */
	atomic_uint_fast64_t spent_ns; /* what was taken lasts until then */
};

/*
 * Takes bytes at the time @now; when they may move. A thread that comes late
 * finds what it has missed, but not more than 20 ms of it.
 */
uint64_t bm_allowance_take(struct bm_allowance *allowance, uint64_t bytes, uint64_t now);
/* Gives back what was not needed. */
void bm_allowance_return(struct bm_allowance *allowance, uint64_t bytes);

/* The most that should be taken at once, in bytes: UINT64_MAX without a limit. */
uint64_t bm_allowance_portion(const struct bm_allowance *allowance);

#endif
