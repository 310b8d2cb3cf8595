/* SPDX-License-Identifier: MIT */
/* window.c - registers, moves out, looks, unregisters. */
#include "window.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bits.h"
#include "events.h"
#include "lease.h"
#include "pagemap.h"
#include "uffd_abi.h"
#include "uffd_move.h"

#define REGIONS  64
#define EVACUATE (BM_UFFD_DONTWAKE | BM_UFFD_MOVE_HOLES)

static uint32_t words_of(const struct bm_window *window)
{
	return (window->pages + 63) / 64;
}

static void set_up(struct bm_uffd *uffd, struct bm_window *window,
		   const struct bm_window_frame *frame)
{
	window->start = frame->start;
	window->end = frame->end;
	window->grave = frame->grave;
	window->direct = frame->staging == 0;
	window->staging = window->direct ? frame->grave : frame->staging;
	window->place = frame->place;
	window->pages = (uint32_t)((frame->end - frame->start) / uffd->page_size);
	window->waited = 0;
	for (uint32_t i = 0; i < words_of(window); i++)
		window->away[i] = window->present[i] = window->copied[i] = window->staged[i] =
			window->back[i] = 0;
	bm_segments_init(&window->segments, frame->start, window->pages);
}

/* Inside the gate. */
static int is_being_removed(const struct bm_uffd *uffd, const struct bm_window_frame *frame)
{
	uint64_t now = uffd->sys->now_ns();

	for (size_t i = 0; i < BM_REMOVALS; i++) {
		const struct bm_removal *removal = &uffd->removals[i];

		if (removal->start < frame->end && frame->start < removal->end &&
		    now - removal->ns < BM_REMOVAL_NS)
			return 1;
	}
	return 0;
}

/* From here on the reader serves who touches a hole, and takes care of remappings. */
static void shut(struct bm_uffd *uffd, struct bm_window *window)
{
	bm_gate_enter(&uffd->gate, uffd->sys);
	atomic_store_explicit(&window->open, 0, memory_order_release);
	bm_gate_leave(&uffd->gate, uffd->sys);
}

int bm_window_open(struct bm_uffd *uffd, struct bm_window *window,
		   const struct bm_window_frame *frame)
{
	const struct bm_lease_wish wish = {frame->start, frame->end, frame->low, frame->high};
	int removed, whole = 1;

	/* Before it is registered: an event of it must find the window. */
	bm_gate_enter(&uffd->gate, uffd->sys);
	removed = is_being_removed(uffd, frame);
	set_up(uffd, window, frame);
	atomic_store_explicit(&window->open, (uint32_t)!removed, memory_order_release);
	bm_gate_leave(&uffd->gate, uffd->sys);
	if (removed)
		return -ESTALE;
	window->lease = bm_lease_take(uffd, &wish, &whole);
	if (window->lease < 0) {
		/* The mapping may be registered for another window, and who touches it waits for us. */
		shut(uffd, window);
		bm_lease_wake(uffd, window->start, window->end);
		return window->lease;
	}
	if (!whole)
		bm_window_close(uffd, window);
	return whole ? 0 : -ESTALE;
}

/*
 * Pages moved or -errno. What the kernel has not counted is away, too. This is
 * asked before an event is read: afterwards such a page may have another place,
 * nobody would look for it here, and it would be lost. When a call of the
 * application has begun, what is here may be another mapping already, and all
 * count as moved: who is taken for away and is not stays where it is.
 */
static long move_out(struct bm_uffd *uffd, const struct bm_window *window, uint32_t first,
		     uint32_t count)
{
	uint64_t at = first * uffd->page_size, from = window->start + at;
	long rc = bm_uffd_move(uffd, window->grave + at, from, count * uffd->page_size, EVACUATE);
	uint32_t moved = rc > 0 ? (uint32_t)(rc / (long)uffd->page_size) : 0;

	if (rc < 0 && rc != -EEXIST)
		return rc;
	if (moved > 0)
		moved += bm_uffd_gone(uffd, from + moved * uffd->page_size, count - moved);
	if (moved < count && bm_uffd_is_registered(uffd, from) == -EAGAIN)
		moved = count;
	return moved > 0 ? (long)moved : rc;
}

static long try_take_out(struct bm_uffd *uffd, struct bm_window *window, uint32_t first,
			 uint32_t count)
{
	long rc;

	bm_gate_enter(&uffd->gate, uffd->sys);
	/*
	 * MOVE takes pages out of any mapping: also out of one that mremap(2) or
	 * mmap(2) has brought here after we had registered what was here before,
	 * or that lay elsewhere just then. From a registered one nothing comes or
	 * goes without an event.
	 */
	rc = window->segments.changes
		     ? 0
		     : bm_uffd_is_registered(uffd, window->start + first * uffd->page_size);
	if (rc == 0)
		rc = -ESTALE;
	else if (rc > 0)
		rc = move_out(uffd, window, first, count);
	if (rc > 0)
		bm_bits_set(window->away, first, first + (uint32_t)rc);
	bm_gate_leave(&uffd->gate, uffd->sys);
	return rc;
}

long bm_window_take_out(struct bm_uffd *uffd, struct bm_window *window, uint32_t first,
			uint32_t count)
{
	uint64_t at = window->grave + first * uffd->page_size;
	int released = 0;

	for (unsigned int tries = 0;; tries++) {
		uint32_t seen = atomic_load(&uffd->progress);
		long rc = try_take_out(uffd, window, first, count);

		if (rc == -EEXIST && !released) {
			/* mlockall(MCL_CURRENT) of the application fills the pool, too. */
			uffd->sys->madvise(at, count * uffd->page_size, BM_MADV_RELEASE);
			released = 1;
			continue;
		}
		if (rc != -EAGAIN || tries > 100)
			return rc;
		bm_events_pass(uffd, seen);
	}
}

/* Pages [start, end) of these kinds; one place of a window after the other. */
struct look {
	struct bm_uffd *uffd;
	int pagemap;
	uint64_t start, end;
	uint64_t kinds;
};

/* Sets or clears the bits of the pages that are found, but not zero pages; their kinds. */
static uint64_t look_at(const struct look *look, uint64_t *bits, int value)
{
	struct bm_page_scan scan = {look->start, look->end, look->kinds, 0};
	struct bm_page_region regions[REGIONS];
	uint64_t kinds = 0;

	while (scan.start < scan.end) {
		long got = bm_pagemap_scan(look->uffd->sys, look->pagemap, &scan, regions, REGIONS);

		if (got <= 0)
			break;
		for (long i = 0; i < got; i++) {
			uint64_t page_size = look->uffd->page_size;
			uint32_t first = (uint32_t)((regions[i].start - look->start) / page_size);
			uint32_t end = (uint32_t)((regions[i].end - look->start) / page_size);

			if (regions[i].categories & BM_SCAN_ZERO)
				continue;
			kinds |= regions[i].categories;
			if (value)
				bm_bits_set(bits, first, end);
			else
				bm_bits_clear(bits, first, end);
		}
	}
	return kinds;
}

int bm_window_look(struct bm_uffd *uffd, struct bm_window *window, int pagemap)
{
	struct look grave = {uffd, pagemap, window->grave,
			     window->grave + (window->end - window->start), BM_SCAN_PRESENT};
	int huge = (look_at(&grave, window->present, 1) & BM_SCAN_HUGE) != 0;

	/* What was in the graveyard before is not ours to copy. */
	for (uint32_t i = 0; i < words_of(window); i++)
		window->present[i] &= window->away[i];
	return huge;
}

void bm_window_spare_guards(struct bm_uffd *uffd, struct bm_window *window, int pagemap)
{
	struct look place = {uffd, pagemap, window->start, window->end, BM_SCAN_SWAPPED};

	look_at(&place, window->copied, 0);
}

int bm_window_was_odd(const struct bm_window *window)
{
	for (uint32_t i = 0; i < words_of(window); i++) {
		uint64_t usual = window->staged[i] | (window->back[i] & ~window->copied[i]);

		if (window->present[i] & ~usual)
			return 1;
	}
	return 0;
}

void bm_window_close(struct bm_uffd *uffd, struct bm_window *window)
{
	const struct bm_segment *list = window->segments.list;

	shut(uffd, window);
	for (uint32_t i = 0; window->segments.changes && i < window->segments.count; i++) {
		if (list[i].state != BM_SEGMENT_GONE)
			bm_lease_end_moved(uffd, list[i].at,
					   list[i].at + list[i].count * uffd->page_size);
	}
	bm_lease_end(uffd, window->lease, window->start, window->end);
}
