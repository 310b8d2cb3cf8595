/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the working memory of batches, kept from one for the next.
 *
 * Fresh memory costs a page fault for each page of it: 150 instructions for
 * every entry of a batch of 4096, a third of all that the library does.
 */
#ifndef BM_ARENA_H
#define BM_ARENA_H

#include <stdatomic.h>

#include "sys.h"

struct bm_block;

struct bm_arena {
	_Atomic(struct bm_block *) kept; /* NULL, or what no batch uses now */
};

/* Memory of at least this size, not zeroed, for bm_arena_give(); NULL: there is none. */
void *bm_arena_take(struct bm_arena *arena, const struct bm_sys *sys, size_t size);
void bm_arena_give(struct bm_arena *arena, void *memory);
/* Nobody uses the arena any more. */
void bm_arena_end(struct bm_arena *arena);

#endif
