/* SPDX-License-Identifier: MIT */
/* quarantine.c - memory of the pool to which an engine that was given up may still write. */
#include "pool.h"

void bm_pool_hold(struct bm_pool *pool, struct bm_slab *slab)
{
	pthread_mutex_lock(&pool->lock);
	slab->is_held = 1;
	pthread_mutex_unlock(&pool->lock);
}

void bm_pool_give_held(struct bm_pool *pool, struct bm_slab *slab)
{
	int is_orphan;

	pthread_mutex_lock(&pool->lock);
	slab->is_held = 0;
	is_orphan = slab->is_orphan;
	pthread_mutex_unlock(&pool->lock);
	/* Its mapping is not the pool's any more: it stays, nobody uses it. */
	if (is_orphan)
		return;
	slab->node = -1;
	bm_pool_give(pool, slab);
}

int bm_mapping_leave(struct bm_mapping *mapping)
{
	int held = 0;

	for (size_t i = 0; i < BM_MAPPING_SLABS; i++) {
		mapping->slabs[i].is_orphan = 1;
		held |= mapping->slabs[i].is_held;
	}
	return held;
}
