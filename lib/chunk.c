/* SPDX-License-Identifier: MIT */
/* chunk.c - takes a chunk out, has it copied, and puts it back as new pages. */
#include "chunk.h"

#include <errno.h>
#include <string.h>

#include "bits.h"
#include "chunk_slabs.h"
#include "claims.h"
#include "direct.h"
#include "pagemap.h"
#define BM_PROBES_IN_WINDOW
#include "probes.h"
#include "putback.h"
#include "window.h"

#define WORDS (BM_SLAB_PAGES / 64)

static void set_why(struct bm_chunk *chunk, uint32_t first, uint32_t count, enum bm_reason why)
{
	if (first < BM_SLAB_PAGES)
		memset(chunk->why + first, (int)why,
		       count < BM_SLAB_PAGES - first ? count : BM_SLAB_PAGES - first);
}

static void set_why_all(struct bm_chunk *chunk, enum bm_reason why)
{
	memset(chunk->why, (int)why, sizeof(chunk->why));
}

/* ---------------------------------------------------------------- in the window */

static enum bm_reason why_not_out(long error)
{
	switch (error) {
	case -EBUSY:
		return BM_REASON_PINNED;
	case -EINVAL:
		return BM_REASON_LOCKED;
	case -ENOMEM:
		return BM_REASON_NO_POOL;
	case -EFAULT:
		return BM_REASON_POISONED;
	default:
		return BM_REASON_CHANGED;
	}
}

/* Takes the pages of a run out; what cannot be is passed over. */
static void take_out_run(struct bm_chunk_work *work, struct bm_chunk_run run)
{
	while (run.count > 0) {
		long out = bm_window_take_out(work->uffd, work->window, run.first, run.count);

		if (out < 0) {
			/* Of a huge page nothing may be tried page by page: it would be split. */
			uint32_t pages = work->chunk->huge || out == -EINVAL || out == -ESTALE
						 ? run.count
						 : 1;

			work->refused |= out == -EINVAL;
			set_why(work->chunk, run.first, pages, why_not_out(out));
			out = pages;
		}
		run.first += (uint32_t)out;
		run.count -= (uint32_t)out;
	}
}

/* One copy for pages that follow each other on both sides. */
static size_t list_copies(struct bm_chunk_work *work, struct bm_copy *copies, uint64_t *bytes)
{
	const struct bm_window *window = work->window;
	uint64_t page_size = work->uffd->page_size;
	uint32_t page = 0, end, count;
	size_t made = 0;

	while (made < BM_COPIES_MOST &&
	       (page = bm_bits_next(window->present, page, window->pages, 1)) < window->pages) {
		uint32_t place = work->chunk->huge ? page : work->place[page];

		end = bm_bits_next(window->present, page, window->pages, 0);
		count = 1;
		while (page + count < end &&
		       (work->chunk->huge || work->place[page + count] == place + count))
			count++;
		copies[made++] = (struct bm_copy){
			.to = (void *)(uintptr_t)(window->staging + place * page_size),
			.from = (void *)(uintptr_t)(window->grave + page * page_size),
			.length = count * page_size};
		*bytes += count * page_size;
		page += count;
	}
	return made;
}

static void copy(struct bm_chunk_work *work)
{
	struct bm_window *window = work->window;
	struct bm_copy copies[BM_COPIES_MOST];
	unsigned char ends[BM_COPIES_MOST];
	uint64_t bytes = 0, begin;
	size_t count = list_copies(work, copies, &bytes);

	BM_PROBE1(copy__begin, bytes);
	begin = work->copier.sys->now_ns();
	work->lost = count ? bm_copy_all(&work->copier, copies, count, ends) : 0;
	work->ns_copy = work->copier.sys->now_ns() - begin;
	BM_PROBE1(copy__end, bytes);
	for (size_t i = 0; i < count; i++) {
		uint64_t from = (uint64_t)(uintptr_t)copies[i].from;
		uint32_t first = (uint32_t)((from - window->grave) / work->uffd->page_size);
		uint32_t pages = (uint32_t)(copies[i].length / work->uffd->page_size);

		if (ends[i] == BM_COPY_DONE)
			bm_bits_set(window->copied, first, first + pages);
		else
			set_why(work->chunk, first, pages, BM_REASON_BACKEND);
	}
}

/* The kernel copies while it puts them back; where it has no memory, the old ones go back. */
static void copy_later(struct bm_chunk_work *work)
{
	struct bm_window *window = work->window;

	for (uint32_t i = 0; i < (window->pages + 63) / 64; i++)
		window->copied[i] = window->present[i];
	bm_window_spare_guards(work->uffd, window, work->pagemap);
}

/* A huge page that came after the pages were classified would be split. */
static int has_become_huge(const struct bm_chunk_work *work)
{
	const struct bm_window *window = work->window;
	struct bm_page_scan scan = {window->start, window->end, BM_SCAN_HUGE, 1};
	struct bm_page_region region;

	return !work->chunk->huge &&
	       bm_pagemap_scan(work->uffd->sys, work->pagemap, &scan, &region, 1) == 1;
}

/* From here to the end: nothing but the stack, the window and the slabs. */
static void pass_through(struct bm_chunk_work *work)
{
	struct bm_chunk *chunk = work->chunk;
	int huge = has_become_huge(work);

	for (uint32_t i = 0; !huge && i < chunk->run_count; i++)
		take_out_run(work, chunk->runs[i]);
	huge = huge || bm_window_look(work->uffd, work->window, work->pagemap);
	/* A huge page that was split on the way would come back as pages of another one. */
	if (huge != chunk->huge)
		set_why_all(chunk, BM_REASON_LARGE_FOLIO);
	else if (work->staging)
		copy(work);
	else
		copy_later(work);
	bm_window_put_back(work->uffd, work->window);
	bm_window_close(work->uffd, work->window);
}

static enum bm_reason why_not_open(int error)
{
	switch (error) {
	case -EBUSY:
		return BM_REASON_OTHER_UFFD;
	case -ENOMEM:
		return BM_REASON_NO_MAPS;
	case -EPERM:
		return BM_REASON_READ_ONLY;
	default:
		return BM_REASON_CHANGED;
	}
}

static void settle_chunk(struct bm_chunk_work *work)
{
	struct bm_chunk *chunk = work->chunk;
	const struct bm_window *window = work->window;

	if (chunk->huge) {
		if (bm_bits_next(window->staged, 0, window->pages, 0) == window->pages)
			bm_bit_set(chunk->moved, 0);
		return;
	}
	for (uint32_t i = 0; i < (window->pages + 63) / 64; i++)
		chunk->moved[i] = window->staged[i];
	for (uint32_t i = 0; i < window->pages; i++) {
		if (bm_bit(window->staged, i))
			continue;
		/* Taken out, and nothing was there: removed, or swapped out, or a call is in progress. */
		if (bm_bit(window->back, i) && chunk->why[i] == BM_REASON_NONE)
			chunk->why[i] = BM_REASON_CHANGED;
		/* Copied and not put back as new: the application has done something to them. */
		if (bm_bit(window->copied, i)) {
			chunk->why[i] = BM_REASON_CHANGED;
			work->mixed |= window->segments.changes == 0;
		}
	}
}

static void run_window(struct bm_chunk_work *work)
{
	struct bm_window_frame frame = {.start = work->chunk->start,
					.end = work->chunk->end,
					.grave = work->grave->start,
					.staging = work->staging ? work->staging->start : 0,
					.place = work->staging && !work->chunk->huge ? work->place
										     : NULL,
					.low = work->chunk->low,
					.high = work->chunk->high};
	const struct bm_sys *sys = work->swap->wish.sys;
	uint64_t switches = work->chunk->watched ? sys->switches() : 0, begin = sys->now_ns();
	int rc;

	work->copier =
		bm_seat_copier(work->swap, work->seat, work->chunk->node, work->chunk->pinnable);
	work->ns_copy = 0;
	rc = bm_window_open(work->uffd, work->window, &frame);
	if (rc == 0) {
		pass_through(work);
		work->chunk->ns_window = sys->now_ns() - begin;
		work->chunk->ns_copy = work->ns_copy;
		work->chunk->preempted = work->chunk->watched && sys->switches() != switches;
	} else {
		set_why_all(work->chunk, why_not_open(rc));
	}
	bm_seat_copied(work->swap, work->seat, &work->copier);
	settle_chunk(work);
}

/* With the slabs, and outside of the window again at the end. */
static void run_claimed(struct bm_chunk_work *work)
{
	int claim = bm_claim(work->uffd, BM_CLAIM_WINDOW, work->chunk->start, work->chunk->end);

	if (claim < 0) {
		set_why_all(work->chunk, BM_REASON_OWN_MEMORY);
		return;
	}
	work->window = bm_window_take(work->uffd);
	if (work->window)
		run_window(work);
	bm_claim_end(work->uffd, claim);
}

static void run_in_lane(struct bm_chunk_work *work, int locked)
{
	int rc;

	work->lane.locked = locked != 0;
	work->refused = work->mixed = 0;
	work->window = NULL;
	work->lost = 0;
	set_why_all(work->chunk, BM_REASON_NO_POOL);
	rc = bm_chunk_take_slabs(work);
	if (rc < 0) {
		if (locked)
			set_why_all(work->chunk, BM_REASON_LOCKED);
		return;
	}
	set_why_all(work->chunk, work->chunk->direct ? BM_REASON_NO_POOL : BM_REASON_NONE);
	run_claimed(work);
	if (work->refused || work->mixed) {
		if (work->staging)
			bm_slab_relock(&work->swap->pool.env, work->staging);
		bm_slab_relock(&work->swap->pool.env, work->grave);
	}
	bm_chunk_give_slabs(work);
	if (work->window)
		bm_window_give(work->uffd, work->window);
	if (!work->refused)
		work->seat->locked = locked;
}

/* The pages that an engine has lost, as runs: 0 when there are none. */
static int only_lost(struct bm_chunk *chunk)
{
	uint32_t page = 0, count = 0, end;

	while (count < BM_COPIES_MOST && page < BM_SLAB_PAGES) {
		for (end = page; end < BM_SLAB_PAGES && chunk->why[end] == BM_REASON_BACKEND; end++)
			;
		if (end > page)
			chunk->runs[count++] = (struct bm_chunk_run){page, end - page};
		page = end + 1;
	}
	chunk->run_count = count;
	return count > 0;
}

/* What an engine has lost is on its old pages, and is tried without it. */
static void redo(struct bm_chunk_work *work)
{
	struct bm_chunk *chunk = work->chunk;
	uint64_t moved[WORDS];
	unsigned char why[BM_SLAB_PAGES];
	uint64_t ns_window = chunk->ns_window, ns_copy = chunk->ns_copy;
	int preempted = chunk->preempted;

	memcpy(moved, chunk->moved, sizeof(moved));
	memcpy(why, chunk->why, sizeof(why));
	if (!chunk->huge && !only_lost(chunk))
		return;
	run_in_lane(work, work->seat->locked);
	memcpy(chunk->why, why, sizeof(why));
	for (uint32_t i = 0; i < WORDS; i++)
		chunk->moved[i] |= moved[i];
	/* Told is the window in which it was waited for. */
	if (ns_window > chunk->ns_window) {
		chunk->ns_window = ns_window;
		chunk->ns_copy = ns_copy;
		chunk->preempted = preempted;
	}
}

static void run(struct bm_chunk_work *work)
{
	run_in_lane(work, work->seat->locked);
	/* The slabs are alike now. */
	if (work->mixed)
		run_in_lane(work, work->lane.locked);
	/* Locked mappings need locked slabs, others such that are not. */
	if (work->refused && bm_bits_count(work->chunk->moved, WORDS) == 0)
		run_in_lane(work, !work->seat->locked);
	if (work->lost)
		redo(work);
}

static void run_aimed(struct bm_chunk_work *work)
{
	const struct bm_slab_env *env = &work->swap->pool.env;
	struct bm_chunk *chunk = work->chunk;
	struct bm_aim aim;

	if (chunk->direct && bm_aim_take(env, chunk->start, chunk->node, &aim) < 0)
		chunk->direct = 0;
	run(work);
	if (chunk->direct) {
		bm_aim_end(env, &aim);
		bm_direct_check(env, chunk);
	}
}

int bm_chunk_swap(struct bm_swap *swap, struct bm_seat *seat, struct bm_chunk *chunk)
{
	struct bm_chunk_work work = {.swap = swap,
				     .seat = seat,
				     .chunk = chunk,
				     .lane = {(unsigned char)seat->number, chunk->huge != 0, 0},
				     .pagemap = swap->pool.env.pagemap};
	uint64_t signals;
	int rc = bm_uffd_enter(&swap->wish, &work.uffd, &signals);

	if (rc < 0)
		return rc;
	memset(chunk->moved, 0, sizeof(chunk->moved));
	chunk->ns_window = chunk->ns_copy = 0;
	chunk->preempted = 0;
	if (bm_seat_claim(work.uffd, seat, __builtin_frame_address(0), chunk + 1) == 0)
		run_aimed(&work);
	else
		set_why_all(chunk, BM_REASON_OWN_MEMORY);
	bm_uffd_leave(swap->wish.sys, &signals);
	return 0;
}
