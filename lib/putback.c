/* SPDX-License-Identifier: MIT */
/* putback.c - the chain of ways back. */
#include "putback.h"

#include <errno.h>

#include "bits.h"
#include "events.h"
#include "uffd_abi.h"
#include "uffd_move.h"

/* An event stays pending until the application's thread has run; so long may that take. */
#define PATIENCE_NS UINT64_C(60000000000)

/* A run of pages of one segment that come from one place. */
struct run {
	uint32_t first, count;
	uint64_t to, from;
	int staged;
};

static uint64_t grave_of(const struct bm_uffd *uffd, const struct bm_window *window, uint32_t page)
{
	return window->grave + page * uffd->page_size;
}

static uint64_t staging_of(const struct bm_uffd *uffd, const struct bm_window *window,
			   uint32_t page)
{
	return window->staging + (window->place ? window->place[page] : page) * uffd->page_size;
}

static uint64_t source_of(const struct bm_uffd *uffd, const struct bm_window *window, uint32_t page)
{
	return bm_bit(window->copied, page) ? staging_of(uffd, window, page)
					    : grave_of(uffd, window, page);
}

/* The pages that can go back with one MOVE, from `first` on. */
static struct run run_from(const struct bm_uffd *uffd, const struct bm_window *window,
			   const struct bm_segment *segment, uint32_t first)
{
	uint32_t end = bm_bits_next(window->away, first, segment->first + segment->count, 0);
	int staged = bm_bit(window->copied, first);
	uint64_t from = source_of(uffd, window, first);
	uint32_t last = first + 1;

	end = bm_bits_next(window->copied, first, end, !staged);
	if (!staged || !window->place)
		last = end;
	while (last < end &&
	       staging_of(uffd, window, last) == from + (last - first) * uffd->page_size)
		last++;
	return (struct run){.first = first,
			    .count = last - first,
			    .to = segment->at + (first - segment->first) * uffd->page_size,
			    .from = from,
			    .staged = staged};
}

/* The next run that is to go back; 0 when there is none. Inside the gate. */
static int next_run(const struct bm_uffd *uffd, struct bm_window *window, struct run *run)
{
	for (uint32_t i = 0; i < window->segments.count; i++) {
		const struct bm_segment *segment = &window->segments.list[i];
		uint32_t end = segment->first + segment->count;
		uint32_t page = bm_bits_next(window->away, segment->first, end, 1);

		if (page == end)
			continue;
		if (segment->state == BM_SEGMENT_LIVE) {
			*run = run_from(uffd, window, segment, page);
			return 1;
		}
		bm_bits_clear(window->away, segment->first, end);
	}
	return 0;
}

static void settle(struct bm_window *window, const struct run *run, uint32_t pages)
{
	bm_bits_clear(window->away, run->first, run->first + pages);
	bm_bits_set(run->staged ? window->staged : window->back, run->first, run->first + pages);
}

/* Who tries: with the descriptor that all share, or the reader for `errand`. */
struct attempt {
	struct bm_uffd *uffd;
	struct bm_window *window;
	int errand;
	uint32_t changes; /* of the window, when it was asked where the page belongs */
};

static int call(const struct attempt *by, unsigned long request, void *arg)
{
	struct bm_errand_for whom = {by->window, by->changes};

	return by->errand ? bm_events_errand(by->uffd, whom, request, arg)
			  : by->uffd->sys->ioctl(by->uffd->fd, request, arg);
}

static int move_page(const struct attempt *by, uint64_t to, uint64_t from, int staged)
{
	struct bm_uffd_transfer move = {to, from, by->uffd->page_size,
					staged ? 0 : BM_UFFD_MOVE_HOLES, 0};
	int rc = call(by, BM_UFFDIO_MOVE, &move);

	return rc == -EEXIST && bm_uffd_gone(by->uffd, from, 1) ? 0 : rc;
}

static int copy_page(const struct attempt *by, uint64_t to, uint64_t from)
{
	struct bm_uffd_transfer copy = {to, from, by->uffd->page_size, 0, 0};

	return call(by, BM_UFFDIO_COPY, &copy);
}

/* One page in every way there is: 0, -EAGAIN, or why none of them worked. */
static int force_page(const struct attempt *by, struct run *run)
{
	struct bm_window *window = by->window;
	uint64_t grave = grave_of(by->uffd, window, run->first);
	struct bm_uffd_fill poison = {{run->to, by->uffd->page_size}, 0, 0};
	int rc = move_page(by, run->to, run->from, run->staged);

	if (rc == 0 || rc == -EAGAIN || rc == -EEXIST)
		return rc;
	if (run->staged && move_page(by, run->to, grave, 0) == 0) {
		run->staged = 0;
		return 0;
	}
	rc = copy_page(by, run->to, run->from);
	if (rc == -EFAULT && run->staged)
		rc = copy_page(by, run->to, grave);
	if (rc == 0) {
		/* Neither page was used: both stay in the pool. */
		bm_bit_clear(window->away, run->first);
		return -ENOTUNIQ;
	}
	if (rc == -EFAULT && call(by, BM_UFFDIO_POISON, &poison) == 0) {
		bm_bit_clear(window->away, run->first);
		return -EHWPOISON;
	}
	return rc;
}

/*
 * What MOVE refused. An error that says that the place is no longer there, or
 * has other contents, is believed only when the reader's descriptor gives it.
 */
static int put_refused(struct bm_uffd *uffd, struct bm_window *window, struct run *run)
{
	struct attempt by = {uffd, window, 0, window->segments.changes};
	int rc = force_page(&by, run);

	run->count = 1;
	if (rc != 0 && rc != -EAGAIN && rc != -ENOMEM && rc != -ENOTUNIQ && rc != -EHWPOISON) {
		by.errand = 1;
		bm_gate_leave(&uffd->gate, uffd->sys);
		rc = force_page(&by, run);
		bm_gate_enter(&uffd->gate, uffd->sys);
	}
	switch (rc) {
	case 0:
		settle(window, run, 1);
		break;
	case -EAGAIN:
	case -ENOMEM: /* the limit of a control group: there may be memory again in a moment */
		return rc;
	case -ENOENT: /* no such mapping, or not registered: unmapped and used anew */
	case -EEXIST: /* a guard page, or contents that are newer */
	case -ESRCH:  /* the process ends */
		bm_bit_clear(window->away, run->first);
		break;
	case -ENOTUNIQ:
	case -EHWPOISON:
		break;
	default:
		uffd->sys->abort("a page that was taken out could not be put back\n");
	}
	return 1;
}

/* The old page is there, and goes back where this fails. */
static long copy_into_place(struct bm_uffd *uffd, struct bm_window *window, const struct run *run)
{
	struct bm_uffd_transfer copy = {run->to, run->from, run->count * uffd->page_size,
					BM_UFFD_DONTWAKE, 0};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_COPY, &copy);

	if (copy.done > 0)
		return (long)copy.done;
	if (rc != -EAGAIN)
		bm_bits_clear(window->copied, run->first, run->first + run->count);
	return -EAGAIN;
}

static long put_run(struct bm_uffd *uffd, struct bm_window *window, const struct run *run)
{
	if (run->staged && window->direct)
		return copy_into_place(uffd, window, run);
	return bm_uffd_move(uffd, run->to, run->from, run->count * uffd->page_size,
			    BM_UFFD_DONTWAKE | (run->staged ? 0 : BM_UFFD_MOVE_HOLES));
}

/* One run: 1 done, 0 nothing left, -EAGAIN an event is pending, -ENOMEM. */
static int step(struct bm_uffd *uffd, struct bm_window *window)
{
	struct run run;
	int more, rc = 1;
	long moved;

	bm_gate_enter(&uffd->gate, uffd->sys);
	more = next_run(uffd, window, &run);
	if (more) {
		moved = put_run(uffd, window, &run);
		if (moved > 0)
			settle(window, &run, (uint32_t)(moved / (long)uffd->page_size));
		else if (moved == -EAGAIN)
			rc = -EAGAIN;
		else
			rc = put_refused(uffd, window, &run);
	}
	bm_gate_leave(&uffd->gate, uffd->sys);
	return more ? rc : 0;
}

void bm_window_put_back(struct bm_uffd *uffd, struct bm_window *window)
{
	uint64_t begin = 0;

	for (;;) {
		uint32_t seen = atomic_load(&uffd->progress);
		int rc = step(uffd, window);

		if (rc == 0)
			return;
		if (rc > 0)
			continue;
		bm_events_pass(uffd, seen);
		if (begin == 0)
			begin = uffd->sys->now_ns();
		else if (uffd->sys->now_ns() - begin > PATIENCE_NS)
			uffd->sys->abort("pages could not be put back for a minute\n");
	}
}
