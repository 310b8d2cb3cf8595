/* SPDX-License-Identifier: MIT */
/* seats.c - which threads have lists of their own in a pool. */
#include "pool.h"

#include "bits.h"

int bm_pool_seat_take(struct bm_pool *pool)
{
	uint64_t signals;
	int seat;

	bm_pool_lock(pool, &signals);
	seat = (int)bm_bits_next(pool->seats, 0, BM_SEATS, 0);
	if (seat < (int)BM_SEATS)
		bm_bit_set(pool->seats, (uint32_t)seat);
	else
		seat = -1;
	bm_pool_unlock(pool, &signals);
	return seat;
}

void bm_pool_seat_give(struct bm_pool *pool, int seat)
{
	uint64_t signals;

	bm_pool_lock(pool, &signals);
	bm_bit_clear(pool->seats, (uint32_t)seat);
	bm_pool_unlock(pool, &signals);
}
