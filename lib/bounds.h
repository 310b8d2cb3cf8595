/* SPDX-License-Identifier: MIT */
/*
 * bounds.h - how much goes into a chunk, and into a call of the kernel, by the
 * bound of the window and by the rate.
 */
#ifndef BM_BOUNDS_H
#define BM_BOUNDS_H

#include "job.h"

/* 1 when a chunk that grew to this would be too large. */
int bm_bounds_chunk_full(const struct bm_job *job, const struct bm_rates_chunk *chunk);
/* 1 when a chunk must be left where it is. */
int bm_bounds_chunk_refused(const struct bm_job *job, const struct bm_rates_chunk *chunk,
			    int direct);
/* 1 when its window without the pool would be within the bound. */
int bm_bounds_direct_fits(const struct bm_job *job, const struct bm_rates_chunk *chunk);

/* The most bytes of a call of base pages; and with a bound huge pages have calls of their own. */
uint64_t bm_bounds_call_bytes(const struct bm_job *job);
struct bm_call_size bm_bounds_call_size(const struct bm_job *job);
/* 1 when a call of so many base pages and huge pages must not be made. */
int bm_bounds_call_refused(const struct bm_job *job, uint32_t pages, uint32_t huge);

#endif
