/* SPDX-License-Identifier: MIT */
/* histogram.c - a step is a sixteenth of the power of two below it: 6 % at most. */
#include "histogram.h"

#define FIRST_BIT 6u
#define FINE_BITS 4u
#define FINE      (1u << FINE_BITS)

static uint32_t step_of(uint64_t ns)
{
	uint32_t bit, step;

	if (ns >> FIRST_BIT == 0)
		return 0;
	bit = 63u - (uint32_t)__builtin_clzll(ns);
	step = (bit - FIRST_BIT) * FINE + (uint32_t)(ns >> (bit - FINE_BITS) & (FINE - 1)) + 1;
	return step < BM_HISTOGRAM_STEPS ? step : BM_HISTOGRAM_STEPS - 1;
}

static uint64_t end_of(uint32_t step)
{
	uint32_t bit;

	if (step == 0)
		return UINT64_C(1) << FIRST_BIT;
	bit = (step - 1) / FINE + FIRST_BIT;
	return (FINE + (step - 1) % FINE + 1ull) << (bit - FINE_BITS);
}

void bm_histogram_add(struct bm_histogram *histogram, uint64_t ns)
{
	atomic_fetch_add_explicit(&histogram->count[step_of(ns)], 1, memory_order_relaxed);
}

void bm_histogram_merge(struct bm_histogram *histogram, const struct bm_histogram *more)
{
	for (uint32_t i = 0; i < BM_HISTOGRAM_STEPS; i++) {
		uint64_t count = atomic_load_explicit(&more->count[i], memory_order_relaxed);

		if (count)
			atomic_fetch_add_explicit(&histogram->count[i], count,
						  memory_order_relaxed);
	}
}

uint64_t bm_histogram_quantile(const struct bm_histogram *histogram, uint32_t per_million)
{
	uint64_t all = 0, wanted, seen = 0;

	for (uint32_t i = 0; i < BM_HISTOGRAM_STEPS; i++)
		all += atomic_load_explicit(&histogram->count[i], memory_order_relaxed);
	if (all == 0)
		return 0;
	/* As many of all as are asked for, rounded up. */
	wanted = all / 1000000 * per_million + (all % 1000000 * per_million + 999999) / 1000000;
	for (uint32_t i = 0; i < BM_HISTOGRAM_STEPS; i++) {
		seen += atomic_load_explicit(&histogram->count[i], memory_order_relaxed);
		if (seen >= wanted && seen > 0)
			return end_of(i);
	}
	return end_of(BM_HISTOGRAM_STEPS - 1);
}
