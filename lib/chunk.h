/* SPDX-License-Identifier: MIT */
/*
 * chunk.h - one chunk from its old pages to new ones: the scheme of the mover
 * swap. docs/window.md draws its states.
 */
#ifndef BM_CHUNK_H
#define BM_CHUNK_H

#include "swap.h"

struct bm_chunk_run {
	uint32_t first, count; /* pages from the start of the chunk */
};

/*
 * Pages of one mapping: runs of base pages, at most BM_SLAB_PAGES from the
 * first to the last, or one whole huge page.
 */
struct bm_chunk {
	uint64_t start, end;
	uint64_t low, high; /* of its mapping */
	int node;
	int huge;
	int direct;         /* without the pool, see direct.h; not of a huge page */
	int pinnable;       /* a pin leaves its pages on their nodes, as far as is known */
	int watched;        /* asks the scheduler about the window */
	uint32_t run_count; /* at most BM_COPIES_MOST */
	struct bm_chunk_run runs[BM_COPIES_MOST];

	/* What became of it. */
	uint64_t moved[BM_SLAB_PAGES / 64]; /* pages that are new; of a huge one the first */
	unsigned char why[BM_SLAB_PAGES];   /* of the others: enum bm_reason */
	uint64_t ns_window;                 /* how long it was out of reach */
	uint64_t ns_copy;                   /* of that: while it was copied, but by the kernel */
	int preempted;                      /* the thread did not run all that time */
};

/* 0 when it was tried; -errno of bm_uffd_enter(). */
int bm_chunk_swap(struct bm_swap *swap, struct bm_seat *seat, struct bm_chunk *chunk);

#endif
