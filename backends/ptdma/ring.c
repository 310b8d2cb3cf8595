/* SPDX-License-Identifier: MIT */
/* ring.c - whose a ring is, and what is put into it. */
#include "ring.h"

#define READS 8

int bm_ptdma_read_sure(const struct bm_ptdma_ring *ring, uint32_t offset, uint32_t expected,
		       uint32_t *value)
{
	uint32_t before = expected;

	for (int i = 0; i < READS; i++) {
		*value = bm_ptdma_read(ring, offset);
		if (*value != UINT32_MAX && (*value == before || *value == expected))
			return 1;
		before = *value;
	}
	return 0;
}

int bm_ptdma_take(struct bm_ptdma_ring *ring)
{
	if (atomic_load_explicit(&ring->taken, memory_order_relaxed) ||
	    atomic_exchange(&ring->taken, 1))
		return 0;
	if (bm_ptdma_enter(ring->function))
		return 1;
	atomic_store(&ring->taken, 0);
	return 0;
}

/* First the function: it may set up this ring again, before anybody gets it. */
void bm_ptdma_give(struct bm_ptdma_ring *ring)
{
	if (ring->fate == BM_PTDMA_LEFT)
		atomic_fetch_sub(&ring->function->left, 1);
	bm_ptdma_forget(ring);
	bm_ptdma_leave(ring->function);
	atomic_store(&ring->taken, 0);
}

void bm_ptdma_forget(struct bm_ptdma_ring *ring)
{
	ring->first = ring->last;
	ring->bytes = 0;
	ring->doubts = 0;
	ring->wild = 0;
	ring->fate = BM_PTDMA_WORKS;
}

int bm_ptdma_has_room(const struct bm_ptdma_ring *ring, uint32_t descriptors)
{
	return ring->slots - 1 - (ring->tail - ring->head) >= descriptors &&
	       ring->last - ring->first < ring->entry_count;
}

/* The last slot may still grow: the function does not know of it. */
static int goes_on(const struct bm_ptdma_ring *ring, uint64_t from, uint64_t to, size_t length)
{
	return ring->tail != ring->rung && ring->run.from + ring->run.length == from &&
	       ring->run.to + ring->run.length == to &&
	       ring->run.length + length <= BM_PTDMA_LENGTH_MOST;
}

void bm_ptdma_add(struct bm_ptdma_ring *ring, uint64_t from, uint64_t to, size_t length)
{
	if (goes_on(ring, from, to, length)) {
		ring->run.length += length;
	} else {
		ring->run.from = from;
		ring->run.to = to;
		ring->run.length = length;
		ring->tail++;
	}
	ring->function->kind->fill(ring, bm_ptdma_slot(ring, ring->tail - 1));
}

void bm_ptdma_add_end(struct bm_ptdma_ring *ring, const struct bm_copy *copy)
{
	struct bm_ptdma_entry *entry = &ring->entries[ring->last++ & (ring->entry_count - 1)];

	entry->tag = copy->tag;
	entry->length = (uint32_t)copy->length;
	entry->end = ring->tail;
	ring->bytes += copy->length;
}

void bm_ptdma_launch(struct bm_ptdma_ring *ring, uint64_t now)
{
	uint64_t expects = bm_ptdma_expects(ring);

	if (ring->tail == ring->rung)
		return;
	if (ring->rung == ring->head)
		ring->losses = atomic_load(&ring->function->losses);
	ring->function->kind->doorbell(ring);
	if (ring->rung == ring->head) {
		ring->moved = now;
		ring->stopped = 0;
		ring->late = now + BM_PTDMA_LATE_NS + BM_PTDMA_LATE_TIMES * expects;
		ring->due = now + expects / 2;
	}
	ring->rung = ring->tail;
}
