/* SPDX-License-Identifier: MIT */
/*
 * refill.h - what batches had to populate is populated again before the next one.
 *
 * How much: had the pool had so many pages when the batch began, it would not
 * have had to populate any. It is the keeper who does it, see keeper.h.
 */
#ifndef BM_REFILL_H
#define BM_REFILL_H

#include "pool.h"

/* Around a batch, any thread, not between bm_uffd_enter() and bm_uffd_leave(). */
void bm_refill_begin(struct bm_pool *pool);
void bm_refill_end(struct bm_pool *pool);

/* 1 when there are pages to be populated. With the lock of the pool. */
int bm_refill_wanted(const struct bm_pool *pool);

/* Populates at most one slab; gives up what cannot be had. Between enter and leave. */
void bm_refill_some(struct bm_pool *pool, struct bm_uffd *uffd);

#endif
