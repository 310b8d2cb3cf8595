/* SPDX-License-Identifier: MIT */
/* pairs.h - the rates of each pair of nodes: what moves from one to another. */
#ifndef BM_PAIRS_H
#define BM_PAIRS_H

#include <pthread.h>

#include "rates.h"

#define BM_PAIRS_MAX 64u

struct bm_pair {
	int from, to;
	struct bm_rates rates;
};

struct bm_pairs {
	struct bm_rates general; /* of a pair that is not known, or beyond the table */
	pthread_mutex_t lock;    /* of new pairs */
	atomic_uint count;
	struct bm_pair list[BM_PAIRS_MAX];
};

void bm_pairs_init(struct bm_pairs *pairs);
void bm_pairs_end(struct bm_pairs *pairs);

/* Made at first use, as the general ones are then. @from -1: not known. Any thread. */
struct bm_rates *bm_pairs_rates(struct bm_pairs *pairs, int from, int to);

#endif
