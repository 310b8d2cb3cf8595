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

/* What a kind of chunks or calls really takes, in 2^-20. */
struct bm_tail {
	atomic_uint_fast64_t usual;   /* by what is expected */
	atomic_uint_fast64_t longest; /* what 999 of 1000 take at most, by the usual */
	atomic_uint_fast64_t refused; /* how many were not tried */
};

struct bm_rates {
	/* Nanoseconds. */
	atomic_uint_fast64_t chunk_ns;         /* of each chunk of base pages */
	atomic_uint_fast64_t run_ns;           /* of each run in it */
	atomic_uint_fast64_t page_ns;          /* of each page */
	atomic_uint_fast64_t huge_ns;          /* of a huge page */
	atomic_uint_fast64_t populate_ns;      /* of each base page that the pool lacks */
	atomic_uint_fast64_t populate_huge_ns; /* of a huge page that it lacks */
	atomic_uint_fast64_t direct_ns; /* of each page that goes without the pool, see direct.h */
	atomic_uint_fast64_t kernel_ns; /* of each base page, by the kernel */
	atomic_uint_fast64_t kernel_huge_ns;
	atomic_uint_fast64_t scale;       /* what chunks took, by what was expected; 1024 is one */
	atomic_uint_fast64_t share_ns;    /* of a run, for each other thread that does the same */
	atomic_uint_fast64_t chunk_pages; /* of the fastest chunk; 0: as many as there may be */
	atomic_uint_fast64_t call_ns;     /* of each call of the kernel, beside its pages */
	struct bm_tail window, window_huge, window_direct, call, call_huge;
};

/* A chunk as far as its cost goes. */
struct bm_rates_chunk {
	uint32_t pages, runs;
	uint32_t lacking; /* base pages that the pool would have to populate */
	int huge;
};

/* Before anything is measured: as in docs/performance.md. */
void bm_rates_init(struct bm_rates *rates);

uint64_t bm_rates_swap_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);
/* Without the pool. */
uint64_t bm_rates_direct_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);
uint64_t bm_rates_kernel_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk);

/* Of numbers alone. */
void bm_rates_copy(struct bm_rates *to, const struct bm_rates *from);

/* What a slice has, as far as threads go. */
struct bm_rates_slice {
	uint64_t chunks, runs, pages; /* of base pages */
	uint64_t huge;                /* huge pages */
};
/*
 * 1 where several threads would be slower than one: each run that a thread
 * takes away interrupts all others, which is worth it where runs are long.
 */
int bm_rates_one_thread(const struct bm_rates *rates, const struct bm_rates_slice *slice);

/* From a chunk of `pages` in one run, and one of as many in `runs`. */
void bm_rates_learn_runs(struct bm_rates *rates, uint64_t one_ns, uint64_t many_ns, uint32_t pages,
			 uint32_t runs);
/* What so many new base pages took for the pool; 0 pages: a huge one. */
void bm_rates_learn_populate(struct bm_rates *rates, uint64_t ns, uint32_t pages);
/* What a chunk really took; what base pages took the kernel. */
void bm_rates_follow(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns);
void bm_rates_follow_direct(struct bm_rates *rates, const struct bm_rates_chunk *chunk,
			    uint64_t ns);
void bm_rates_follow_kernel(struct bm_rates *rates, uint32_t pages, uint64_t ns);
void bm_rates_follow_kernel_huge(struct bm_rates *rates, uint32_t huge, uint64_t ns);

/*
 * How long pages are out of reach: usually, and what 999 of 1000 chunks take
 * at most; with the pool or without, and calls of the kernel as a whole.
 * Followed by what each really took, but for those in which the thread did not
 * run all the time.
 */
uint64_t bm_rates_usual_window_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk,
				  int direct);
uint64_t bm_rates_window_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk,
			    int direct);
void bm_rates_follow_window(struct bm_rates *rates, const struct bm_rates_chunk *chunk, int direct,
			    uint64_t ns);
uint64_t bm_rates_call_ns(const struct bm_rates *rates, uint32_t pages, uint32_t huge);
uint64_t bm_rates_usual_call_ns(const struct bm_rates *rates, uint32_t pages, uint32_t huge);
void bm_rates_follow_call(struct bm_rates *rates, uint32_t pages, uint32_t huge, uint64_t ns);
/* How many base pages a call may have to take no longer; at least 1. */
uint64_t bm_rates_call_pages(const struct bm_rates *rates, uint64_t ns);

/*
 * For what would be left because it takes too long: 1 for one in 1000, which
 * is to be tried, since what was measured may have been a pause of the machine.
 */
int bm_rates_try_window(struct bm_rates *rates, const struct bm_rates_chunk *chunk, int direct);
int bm_rates_try_call(struct bm_rates *rates, uint32_t huge);

#endif
