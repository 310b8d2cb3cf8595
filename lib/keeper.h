/* SPDX-License-Identifier: MIT */
/* keeper.h - a thread that gives idle pages of a pool back, as long as there are any. */
#ifndef BM_KEEPER_H
#define BM_KEEPER_H

#include "pool.h"

/* Starts it unless it runs. Any thread. */
void bm_keeper_wake(struct bm_pool *pool);
/* Ends it and waits for that; not between bm_uffd_enter() and bm_uffd_leave(). */
void bm_keeper_end(struct bm_pool *pool);

#endif
