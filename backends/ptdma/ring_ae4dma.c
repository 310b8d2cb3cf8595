/* SPDX-License-Identifier: MIT */
/*
 * ring_ae4dma.c - the rings of an AE4DMA function: indices for addresses, and a
 * status that it writes into each descriptor.
 *
 * The index says that a slot has ended, and the status, which may come later, how.
 * Both have to be there. Where the status of one does not come, or is an error, the
 * slots behind it are not believed either.
 */
#include "ring.h"

#include <errno.h>

#define TRIES       8
#define STATUS_READ 64 /* times, before others are looked at */

#define RESULT 1u /* the word of a descriptor that is written back */

/*
 * How many there are it does not tell, 16 are known. Where the first one reads as
 * stopped, those that do not are none; elsewhere only the first one is sure to be there.
 */
static uint32_t rings_of(const struct bm_pci *pci)
{
	uint32_t most = (uint32_t)(pci->size / BM_AE4_QUEUE), count = 0;

	if (most < 2)
		return 0;
	most = most - 1 < BM_AE4_QUEUES_MOST ? most - 1 : BM_AE4_QUEUES_MOST;
	while (count < most && bm_pci_read(pci, (count + 1) * BM_AE4_QUEUE + BM_AE4_STATUS))
		count++;
	return count ? count : 1;
}

static uint32_t registers_of(uint32_t number)
{
	return (number + 1) * BM_AE4_QUEUE;
}

static void begin(struct bm_ptdma_function *function)
{
	bm_pci_write(&function->pci, BM_AE4_QUEUES, function->ring_count);
}

static int read_index(const struct bm_ptdma_ring *ring, uint32_t *index)
{
	*index = bm_ptdma_read(ring, BM_AE4_READ_INDEX);
	return *index < BM_AE4_SLOTS;
}

/*
 * It goes on where it is: the index is not of the driver to be set. With another one
 * than that, it would do again what is in the slots.
 */
static int set_up(struct bm_ptdma_ring *ring)
{
	bm_ptdma_write(ring, BM_AE4_CONTROL, 0);
	bm_ptdma_write(ring, BM_AE4_MAX_INDEX, BM_AE4_SLOTS);
	bm_ptdma_write(ring, BM_AE4_BASE_LOW, (uint32_t)ring->memory.bus);
	bm_ptdma_write(ring, BM_AE4_BASE_HIGH, (uint32_t)(ring->memory.bus >> 32));
	bm_ptdma_write(ring, BM_AE4_INT_STATUS, BM_AE4_NO_INTERRUPTS);
	if (!bm_ptdma_read_sure(ring, BM_AE4_READ_INDEX, ~0u, &ring->start) ||
	    ring->start >= BM_AE4_SLOTS)
		return -EIO;
	for (uint32_t slot = 0; slot < BM_AE4_SLOTS; slot++)
		*bm_ptdma_desc_at(ring, slot) = (struct bm_ptdma_desc){{0}};
	bm_ptdma_write(ring, BM_AE4_WRITE_INDEX, ring->start);
	bm_ptdma_write(ring, BM_AE4_CONTROL, BM_AE4_ENABLE);
	return 0;
}

static void fill(struct bm_ptdma_ring *ring, uint32_t slot)
{
	*bm_ptdma_desc_at(ring, slot) =
		(struct bm_ptdma_desc){{0, 0, (uint32_t)ring->run.length, 0,
					(uint32_t)ring->run.from, (uint32_t)(ring->run.from >> 32),
					(uint32_t)ring->run.to, (uint32_t)(ring->run.to >> 32)}};
}

static void doorbell(struct bm_ptdma_ring *ring)
{
	bm_ptdma_write(ring, BM_AE4_WRITE_INDEX, bm_ptdma_slot(ring, ring->tail));
}

/* 0: not yet, 1: it is copied, -EIO. */
static int result_of(const struct bm_ptdma_ring *ring, uint32_t count)
{
	const struct bm_ptdma_desc *desc = bm_ptdma_desc_at(ring, bm_ptdma_slot(ring, count));

	for (int i = 0; i < STATUS_READ; i++) {
		uint32_t word = __atomic_load_n(&desc->words[RESULT], __ATOMIC_ACQUIRE);

		if (BM_AE4_RESULT_ERROR(word) || BM_AE4_RESULT_STATUS(word) >= BM_AE4_ERROR)
			return -EIO;
		if (BM_AE4_RESULT_STATUS(word) == BM_AE4_COMPLETED)
			return 1;
		bm_ptdma_pause();
	}
	return 0;
}

static int progress(struct bm_ptdma_ring *ring, uint32_t *head)
{
	uint32_t ended = 0, index;
	int result = 1, tries = 0;

	do {
		if (tries++ == TRIES)
			return -EAGAIN;
		if (read_index(ring, &index))
			ended = (index - bm_ptdma_slot(ring, ring->head)) & (BM_AE4_SLOTS - 1);
	} while (index >= BM_AE4_SLOTS || ended > ring->rung - ring->head);
	for (*head = ring->head; ended > 0 && result > 0; ended--) {
		result = result_of(ring, *head);
		*head += result > 0;
	}
	return result < 0 ? result : 0;
}

static int check(struct bm_ptdma_ring *ring)
{
	uint32_t state = BM_AE4_STATE(bm_ptdma_read(ring, BM_AE4_STATUS)), index;

	if (state == BM_AE4_FAILED)
		return -EIO;
	/* An index that went on without its status is waited for as long as any copy. */
	return !read_index(ring, &index) || state == BM_AE4_STOPPED ||
	       !(bm_ptdma_read(ring, BM_AE4_CONTROL) & BM_AE4_ENABLE);
}

static int is_idle(const struct bm_ptdma_ring *ring)
{
	uint32_t index;

	if (!read_index(ring, &index) || index != bm_ptdma_slot(ring, ring->rung))
		return 0;
	return ring->rung == ring->head || result_of(ring, ring->rung - 1) != 0;
}

/*
 * A status that is still to come would be written to a slot that is another copy's by
 * then: all are there, up to the one that failed.
 */
static int rests(struct bm_ptdma_ring *ring)
{
	int result = 1;

	if (BM_AE4_STATE(bm_ptdma_read(ring, BM_AE4_STATUS)) != BM_AE4_FAILED)
		return 0;
	for (uint32_t count = ring->head; count != ring->rung && result > 0; count++)
		result = result_of(ring, count);
	return result < 0;
}

static void stop(struct bm_ptdma_ring *ring)
{
	bm_ptdma_write(ring, BM_AE4_CONTROL, 0);
}

const struct bm_ptdma_kind bm_ptdma_kind_ae4dma = {
	.id = {BM_PTDMA_VENDOR, BM_AE4_DEVICE},
	.bar = BM_AE4_BAR,
	.name = "ae4dma",
	.rings = rings_of,
	.registers = registers_of,
	.slots = BM_AE4_SLOTS,
	.begin = begin,
	.set_up = set_up,
	.fill = fill,
	.doorbell = doorbell,
	.progress = progress,
	.check = check,
	.is_idle = is_idle,
	.rests = rests,
	.stop = stop,
};
