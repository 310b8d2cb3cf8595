/* SPDX-License-Identifier: MIT */
/* keeper.h - a thread that refills a pool and gives its idle pages back, while there are any. */
#ifndef BM_KEEPER_H
#define BM_KEEPER_H

#include "pool.h"

/* After a batch: starts it unless it runs, tells it of what is to be refilled. Any thread. */
void bm_keeper_wake(struct bm_pool *pool);
/* Ends it and waits for that; not between bm_uffd_enter() and bm_uffd_leave(). */
void bm_keeper_end(struct bm_pool *pool);

#endif
