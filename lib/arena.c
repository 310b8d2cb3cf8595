/* SPDX-License-Identifier: MIT */
/* arena.c - one block, handed over by atomic exchange. */
#include "arena.h"

#include <stdlib.h>

/* What one thread needs for 40000 pages; larger batches feel its cost less. */
#define KEPT_MOST (2u << 20)

struct bm_block {
	size_t size;
	max_align_t memory[];
};

void *bm_arena_take(struct bm_arena *arena, const struct bm_sys *sys, size_t size)
{
	struct bm_block *block = atomic_exchange(&arena->kept, NULL);

	if (block && block->size < size) {
		free(block);
		block = NULL;
	}
	if (!block) {
		block = sys->memory(sizeof(*block) + size);
		if (!block)
			return NULL;
		block->size = size;
	}
	return block->memory;
}

void bm_arena_give(struct bm_arena *arena, void *memory)
{
	struct bm_block *block;

	if (!memory)
		return;
	block = (struct bm_block *)(void *)((char *)memory - offsetof(struct bm_block, memory));
	if (block->size <= KEPT_MOST)
		block = atomic_exchange(&arena->kept, block);
	free(block);
}

void bm_arena_end(struct bm_arena *arena)
{
	free(atomic_load(&arena->kept));
}
