/* SPDX-License-Identifier: MIT */
/* stats.h - tallies, and the sums of a context. */
#ifndef BM_STATS_H
#define BM_STATS_H

#include <pthread.h>

#include "batchmig.h"
#include "stalls.h"

struct bm_sums {
	pthread_mutex_t lock;
	struct bm_stats stats;
	struct bm_histogram windows;
};

/* Adds pages that failed with an errno (positive; 0: on another node). */
void bm_tally_fail(struct bm_tally *tally, int error, uint64_t pages);
/* Adds a whole tally. */
void bm_tally_add(struct bm_tally *tally, const struct bm_tally *more);
/* Largest first, as the header promises. */
void bm_tally_sort(struct bm_tally *tally);

/* Adds a completed batch. */
void bm_sums_add(struct bm_sums *sums, const struct bm_report *report,
		 const struct bm_stalls *stalls, uint64_t page_size);

/* The sums so far, for who has the lock. */
void bm_sums_read(const struct bm_sums *sums, struct bm_stats *stats);

/* Adds a batch of one page that moved. */
void bm_sums_add_one(struct bm_sums *sums, uint64_t page_size);

#endif
