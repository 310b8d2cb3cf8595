/* SPDX-License-Identifier: MIT */
/*
 * ring_ptdma.c - the ring of a PTDMA function: addresses in HEAD and TAIL, and
 * nothing that it writes to memory but the copies.
 *
 * HEAD is all it tells. What it does with HEAD at an error is not documented. So
 * when one is shown, nothing is believed that was not told before: whether HEAD
 * stays or goes past the slot that failed makes no difference. An error that is not
 * shown in any way, of a function that goes on, nobody could know of.
 *
 * A read of a register comes back after what the function wrote before it: it
 * takes the same way. That holds on PCI; whether HEAD may be ahead of writes that
 * have not left the engine is not documented, the drivers that poll rely on it.
 */
#include "ring.h"

#include <errno.h>

#define TRIES    8
#define CLEAR_NS 20000000u /* it takes less than one access */

static uint32_t rings_of(const struct bm_pci *pci)
{
	return pci->size >= BM_PTDMA_CLOCK_GATE + sizeof(uint32_t);
}

static uint32_t registers_of(uint32_t number)
{
	(void)number;
	return BM_PTDMA_QUEUE;
}

static void begin(struct bm_ptdma_function *function)
{
	const struct bm_pci *pci = &function->pci;

	bm_pci_write(pci, BM_PTDMA_CONFIG, BM_PTDMA_CONFIG_VALUE);
	bm_pci_write(pci, BM_PTDMA_QUEUE_PRIO, BM_PTDMA_PRIO_VALUE);
	bm_pci_write(pci, BM_PTDMA_TIMEOUT, 0);
	bm_pci_write(pci, BM_PTDMA_CLOCK_GATE, BM_PTDMA_CLOCK_VALUE);
	bm_pci_write(pci, BM_PTDMA_REQID_CONFIG, 0);
}

static uint32_t low_of(const struct bm_ptdma_ring *ring, uint32_t count)
{
	return (uint32_t)ring->memory.bus + bm_ptdma_slot(ring, count) * BM_PTDMA_DESC_BYTES;
}

static uint32_t size_field(uint32_t slots)
{
	return (uint32_t)__builtin_ctz(slots) - 1;
}

/* Where HEAD is, slots counted: 1, or 0 when it cannot be there. */
static int read_head(const struct bm_ptdma_ring *ring, uint32_t *head)
{
	uint32_t offset = bm_ptdma_read(ring, BM_PTDMA_HEAD) - (uint32_t)ring->memory.bus;
	uint32_t slot = offset / BM_PTDMA_DESC_BYTES, ended;

	if (offset % BM_PTDMA_DESC_BYTES || slot >= ring->slots)
		return 0;
	ended = (slot - bm_ptdma_slot(ring, ring->head)) & (ring->slots - 1);
	*head = ring->head + ended;
	return ended <= ring->rung - ring->head;
}

/*
 * The bit of an error from before has to be gone: from then on it is one of now.
 * Whether a code goes when it is read is not documented: the same one again says
 * nothing, but the bit does.
 */
static int clear_errors(struct bm_ptdma_ring *ring)
{
	const struct bm_sys *sys = ring->function->sys;
	uint32_t bits = bm_ptdma_read(ring, BM_PTDMA_INT_STATUS) & BM_PTDMA_INT_CLEARED;
	uint64_t end;

	bm_ptdma_read(ring, BM_PTDMA_INT_INFO);
	ring->old_code = bm_ptdma_read(ring, BM_PTDMA_STATUS) & BM_PTDMA_STATUS_CODE;
	if (!bits)
		return 0;
	bm_ptdma_write(ring, BM_PTDMA_INT_STATUS, bits);
	end = sys->now_ns() + CLEAR_NS;
	while (bm_ptdma_read(ring, BM_PTDMA_INT_STATUS) & BM_PTDMA_INT_ERROR) {
		if (sys->now_ns() > end)
			return -EIO;
		sys->yield();
	}
	return 0;
}

static int set_up(struct bm_ptdma_ring *ring)
{
	uint32_t high = (uint32_t)(ring->memory.bus >> 32), head;

	ring->start = 0;
	ring->control = size_field(ring->slots) << BM_PTDMA_SIZE_SHIFT;
	bm_ptdma_write(ring, BM_PTDMA_INT_ENABLE, 0);
	bm_ptdma_write(ring, BM_PTDMA_CONTROL, 0);
	if (clear_errors(ring) < 0)
		return -EIO;
	bm_ptdma_write(ring, BM_PTDMA_TAIL, low_of(ring, 0));
	bm_ptdma_write(ring, BM_PTDMA_HEAD, low_of(ring, 0));
	ring->control |= high << BM_PTDMA_HIGH_SHIFT;
	bm_ptdma_write(ring, BM_PTDMA_CONTROL, ring->control);
	for (int i = 0; i < TRIES; i++)
		if (read_head(ring, &head))
			return 0;
	return -EIO;
}

static void fill(struct bm_ptdma_ring *ring, uint32_t slot)
{
	*bm_ptdma_desc_at(ring, slot) = (struct bm_ptdma_desc){
		{BM_PTDMA_PASSTHROUGH, (uint32_t)ring->run.length, (uint32_t)ring->run.from,
		 (uint32_t)(ring->run.from >> 32), (uint32_t)ring->run.to,
		 (uint32_t)(ring->run.to >> 32), 0, 0}};
}

/* HALT may be all that tells of an error, and a doorbell takes it away. */
static uint32_t read_control(const struct bm_ptdma_ring *ring)
{
	uint32_t control;

	if (bm_ptdma_read_sure(ring, BM_PTDMA_CONTROL, ring->control | BM_PTDMA_RUN, &control))
		return control;
	return BM_PTDMA_HALT;
}

/* One for any number of slots; the drivers write RUN each time, too. */
static void doorbell(struct bm_ptdma_ring *ring)
{
	/* RUN would set it going behind the slot that failed. */
	if (ring->rung != ring->head && read_control(ring) & BM_PTDMA_HALT)
		return;
	bm_ptdma_write(ring, BM_PTDMA_TAIL, low_of(ring, ring->tail));
	bm_ptdma_write(ring, BM_PTDMA_CONTROL, ring->control | BM_PTDMA_RUN);
}

/* All ones, of a function that has gone, is an error, too. */
static int check(struct bm_ptdma_ring *ring)
{
	uint32_t control = read_control(ring);
	uint32_t code = bm_ptdma_read(ring, BM_PTDMA_STATUS) & BM_PTDMA_STATUS_CODE;

	if (control & BM_PTDMA_HALT || (code && code != ring->old_code) ||
	    bm_ptdma_read(ring, BM_PTDMA_INT_STATUS) & BM_PTDMA_INT_ERROR)
		return -EIO;
	ring->old_code = code;
	return !(control & BM_PTDMA_RUN);
}

/*
 * A second read has to say at least the same: a value from nowhere is not believed,
 * even where it could be right. What shows errors is read after HEAD, so that it
 * is about all that HEAD has passed. One that does not run, and without an error,
 * may have stopped at the last one.
 */
static int progress(struct bm_ptdma_ring *ring, uint32_t *head)
{
	uint32_t first, second;
	int stopped;

	for (int i = 0; i < TRIES; i++) {
		if (!read_head(ring, &first))
			continue;
		*head = first;
		if (first == ring->head)
			return 0;
		if (!read_head(ring, &second) || second - ring->head < first - ring->head)
			continue;
		stopped = check(ring);
		*head -= stopped > 0 && first != ring->rung;
		return stopped < 0 ? stopped : 0;
	}
	return -EAGAIN;
}

static int is_idle(const struct bm_ptdma_ring *ring)
{
	return bm_ptdma_read(ring, BM_PTDMA_HEAD) == low_of(ring, ring->rung);
}

/*
 * An error alone does not say so: a doorbell that comes just after it sets the ring
 * going again, and what is shown stays.
 */
static int rests(struct bm_ptdma_ring *ring)
{
	uint32_t control;

	return bm_ptdma_read_sure(ring, BM_PTDMA_CONTROL, ring->control | BM_PTDMA_RUN, &control) &&
	       control & BM_PTDMA_HALT;
}

static void stop(struct bm_ptdma_ring *ring)
{
	bm_ptdma_write(ring, BM_PTDMA_INT_ENABLE, 0);
	bm_ptdma_write(ring, BM_PTDMA_CONTROL, ring->control);
}

const struct bm_ptdma_kind bm_ptdma_kind_ptdma = {
	.id = {BM_PTDMA_VENDOR, BM_PTDMA_DEVICE},
	.bar = BM_PTDMA_BAR,
	.name = "ptdma",
	.rings = rings_of,
	.registers = registers_of,
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
