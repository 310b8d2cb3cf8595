/* SPDX-License-Identifier: MIT */
/* chunk_slabs.c - takes them from the pool, and says what is left in them. */
#include "chunk_slabs.h"

#include "bits.h"
#include "pagemap.h"
#include "window.h"

#define WORDS (BM_SLAB_PAGES / 64)

static uint32_t pages_of(const struct bm_chunk *chunk)
{
	uint32_t pages = 0;

	for (uint32_t i = 0; i < chunk->run_count; i++)
		pages += chunk->runs[i].count;
	return pages;
}

/* The same page of the staging where all of them are there, else the next ones that are. */
static void find_places(struct bm_chunk_work *work)
{
	const struct bm_chunk *chunk = work->chunk;
	uint32_t at = 0;
	int same = work->staging->count == BM_SLAB_PAGES;

	for (uint32_t i = 0; i < chunk->run_count; i++) {
		for (uint32_t k = 0; k < chunk->runs[i].count; k++) {
			uint32_t page = chunk->runs[i].first + k;

			if (!same)
				at = bm_bits_next(work->staging->resident, at, BM_SLAB_PAGES, 1);
			work->place[page] = (uint16_t)(same ? page : at++);
		}
	}
}

int bm_chunk_take_slabs(struct bm_chunk_work *work)
{
	struct bm_pool_wish wish = {.uffd = work->uffd,
				    .lane = work->lane,
				    .node = work->chunk->node,
				    .pages = work->chunk->huge ? 1 : pages_of(work->chunk)};
	int error;

	work->staging = NULL;
	if (!work->chunk->direct)
		work->staging = bm_pool_take(&work->swap->pool, &wish, &error);
	if (!work->staging && !work->chunk->direct)
		return error;
	work->grave = bm_pool_take_empty(&work->swap->pool, &wish, &error);
	if (!work->grave && work->staging)
		bm_pool_give(&work->swap->pool, work->staging);
	else if (work->staging && !work->chunk->huge)
		find_places(work);
	return work->grave ? 0 : error;
}

/* What was put back from the staging has left it. */
static void settle_staging(struct bm_chunk_work *work)
{
	struct bm_slab *slab = work->staging;
	const struct bm_window *window = work->window;
	uint32_t page = 0;

	if (work->chunk->huge) {
		/* One that was put back in parts is no huge page any more. */
		if (bm_bits_next(window->staged, 0, window->pages, 1) < window->pages)
			slab->count = 0;
	} else {
		for (;
		     (page = bm_bits_next(window->staged, page, window->pages, 1)) < window->pages;
		     page++) {
			bm_bit_clear(slab->resident, work->place[page]);
			slab->count--;
		}
	}
}

/* The old pages that were not put back are the pool's now. */
static void settle_grave(struct bm_chunk_work *work)
{
	const struct bm_pool *pool = &work->swap->pool;
	struct bm_slab *slab = work->grave;
	const struct bm_window *window = work->window;

	slab->node = pool->env.many_nodes ? -1 : work->chunk->node;
	if (work->chunk->huge) {
		/* One that breaks in a part is split by the kernel. */
		slab->count = bm_bits_next(window->staged, 0, window->pages, 0) == window->pages &&
			      bm_pagemap_is_huge(pool->env.sys, work->pagemap, slab->start,
						 pool->env.page_size);
		if (!slab->count)
			bm_slab_release(&pool->env, slab);
		return;
	}
	for (uint32_t i = 0; i < (window->pages + 63) / 64; i++)
		slab->resident[i] = window->present[i] & ~window->back[i];
	slab->count = bm_bits_count(slab->resident, WORDS);
}

/* Until the channel of this seat has settled. */
static void hold_staging(struct bm_chunk_work *work)
{
	bm_pool_hold(&work->swap->pool, work->staging);
	work->staging->next = work->seat->held;
	work->seat->held = work->staging;
}

void bm_chunk_give_slabs(struct bm_chunk_work *work)
{
	if (work->window && work->staging)
		settle_staging(work);
	if (work->window)
		settle_grave(work);
	/* There may be broken memory in them, which is found when they are located. */
	if (work->window && bm_window_was_odd(work->window)) {
		work->grave->node = -1;
		if (work->staging)
			work->staging->node = -1;
	}
	if (work->lost)
		hold_staging(work);
	else if (work->staging)
		bm_pool_give(&work->swap->pool, work->staging);
	bm_pool_give(&work->swap->pool, work->grave);
}
