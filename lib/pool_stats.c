/* SPDX-License-Identifier: MIT */
/* pool_stats.c - what a pool holds of each node, as the public interface tells it. */
#include "pool_stats.h"

static struct bm_pool_stats of_node(const struct bm_pool *pool, int node)
{
	const struct bm_pool_node *from = &pool->nodes[node];

	return (struct bm_pool_stats){.node = node,
				      .base_bytes = from->base,
				      .huge_bytes = from->huge,
				      .most_bytes = pool->most,
				      .recycled = from->recycled,
				      .populated = from->populated,
				      .released = from->released};
}

size_t bm_pool_stats(const struct bm_pool *pool, int *node, struct bm_pool_stats *stats,
		     size_t most)
{
	size_t count = 0;

	for (; *node < BM_NODES_MAX && count < most; ++*node) {
		if (pool->nodes[*node].used)
			stats[count++] = of_node(pool, *node);
	}
	return count;
}
