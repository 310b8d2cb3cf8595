/* SPDX-License-Identifier: MIT */
/* window.c - registers, moves out, looks, unregisters. */
#include "window.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bits.h"
#include "events.h"
#include "pagemap.h"
#include "uffd_abi.h"

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
	window->staging = frame->staging;
	window->place = frame->place;
	window->pages = (uint32_t)((frame->end - frame->start) / uffd->page_size);
	window->waited = 0;
	window->freeing = 0;
	for (uint32_t i = 0; i < words_of(window); i++)
		window->away[i] = window->present[i] = window->copied[i] = window->staged[i] =
			window->back[i] = 0;
	bm_segments_init(&window->segments, frame->start, window->pages);
}

static int unregister(struct bm_uffd *uffd, uint64_t start, uint64_t length)
{
	struct bm_uffd_range range = {start, length};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_UNREGISTER, &range);

	/* Unmapped, or no longer registered, or the descriptor is not ours any more. */
	if (rc < 0)
		rc = bm_events_errand(uffd, NULL, BM_UFFDIO_UNREGISTER, &range);
	return rc;
}

int bm_window_open(struct bm_uffd *uffd, struct bm_window *window,
		   const struct bm_window_frame *frame)
{
	struct bm_uffd_register arg = {
		{frame->start, frame->end - frame->start}, BM_UFFD_MODE_MISSING, 0};
	int rc;

	bm_gate_enter(&uffd->gate, uffd->sys);
	set_up(uffd, window, frame);
	atomic_store_explicit(&window->open, 1, memory_order_release);
	bm_gate_leave(&uffd->gate, uffd->sys);
	rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_REGISTER, &arg);
	/* Nothing is registered: what another userfaultfd has must not be unregistered. */
	if (rc < 0)
		atomic_store_explicit(&window->open, 0, memory_order_release);
	return rc;
}

long bm_window_move(struct bm_uffd *uffd, uint64_t to, uint64_t from, uint64_t length,
		    uint64_t mode)
{
	struct bm_uffd_transfer move = {to, from, length, mode, 0};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_MOVE, &move);

	/* A short one is -EAGAIN as well. */
	return move.done > 0 ? (long)move.done : rc < 0 ? rc : move.done < 0 ? move.done : -EIO;
}

static long try_take_out(struct bm_uffd *uffd, struct bm_window *window, uint32_t first,
			 uint32_t count)
{
	uint64_t at = first * uffd->page_size;
	long rc = -ESTALE;

	bm_gate_enter(&uffd->gate, uffd->sys);
	if (window->segments.changes == 0)
		rc = bm_window_move(uffd, window->grave + at, window->start + at,
				    count * uffd->page_size, EVACUATE);
	if (rc > 0) {
		rc /= (long)uffd->page_size;
		bm_bits_set(window->away, first, first + (uint32_t)rc);
	}
	bm_gate_leave(&uffd->gate, uffd->sys);
	return rc;
}

long bm_window_take_out(struct bm_uffd *uffd, struct bm_window *window, uint32_t first,
			uint32_t count)
{
	uint64_t at = window->grave + first * uffd->page_size;

	for (unsigned int tries = 0;; tries++) {
		uint32_t seen = atomic_load(&uffd->progress);
		long rc = try_take_out(uffd, window, first, count);

		if (rc == -EEXIST && tries == 0) {
			/* mlockall(MCL_CURRENT) of the application fills the pool, too. */
			uffd->sys->madvise(at, count * uffd->page_size, MADV_DONTNEED);
			continue;
		}
		if (rc != -EAGAIN || tries > 100)
			return rc;
		bm_events_pass(uffd, seen);
	}
}

int bm_window_look(struct bm_uffd *uffd, struct bm_window *window, int pagemap)
{
	struct bm_page_scan scan = {window->grave, window->grave + (window->end - window->start),
				    BM_SCAN_PRESENT, 0};
	struct bm_page_region regions[REGIONS];
	int huge = 0;

	while (scan.start < scan.end) {
		long got = bm_pagemap_scan(uffd->sys, pagemap, &scan, regions, REGIONS);

		if (got <= 0)
			break;
		for (long i = 0; i < got; i++) {
			const struct bm_page_region *region = &regions[i];

			if (region->categories & BM_SCAN_ZERO)
				continue;
			huge |= (region->categories & BM_SCAN_HUGE) != 0;
			bm_bits_set(window->present,
				    (uint32_t)((region->start - window->grave) / uffd->page_size),
				    (uint32_t)((region->end - window->grave) / uffd->page_size));
		}
	}
	/* What was in the graveyard before is not ours to copy. */
	for (uint32_t i = 0; i < words_of(window); i++)
		window->present[i] &= window->away[i];
	return huge;
}

/* What was removed twice was so by the application, too: see events.c. */
static void drop_removed(struct bm_uffd *uffd, struct bm_window *window)
{
	uint32_t at = 0, end;

	while ((at = bm_bits_next(window->twice, at, window->pages, 1)) < window->pages) {
		end = bm_bits_next(window->twice, at, window->pages, 0);
		bm_segments_mark(&window->segments, window->start + at * uffd->page_size,
				 window->start + end * uffd->page_size, BM_SEGMENT_REMOVED);
		at = end;
	}
}

void bm_window_free_tables(struct bm_uffd *uffd, struct bm_window *window)
{
	int ready;

	bm_gate_enter(&uffd->gate, uffd->sys);
	ready = window->waited && window->segments.changes == 0 &&
		bm_bits_next(window->away, 0, window->pages, 0) == window->pages;
	for (uint32_t i = 0; ready && i < words_of(window); i++)
		window->once[i] = window->twice[i] = 0;
	window->freeing = (uint32_t)ready;
	bm_gate_leave(&uffd->gate, uffd->sys);
	if (!ready)
		return;
	uffd->sys->madvise(window->start, window->end - window->start, MADV_DONTNEED);
	bm_gate_enter(&uffd->gate, uffd->sys);
	window->freeing = 0;
	drop_removed(uffd, window);
	bm_gate_leave(&uffd->gate, uffd->sys);
}

/* Unregisters where the pages are now; the list may change meanwhile. */
static void unregister_moved(struct bm_uffd *uffd, struct bm_window *window)
{
	uint64_t page_size = uffd->page_size;

	for (uint32_t i = 0;; i++) {
		struct bm_segment segment;
		uint64_t home;

		bm_gate_enter(&uffd->gate, uffd->sys);
		if (i < window->segments.count)
			segment = window->segments.list[i];
		else
			segment.count = 0;
		bm_gate_leave(&uffd->gate, uffd->sys);
		if (segment.count == 0)
			return;
		home = window->start + segment.first * page_size;
		if (segment.state != BM_SEGMENT_GONE)
			unregister(uffd, segment.at, segment.count * page_size);
		/* MREMAP_DONTUNMAP leaves the old place registered as well. */
		if (segment.at != home)
			unregister(uffd, home, segment.count * page_size);
	}
}

/* Closes unless something has changed since `changes`. */
static int try_close(struct bm_uffd *uffd, struct bm_window *window, uint32_t changes)
{
	int same;

	bm_gate_enter(&uffd->gate, uffd->sys);
	same = window->segments.changes == changes;
	if (same)
		atomic_store_explicit(&window->open, 0, memory_order_release);
	bm_gate_leave(&uffd->gate, uffd->sys);
	return same;
}

void bm_window_close(struct bm_uffd *uffd, struct bm_window *window)
{
	uint32_t changes;

	do {
		changes = __atomic_load_n(&window->segments.changes, __ATOMIC_ACQUIRE);
		if (changes == 0)
			unregister(uffd, window->start, window->end - window->start);
		else
			unregister_moved(uffd, window);
	} while (!try_close(uffd, window, changes));
}
