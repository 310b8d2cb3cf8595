/* SPDX-License-Identifier: MIT */
/* lease.c - a table of ranges; the ioctls are made with the latch held. */
#include "lease.h"

#include <errno.h>

#include "claims.h"
#include "events.h"
#include "latch.h"
#include "uffd_abi.h"
#include "uffd_move.h"
#include "vma.h"

/* So often is waited for the application's thread to be through with its call. */
#define PATIENCE 100

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

/*
 * Something in it is not ours, or is where another window's pages belong now:
 * the rest is unregistered mapping by mapping.
 */
static void unregister_pieces(struct bm_uffd *uffd, const struct bm_lease *range)
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
			unregister_range(uffd, low, high);
		at = high;
	}
}

/* With the latch held. */
static int unregister(struct bm_uffd *uffd, const struct bm_lease *range)
{
	int rc = -EINVAL;

	if (!bm_window_awaits(uffd, range->start, range->end))
		rc = unregister_range(uffd, range->start, range->end);
	if (rc == -EINVAL)
		unregister_pieces(uffd, range);
	return rc;
}

/* By the descriptor of the reader where ours is gone. */
static void wake(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_uffd_range range = {start, end - start};

	if (uffd->sys->ioctl(uffd->fd, BM_UFFDIO_WAKE, &range) < 0)
		bm_events_errand(uffd, NULL, BM_UFFDIO_WAKE, &range);
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
 * came of unregistering it. Inside the gate no event is read: whoever remaps
 * what is registered gets no further than that one call, so that what the
 * bounds are of cannot go and something else come before it is unregistered.
 * -EAGAIN: such a call may be bringing pages of a window here just now, and
 * `patient`.
 */
static int release(struct bm_uffd *uffd, struct bm_lease *range, int patient, int *rc)
{
	int kept = -EAGAIN;

	bm_gate_enter(&uffd->gate, uffd->sys);
	if (!patient || bm_uffd_is_registered(uffd, range->start) != -EAGAIN) {
		extend(uffd, range);
		kept = hand_over(uffd, range);
		*rc = kept ? 0 : unregister(uffd, range);
	}
	bm_gate_leave(&uffd->gate, uffd->sys);
	return kept;
}

/*
 * An mremap(2) of the application between the question for the bounds and
 * REGISTER leaves a part of a mapping registered: that is taken back at once.
 */
static int register_whole(struct bm_uffd *uffd, uint64_t at, uint64_t start, uint64_t end)
{
	struct bm_lease part = {0, start, end};
	uint64_t low = start, high = end;
	int rc = register_range(uffd, start, end);

	if (rc < 0)
		return rc;
	bm_vma_bounds(uffd->sys, uffd->maps, at, &low, &high);
	if (low <= start && end <= high)
		return rc;
	release(uffd, &part, 0, &rc);
	return -ESTALE;
}

int bm_lease_take(struct bm_uffd *uffd, const struct bm_lease_wish *wish)
{
	uint64_t low = wish->low, high = wish->high;
	int lease, rc;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	bm_vma_bounds(uffd->sys, uffd->maps, wish->start, &low, &high);
	lease = find_free(uffd);
	rc = low <= wish->start && wish->end <= high ? lease : -ESTALE;
	if (rc >= 0)
		rc = register_whole(uffd, wish->start, low, high);
	if (rc >= 0)
		uffd->leases[lease] = (struct bm_lease){1, low, high};
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return rc < 0 ? rc : lease;
}

static int try_end(struct bm_uffd *uffd, int lease, struct bm_lease *range, int patient, int *rc)
{
	int kept;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	*range = uffd->leases[lease];
	uffd->leases[lease].taken = 0;
	kept = release(uffd, range, patient, rc);
	uffd->leases[lease].taken = kept == -EAGAIN;
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return kept;
}

void bm_lease_end(struct bm_uffd *uffd, int lease, uint64_t start, uint64_t end)
{
	struct bm_lease range;
	uint32_t seen = atomic_load(&uffd->progress);
	int kept, rc = 0;

	for (int tries = 0; (kept = try_end(uffd, lease, &range, tries < PATIENCE, &rc)) == -EAGAIN;
	     tries++) {
		/* Whoever waits for this window need not wait for that. */
		if (tries == 0)
			wake(uffd, start, end);
		bm_events_pass(uffd, seen);
		seen = atomic_load(&uffd->progress);
	}
	if (rc < 0 && rc != -EINVAL) {
		struct bm_uffd_range all = {range.start, range.end - range.start};

		bm_events_errand(uffd, NULL, BM_UFFDIO_UNREGISTER, &all);
	}
	/* UNREGISTER wakes before it takes effect: who came in between still sleeps. */
	wake(uffd, kept ? start : range.start, kept ? end : range.end);
}

static int try_end_moved(struct bm_uffd *uffd, struct bm_lease *range, int patient)
{
	int kept, rc;

	bm_latch_take(&uffd->lease_latch, uffd->sys);
	kept = release(uffd, range, patient, &rc);
	bm_latch_give(&uffd->lease_latch, uffd->sys);
	return kept;
}

void bm_lease_end_moved(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_lease range = {0, start, end};
	uint32_t seen = atomic_load(&uffd->progress);

	for (int tries = 0; try_end_moved(uffd, &range, tries < PATIENCE) == -EAGAIN; tries++) {
		bm_events_pass(uffd, seen);
		seen = atomic_load(&uffd->progress);
	}
	wake(uffd, range.start, range.end);
}

int bm_lease_end_stray(struct bm_uffd *uffd, uint64_t start, uint64_t end, int patient)
{
	struct bm_lease moved = {0, start, end};
	struct bm_uffd_range range;

	if (try_end_moved(uffd, &moved, patient) == -EAGAIN)
		return -EAGAIN;
	range = (struct bm_uffd_range){moved.start, moved.end - moved.start};
	uffd->sys->ioctl(uffd->fd, BM_UFFDIO_WAKE, &range);
	return 0;
}
