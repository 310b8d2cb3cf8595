/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how often a time was how long: sixteen steps to a doubling,
 * from 64 ns to a minute. Several threads add without a lock.
 */
#ifndef BM_HISTOGRAM_H
#define BM_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define BM_HISTOGRAM_STEPS 512u

struct bm_histogram {
	atomic_uint_fast64_t count[BM_HISTOGRAM_STEPS];
};

void bm_histogram_add(struct bm_histogram *histogram, uint64_t ns);
/* Adds all of another one, of which nobody writes. */
void bm_histogram_merge(struct bm_histogram *histogram, const struct bm_histogram *more);

/* The end of the step below which so many of a million lie, in nanoseconds; 0: there are none. */
uint64_t bm_histogram_quantile(const struct bm_histogram *histogram, uint32_t per_million);

#endif
