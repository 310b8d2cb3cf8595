/* SPDX-License-Identifier: MIT */
/*
 * order.c - which rings a channel takes: those of functions on the node that is
 * written to first, of different functions before more of one, and channels begin
 * with different ones. A ring more is worth it only after some bytes: each has to be
 * looked at, what takes as long as copying a page.
 */
#include "channel.h"

#include <errno.h>

static uint32_t collect(struct bm_channel *channel, int near, uint32_t count)
{
	const struct bm_engine *engine = channel->engine;

	for (uint32_t i = 0; i < engine->ring_count; i++) {
		const struct bm_ptdma_ring *ring = &engine->rings[engine->order[i]];

		if ((ring->function->node == channel->node) == near)
			channel->order[count++] = engine->order[i];
	}
	return count;
}

void bm_ptdma_aim(struct bm_channel *channel, int node)
{
	if (channel->node == node)
		return;
	channel->node = node;
	channel->near = collect(channel, 1, 0);
	collect(channel, 0, channel->near);
	/* A node without a function, or none: all are equally far. */
	if (channel->near == 0 || node < 0)
		channel->near = channel->engine->ring_count;
}

/* What a channel may have while others have pages pinned, too. */
static uint32_t part_of(const struct bm_engine *engine)
{
	uint32_t active = atomic_load_explicit(&engine->active, memory_order_relaxed);
	uint32_t live = 0;

	for (uint32_t i = 0; i < engine->function_count; i++)
		if (bm_ptdma_how(&engine->functions[i]) == BM_PTDMA_LIVE)
			live += engine->functions[i].ring_count;
	if (active > 1)
		live /= active;
	return live ? live : 1;
}

/* Of one that was pulled out while nobody used it. */
static int has_gone(const struct bm_ptdma_ring *ring)
{
	return !ring->function->kind->is_idle(ring) &&
	       bm_pci_is_master(&ring->function->pci) == -ENODEV;
}

static int take_one(struct bm_channel *channel)
{
	struct bm_engine *engine = channel->engine;
	uint32_t first = (engine->env.rank + channel->number) % channel->near;

	for (uint32_t i = 0; i < engine->ring_count; i++) {
		uint32_t at = i < channel->near ? (i + first) % channel->near : i;
		struct bm_ptdma_ring *ring = &engine->rings[channel->order[at]];

		if (!bm_ptdma_take(ring))
			continue;
		if (!has_gone(ring)) {
			channel->rings[channel->held++] = ring;
			return 1;
		}
		bm_ptdma_halt(ring->function);
		bm_ptdma_give(ring);
	}
	return 0;
}

static int is_for(const struct bm_ptdma_ring *ring, uint32_t descriptors)
{
	return ring->fate == BM_PTDMA_WORKS && bm_ptdma_has_room(ring, descriptors) &&
	       bm_ptdma_how(ring->function) == BM_PTDMA_LIVE;
}

static uint64_t share_of(const struct bm_engine *engine)
{
	uint64_t pages = atomic_load_explicit(&engine->share, memory_order_relaxed);

	return pages * engine->env.page_size;
}

/* Another ring than the last one, a new one if it may; the last one if there is no other. */
static struct bm_ptdma_ring *turn_on(struct bm_channel *channel, uint32_t descriptors)
{
	if (channel->held < part_of(channel->engine) && take_one(channel)) {
		channel->turn = channel->held - 1;
		if (is_for(channel->rings[channel->turn], descriptors))
			return channel->rings[channel->turn];
	}
	for (uint32_t i = 0; i < channel->held; i++) {
		channel->turn = channel->turn + 1 < channel->held ? channel->turn + 1 : 0;
		if (is_for(channel->rings[channel->turn], descriptors))
			return channel->rings[channel->turn];
	}
	return NULL;
}

struct bm_ptdma_ring *bm_ptdma_next_ring(struct bm_channel *channel, uint32_t descriptors,
					 uint64_t now)
{
	struct bm_ptdma_ring *last = channel->held ? channel->rings[channel->turn] : NULL;
	struct bm_ptdma_ring *next;

	if (last && channel->given < share_of(channel->engine) && is_for(last, descriptors))
		return last;
	next = turn_on(channel, descriptors);
	/* It begins while the next one is filled. */
	if (last && next != last && bm_ptdma_how(last->function) == BM_PTDMA_LIVE)
		bm_ptdma_launch(last, now);
	if (next)
		channel->given = 0;
	return next;
}

void bm_ptdma_drop(struct bm_channel *channel, uint32_t place)
{
	struct bm_ptdma_ring *ring = channel->rings[place];

	channel->rings[place] = channel->rings[--channel->held];
	channel->turn = 0;
	bm_ptdma_give(ring);
}
