/* SPDX-License-Identifier: MIT */
/*
 * poll.c - when a ring is looked at, and what is made of what it shows.
 *
 * A read of a register takes hundreds of ns, so a ring is looked at when half of
 * what is in it may have been copied, then half of the rest, and so on.
 */
#include "ring.h"

#include <errno.h>

#include "least.h"

/* One engine, before anything was seen: what was published for huge pages is more. */
#define RATE_FIRST (5u * 1024)
#define RATE_LEAST 100u
#define RATE_MOST  (64u * 1024)
#define PAUSE_NS   1000u
/*
 * One that reads as stopped and shows no error: it may be slow, and not tell that it
 * runs. Likewise a status of AE4DMA that does not follow its index: how late that may
 * be nobody has said.
 */
#define STOPPED_NS 50000000u

uint64_t bm_ptdma_expects(const struct bm_ptdma_ring *ring)
{
	uint32_t rate = ring->rate ? ring->rate : RATE_FIRST;

	return ring->bytes * 1024 / rate;
}

/* Where it may have been idle for a part of that time, it is at least as fast. */
static void learn(struct bm_ptdma_ring *ring, uint64_t bytes, uint64_t ns)
{
	uint64_t rate = bytes * 1024 / (ns ? ns : 1);
	uint32_t old = ring->rate ? ring->rate : RATE_FIRST;

	if (rate > RATE_MOST)
		rate = RATE_MOST;
	if (rate < RATE_LEAST)
		rate = RATE_LEAST;
	if (bm_ptdma_is_busy(ring) || rate > old)
		ring->rate = (uint32_t)((7 * (uint64_t)old + rate) / 8);
}

static void plan(struct bm_ptdma_ring *ring, uint64_t now)
{
	uint64_t expects = bm_ptdma_expects(ring);

	ring->due = now + PAUSE_NS + expects / 2;
	if (ring->moved == now)
		ring->late = now + BM_PTDMA_LATE_NS + BM_PTDMA_LATE_TIMES * expects;
}

/* Bytes of the copies that have ended since. */
static uint64_t count_ended(const struct bm_ptdma_ring *ring, uint32_t head)
{
	uint64_t bytes = 0;

	for (uint32_t at = ring->first; at != ring->last; at++) {
		const struct bm_ptdma_entry *entry = &ring->entries[at & (ring->entry_count - 1)];

		if ((int32_t)(entry->end - head) > 0)
			break;
		/* One that had ended before is perhaps not told yet. */
		if ((int32_t)(entry->end - ring->head) > 0)
			bytes += entry->length;
	}
	return bytes;
}

static void move(struct bm_ptdma_ring *ring, uint32_t head, uint64_t now)
{
	uint64_t bytes = count_ended(ring, head), ns = now - ring->moved;

	ring->head = head;
	ring->bytes -= bytes;
	ring->moved = now;
	ring->stopped = 0;
	learn(ring, bytes, ns);
}

/* What was in the ring while its function was no bus master has ended, or not. */
static void doubt(struct bm_ptdma_ring *ring, uint32_t losses)
{
	if (!ring->doubts)
		ring->doubt_begin = ring->head;
	ring->doubt_end = ring->tail;
	ring->doubts = 1;
	ring->losses = losses;
}

/*
 * What a function writes that is no bus master is dropped without a word. By uio
 * another process makes it that, which opens the file and closes it. It goes on
 * then; but of what was in its rings nothing is believed that was not told before.
 * -EIO: it cannot be made one again.
 */
static int keep_master(struct bm_ptdma_ring *ring)
{
	struct bm_ptdma_function *function = ring->function;
	int is = bm_pci_is_master(&function->pci);
	int rc = is == 0 ? bm_ptdma_make_master(function) : is;
	uint32_t losses = atomic_load(&function->losses);

	if (is == 0 || losses != ring->losses)
		doubt(ring, losses);
	return rc < 0 ? -EIO : 0;
}

/*
 * Nothing has ended for long. A doorbell that was lost does no harm twice; but it
 * would set going one that has stopped at an error and tells nothing of it.
 */
static int ask(struct bm_ptdma_ring *ring, uint64_t now)
{
	const struct bm_ptdma_kind *kind = ring->function->kind;
	int stopped = kind->check(ring), rc = keep_master(ring);

	/* It may have moved a moment ago, after long: what counts is how long it reads so. */
	if (!stopped || !ring->stopped)
		ring->stopped = stopped ? now : 0;
	if (stopped < 0 || rc < 0 || (stopped && now - ring->stopped > STOPPED_NS))
		return -EIO;
	if (!stopped)
		kind->doorbell(ring);
	ring->late = now + bm_least(now - ring->moved, STOPPED_NS);
	return 0;
}

/* One read may be wrong, or all of them are. */
static int bear(struct bm_ptdma_ring *ring, uint64_t now)
{
	if (!ring->wild)
		ring->wild = now;
	ring->due = now + PAUSE_NS;
	if (now - ring->wild > STOPPED_NS || bm_pci_is_master(&ring->function->pci) < 0)
		return -EIO;
	return 0;
}

int bm_ptdma_poll(struct bm_ptdma_ring *ring, uint64_t now)
{
	uint32_t head;
	int rc;

	if (!bm_ptdma_is_busy(ring) || now < ring->due)
		return 0;
	rc = ring->function->kind->progress(ring, &head);
	if (rc == -EAGAIN)
		return bear(ring, now);
	ring->wild = 0;
	if (rc == 0 && head != ring->head) {
		rc = keep_master(ring);
		/* Who halts the function says so before: it was not when this was copied. */
		if (rc == 0 && bm_ptdma_how(ring->function) == BM_PTDMA_LIVE)
			move(ring, head, now);
	} else if (rc == 0 && now >= ring->late) {
		rc = ask(ring, now);
	}
	if (rc == 0)
		plan(ring, now);
	return rc;
}
