/* SPDX-License-Identifier: MIT */
/* seats.c - which threads have lists of their own in a pool. */
#include "pool.h"

int bm_pool_seat_take(struct bm_pool *pool)
{
	uint64_t signals;
	int seat;

	bm_pool_lock(pool, &signals);
	seat = ~pool->seats ? __builtin_ctzll(~pool->seats) : -1;
	if (seat >= 0)
		pool->seats |= UINT64_C(1) << seat;
	bm_pool_unlock(pool, &signals);
	return seat;
}

void bm_pool_seat_give(struct bm_pool *pool, int seat)
{
	uint64_t signals;

	bm_pool_lock(pool, &signals);
	pool->seats &= ~(UINT64_C(1) << seat);
	bm_pool_unlock(pool, &signals);
}
