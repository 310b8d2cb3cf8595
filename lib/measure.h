/* SPDX-License-Identifier: MIT */
/*
 * measure.h - times chunks and calls of the kernel on memory of its own: the
 * least of some rounds.
 */
#ifndef BM_MEASURE_H
#define BM_MEASURE_H

#include "chunk.h"

/* Memory to be moved from one node to another, or to other memory of the same. */
struct bm_ground {
	struct bm_swap *swap;
	struct bm_seat *seat;
	struct bm_chunk *chunk; /* on the stack of the thread that measures */
	uint64_t map, length;   /* as mapped */
	uint64_t start;         /* as large as a slab, and aligned like one */
	int home, away;         /* nodes */
	int huge;               /* one huge page */
	uint64_t first_ns;      /* of the first round, that has to populate */
	uint64_t fill_ns;       /* of touching the memory for the first time */
};

struct bm_shape {
	uint32_t pages, runs;
	int direct; /* without the pool */
};

/* On the node @home, -1: anywhere. 0, or -1 when there is no such memory, or no seat. */
int bm_ground_new(struct bm_ground *ground, struct bm_swap *swap, int home, int huge);
void bm_ground_end(struct bm_ground *ground);

/* The least time of a chunk from home to away, nanoseconds; 0 when it cannot be swapped. */
uint64_t bm_ground_time(struct bm_ground *ground, struct bm_shape shape, int rounds);

/*
 * All rates of a pair of nodes; those that cannot be measured stay. 0, or
 * -ENOMEM when those of base pages are among them.
 */
int bm_measure(struct bm_swap *swap, int home, int away, struct bm_rates *rates, int rounds);

#endif
