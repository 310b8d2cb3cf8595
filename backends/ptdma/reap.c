/* SPDX-License-Identifier: MIT */
/* reap.c - what has ended, ring by ring, and what never will. */
#include "channel.h"

#include <errno.h>

/*
 * Copies that have not ended are made again by the caller. Before it is told so,
 * nothing may write to the targets any more. That the IOMMU stands before them once
 * they are unpinned is not enough: the next window maps the same addresses.
 */
static void end_ring(struct bm_ptdma_ring *ring, enum bm_ptdma_how how)
{
	ring->fate =
		how == BM_PTDMA_QUIET || how == BM_PTDMA_DEAD ? BM_PTDMA_FAILED : BM_PTDMA_LOST;
}

static void look(struct bm_ptdma_ring *ring, uint64_t now)
{
	struct bm_ptdma_function *function = ring->function;
	enum bm_ptdma_how how;

	if (ring->fate != BM_PTDMA_WORKS)
		return;
	if (bm_ptdma_how(function) == BM_PTDMA_LIVE && bm_ptdma_poll(ring, now) < 0)
		bm_ptdma_halt(function);
	how = bm_ptdma_how(function);
	if (how != BM_PTDMA_LIVE && how != BM_PTDMA_STOPPING)
		end_ring(ring, how);
}

/* 1 when it was in the ring while its function was no bus master. */
static int is_doubted(struct bm_ptdma_ring *ring, const struct bm_ptdma_entry *entry)
{
	if (ring->doubts && (int32_t)(entry->end - ring->doubt_end) > 0)
		ring->doubts = 0;
	return ring->doubts && (int32_t)(entry->end - ring->doubt_begin) > 0;
}

static size_t tell(struct bm_channel *channel, struct bm_ptdma_ring *ring, struct bm_copied *copied,
		   size_t most)
{
	size_t count = 0;

	while (count < most && ring->first != ring->last) {
		const struct bm_ptdma_entry *entry =
			&ring->entries[ring->first & (ring->entry_count - 1)];
		int ended = (int32_t)(entry->end - ring->head) <= 0;

		if (!ended && ring->fate != BM_PTDMA_FAILED)
			break;
		ended = ended && !is_doubted(ring, entry);
		copied[count].tag = entry->tag;
		copied[count].done = ended ? entry->length : 0;
		copied[count++].error = ended ? 0 : -EIO;
		ring->first++;
	}
	channel->flying -= (uint32_t)count;
	return count;
}

/* 1 when nothing is awaited of it any more. */
static int is_over(const struct bm_ptdma_ring *ring)
{
	enum bm_ptdma_how how = bm_ptdma_how(ring->function);

	return ring->fate == BM_PTDMA_FAILED && ring->first == ring->last &&
	       (how == BM_PTDMA_QUIET || how == BM_PTDMA_DEAD);
}

/* All that is in flight is in rings that will not tell. */
static int is_lost(const struct bm_channel *channel)
{
	int lost = 0;

	for (uint32_t i = 0; i < channel->held; i++) {
		const struct bm_ptdma_ring *ring = channel->rings[i];

		if (ring->first == ring->last)
			continue;
		if (ring->fate != BM_PTDMA_LOST)
			return 0;
		lost = 1;
	}
	return lost;
}

int bm_ptdma_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	uint64_t now = channel->engine->env.sys->now_ns();
	size_t count = 0;

	/* From the end: one that is dropped is replaced by the last one. */
	for (uint32_t i = channel->held; i-- > 0 && count < most;) {
		struct bm_ptdma_ring *ring = channel->rings[i];

		look(ring, now);
		count += tell(channel, ring, copied + count, most - count);
		if (is_over(ring))
			bm_ptdma_drop(channel, i);
	}
	if (count > 0)
		channel->waits = 0;
	return count == 0 && is_lost(channel) ? -EIO : (int)count;
}
