/* SPDX-License-Identifier: MIT */
/* pool_stats.h - what a pool holds, for who has its lock. */
#ifndef BM_POOL_STATS_H
#define BM_POOL_STATS_H

#include "pool.h"

/* Up to `most` nodes of which there is anything to say, from *node on, which is set anew. */
size_t bm_pool_stats(const struct bm_pool *pool, int *node, struct bm_pool_stats *stats,
		     size_t most);

#endif
