/* SPDX-License-Identifier: MIT */
/* lease.c - a table of ranges; the ioctls are made with the latch held. */
#include "lease.h"

#include <errno.h>

#include "claims.h"
#include "events.h"
#include "latch.h"
#include "uffd_move.h"
#include "vma.h"

/* A call of the application is in progress until its thread has run; so long may that take. */
#define PATIENCE_NS UINT64_C(60000000000)

static const struct bm_errand_for nobody = {NULL, 0};

static int register_range(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_uffd_register arg = {{start, end - start}, BM_UFFD_MODE_MISSING, 0};

	return uffd->sys->ioctl(uffd->fd, BM_UFFDIO_REGISTER, &arg);
}

static int unregister_range(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_uffd_range range = {start, end - start};

	return uffd->sys->ioctl(uffd->fd, BM_UFFDIO_UNREGISTER, &range);
}

/* With the latch held. */
static struct bm_lease *find_over(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		struct bm_lease *lease = &uffd->leases[i];

		if (lease->taken && lease->start < end && start < lease->end)
			return lease;
	}
	return NULL;
}

static int find_free(const struct bm_uffd *uffd)
{
	for (int i = 0; i < (int)BM_WINDOWS_MAX; i++) {
		if (!uffd->leases[i].taken)
			return i;
	}
	return -ENOSPC;
}

/* What has grown at an end while it was registered is registered, too. */
static void extend(struct bm_uffd *uffd, struct bm_lease *range)
{
	uint64_t low = range->start, high = range->end;

	bm_vma_bounds(uffd->sys, uffd->maps, range->start, &low, &high);
	if (low < range->start)
		range->start = low;
	low = range->start;
	high = range->end;
	bm_vma_bounds(uffd->sys, uffd->maps, range->end - uffd->page_size, &low, &high);
	if (high > range->end)
		range->end = high;
}

/* Mapping by mapping, but for those where another window's pages belong now. */
static void each_piece(struct bm_uffd *uffd, const struct bm_lease *range,
		       int (*call)(struct bm_uffd *uffd, uint64_t start, uint64_t end))
{
	uint64_t at = range->start, low, high;

	while (at < range->end) {
		/* Before Linux 6.11 nothing tells where a mapping ends. */
		low = at;
		high = at + uffd->page_size;
		if (bm_vma_from(uffd->sys, uffd->maps, at, &low, &high) == -ENOENT)
			return;
		low = low > at ? low : at;
		high = high < range->end ? high : range->end;
		if (low < high && !bm_window_awaits(uffd, low, high))
			call(uffd, low, high);
		at = high;
	}
}

/* With the latch held. */
static int unregister(struct bm_uffd *uffd, const struct bm_lease *range)
{
	int rc = -EINVAL;

	if (!bm_window_awaits(uffd, range->start, range->end))
		rc = unregister_range(uffd, range->start, range->end);
	/* Something in it is not ours, or is awaited. */
	if (rc == -EINVAL)
		each_piece(uffd, range, unregister_range);
	return rc;
}

/* With the latch held: what lies there now. */
static void register_again(struct bm_uffd *uffd, const struct bm_lease *range)
{
	if (register_range(uffd, range->start, range->end) < 0)
		each_piece(uffd, range, register_range);
}

/* A call that changes what is registered has begun, and has not gone on yet. */
static int is_changing(const struct bm_uffd *uffd, uint64_t addr)
{
	return bm_uffd_is_registered(uffd, addr) == -EAGAIN;
}

/* By the descriptor of the reader where ours is gone. */
void bm_lease_wake(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_uffd_range range = {start, end - start};

	if (uffd->sys->ioctl(uffd->fd, BM_UFFDIO_WAKE, &range) < 0)
		bm_events_errand(uffd, nobody, BM_UFFDIO_WAKE, &range);
}

/* What is still wanted by another lease passes over to it. */
static int hand_over(struct bm_uffd *uffd, const struct bm_lease *range)
{
	struct bm_lease *other = find_over(uffd, range->start, range->end);

	if (!other)
		return 0;
	if (range->start < other->start)
		other->start = range->start;
	if (range->end > other->end)
		other->end = range->end;
	return 1;
}

/*
 * With the latch held. 1: another lease keeps it registered; else *rc is what
 * came of unregistering it. -EAGAIN: not while the application changes what is
 * registered, which may bring pages of a window here. It may have begun after
 * it was asked for, even after the bounds were: then a part of what has come
 * could be unregistered, with pages that are away. So it is asked for again
 * afterwards: inside the gate no event is read, and whoever has begun gets no
 * further than that one call, and does not find out.
 */
static int release(struct bm_uffd *uffd, struct bm_lease *range, int *rc)
{
	int kept = -EAGAIN;

	bm_gate_enter(&uffd->gate, uffd->sys);
	if (!is_changing(uffd, range->start)) {
		extend(uffd, range);
		kept = hand_over(uffd, range);
		*rc = kept ? 0 : unregister(uffd, range);
	}
	if (kept == 0 && is_changing(uffd, range->start)) {
		register_again(uffd, range);
		kept = -EAGAIN;
	}
	bm_gate_leave(&uffd->gate, uffd->sys);
	return kept;
}

static int is_whole(const struct bm_uffd *uffd, uint64_t at, uint64_t start, uint64_t end)
{
	uint64_t low = start, high = end;

	bm_vma_bounds(uffd->sys, uffd->maps, at, &low, &high);
	return low <= start && end <= high;
}

int bm_lease_take(struct bm_uffd *uffd, const struct bm_lease_wish *wish, int *whole)
{
	uint64_t low = wish->low, high = wish->high;
	int lease, rc;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	bm_vma_bounds(uffd->sys, uffd->maps, wish->start, &low, &high);
	lease = find_free(uffd);
	rc = low <= wish->start && wish->end <= high ? lease : -ESTALE;
	if (rc >= 0)
		rc = register_range(uffd, low, high);
	if (rc >= 0) {
		uffd->leases[lease] = (struct bm_lease){1, low, high};
		*whole = is_whole(uffd, wish->start, low, high);
	}
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return rc < 0 ? rc : lease;
}

struct patience {
	uint32_t seen;  /* of the reader's progress */
	uint64_t begin; /* 0: nothing was waited for yet */
};

/* Until a call of the application that is in progress may be over; 0: it has been for too long. */
static int wait_for_call(struct bm_uffd *uffd, struct patience *patience)
{
	uint64_t now = uffd->sys->now_ns();

	if (patience->begin == 0)
		patience->begin = now;
	bm_events_pass(uffd, patience->seen);
	patience->seen = atomic_load(&uffd->progress);
	return now - patience->begin < PATIENCE_NS;
}

static int try_end(struct bm_uffd *uffd, int lease, struct bm_lease *range, int *rc)
{
	int kept;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	*range = uffd->leases[lease];
	uffd->leases[lease].taken = 0;
	range->taken = 1;
	kept = release(uffd, range, rc);
	/* As far as it is registered again. */
	if (kept == -EAGAIN)
		uffd->leases[lease] = *range;
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return kept;
}

/* What cannot be unregistered is left to the next window on it: the reader serves first touches. */
static void give_up(struct bm_uffd *uffd, int lease)
{
	bm_latch_take(&uffd->lease_latch, uffd->sys);
	uffd->leases[lease].taken = 0;
	bm_latch_give(&uffd->lease_latch, uffd->sys);
}

void bm_lease_end(struct bm_uffd *uffd, int lease, uint64_t start, uint64_t end)
{
	struct patience patience = {atomic_load(&uffd->progress), 0};
	struct bm_lease range;
	int kept, rc = 0;

	while ((kept = try_end(uffd, lease, &range, &rc)) == -EAGAIN) {
		/* Whoever waits for this window need not wait for that. */
		if (patience.begin == 0)
			bm_lease_wake(uffd, start, end);
		if (wait_for_call(uffd, &patience))
			continue;
		give_up(uffd, lease);
		break;
	}
	if (kept == 0 && rc < 0 && rc != -EINVAL) {
		struct bm_uffd_range all = {range.start, range.end - range.start};

		bm_events_errand(uffd, nobody, BM_UFFDIO_UNREGISTER, &all);
	}
	/* UNREGISTER wakes before it takes effect: who came in between still sleeps. */
	bm_lease_wake(uffd, kept ? start : range.start, kept ? end : range.end);
}

static int try_end_moved(struct bm_uffd *uffd, struct bm_lease *range)
{
	int kept, rc;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	kept = release(uffd, range, &rc);
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return kept;
}

void bm_lease_end_moved(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct patience patience = {atomic_load(&uffd->progress), 0};
	struct bm_lease range = {0, start, end};

	while (try_end_moved(uffd, &range) == -EAGAIN && wait_for_call(uffd, &patience))
		;
	bm_lease_wake(uffd, range.start, range.end);
}

int bm_lease_end_stray(struct bm_uffd *uffd, struct bm_uffd_range *stray)
{
	struct bm_lease moved = {0, stray->start, stray->start + stray->length};
	int kept = try_end_moved(uffd, &moved);

	*stray = (struct bm_uffd_range){moved.start, moved.end - moved.start};
	if (kept != -EAGAIN)
		uffd->sys->ioctl(uffd->fd, BM_UFFDIO_WAKE, stray);
	return kept == -EAGAIN ? -EAGAIN : 0;
}
