/* SPDX-License-Identifier: MIT */
/*
 * rates.h - what a chunk costs with swap and what it costs the kernel, as
 * measured on this machine.
 *
 * Measured once when a context begins to swap, in about a millisecond, and
 * then followed: what chunks and calls of the kernel really take goes into
 * the estimates with a weight of an eighth.
 */
#ifndef BM_RATES_H
#define BM_RATES_H

#include <stdatomic.h>
#include <stdint.h>

struct bm_rates {
	/* Nanoseconds. */
	atomic_uint_fast64_t chunk_ns;    /* of each chunk of base pages */
	atomic_uint_fast64_t run_ns;      /* of each run in it */
	atomic_uint_fast64_t page_ns;     /* of each page */
	atomic_uint_fast64_t huge_ns;     /* of a huge page */
	atomic_uint_fast64_t populate_ns; /* of each base page that the pool lacks */
	atomic_uint_fast64_t direct_ns; /* of each page that goes without the pool, see direct.h */
	atomic_uint_fast64_t kernel_ns; /* of each base page, by the kernel */
	atomic_uint_fast64_t kernel_huge_ns;
	atomic_uint_fast64_t scale; /* what chunks took, by what was expected; 1024 is one */
};

/* A chunk as far as its cost goes. */
struct bm_rates_chunk {
	uint32_t pages, runs;
	uint32_t lacking; /* base pages that the pool would have to populate */
	int huge;
};

/* Before anything is measured: as in docs/swap-performance.md. */
void bm_rates_init(struct bm_rates *rates);

uint64_t bm_rates_swap_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);
/* Without the pool. */
uint64_t bm_rates_direct_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);
uint64_t bm_rates_kernel_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);

/* From a chunk of `pages` in one run, and one of as many in `runs`. */
void bm_rates_learn_runs(struct bm_rates *rates, uint64_t one_ns, uint64_t many_ns, uint32_t pages,
			 uint32_t runs);
/* What a chunk really took; what base pages took the kernel. */
void bm_rates_follow(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns);
void bm_rates_follow_direct(struct bm_rates *rates, const struct bm_rates_chunk *chunk,
			    uint64_t ns);
void bm_rates_follow_kernel(struct bm_rates *rates, uint32_t pages, uint64_t ns);

#endif
