/* SPDX-License-Identifier: MIT */
/*
 * latch.h - a mutex that touches nothing but its word: for what is locked
 * while pages are out of reach. Its holder touches nothing that can be away.
 */
#ifndef BM_LATCH_H
#define BM_LATCH_H

#include "sys.h"

/* 0 free, 1 taken, 2 taken and waited for. */
static inline void bm_latch_take(bm_futex *latch, const struct bm_sys *sys)
{
	uint32_t seen = 0;

	if (atomic_compare_exchange_strong_explicit(latch, &seen, 1, memory_order_acquire,
						    memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(latch, 2, memory_order_acquire) != 0)
		sys->futex_wait(latch, 2, -1);
}

static inline void bm_latch_give(bm_futex *latch, const struct bm_sys *sys)
{
	if (atomic_exchange_explicit(latch, 0, memory_order_release) == 2)
		sys->futex_wake(latch);
}

#endif
