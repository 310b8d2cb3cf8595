/* SPDX-License-Identifier: MIT */
/*
 * forked.c - fills the pages of a child, which runs meanwhile.
 *
 * The kernel lets parent and child go on when the event has been read, and the
 * descriptor of the child comes with it: not before. So the child may change
 * its mappings, fork or exec while it is filled. Its changes wait for their
 * events to be read, and COPY says EAGAIN until then.
 */
#include "forked.h"

#include <errno.h>

#include "bits.h"
#include "pagemap.h"
#include "uffd_abi.h"

/* A child that does more before it has its pages, or does not run for so long, is a fault. */
#define CHANGES     48
#define GENERATIONS 8
#define MESSAGES    4
#define EVENT_US    100
#define PATIENCE_NS UINT64_C(60000000000)
/* A control group at its limit: there may be memory again in a moment. */
#define SHORTAGE_NS UINT64_C(1000000000)

/* What belonged to [from, from + length) belongs to `to`, 0: to nobody. */
struct change {
	uint64_t from, to, length;
};

/* On the stack of the reader. */
struct child {
	struct bm_uffd *uffd;
	int descriptor;
	unsigned int generation;
	unsigned int count;
	struct change changes[CHANGES];
	uint64_t begin;
};

static void give_up(const struct child *child)
{
	child->uffd->sys->abort("a forked child could not be given its pages\n");
}

/* Where what was at this place when the child was made belongs now; 0: nowhere. */
static uint64_t place_of(const struct child *child, uint64_t at)
{
	for (unsigned int i = 0; i < child->count && at; i++) {
		const struct change *change = &child->changes[i];

		if (at - change->from < change->length)
			at = change->to ? at + (change->to - change->from) : 0;
	}
	return at;
}

static void add(struct child *child, uint64_t from, uint64_t to, uint64_t length)
{
	if (child->count == CHANGES)
		give_up(child);
	else
		child->changes[child->count++] = (struct change){from, to, length};
}

/* Field by field: the compiler would call memset(3) for the whole. */
static void begin(struct child *child, struct bm_uffd *uffd, int descriptor)
{
	child->uffd = uffd;
	child->descriptor = descriptor;
	child->generation = 0;
	child->count = 0;
	child->begin = uffd->sys->now_ns();
}

static void fill(struct child *child);

/* The grandchild has what the child had at that time. */
static void on_forked(const struct child *child, int descriptor)
{
	struct child next;

	begin(&next, child->uffd, descriptor);
	next.generation = child->generation + 1;
	for (; next.count < child->count; next.count++)
		next.changes[next.count] = child->changes[next.count];
	if (next.generation > GENERATIONS)
		give_up(child);
	fill(&next);
}

static void on_message(struct child *child, const struct bm_uffd_message *message)
{
	switch (message->event) {
	case BM_UFFD_EVENT_FORK:
		on_forked(child, (int)message->arg.fork.fd);
		break;
	case BM_UFFD_EVENT_REMAP:
		add(child, message->arg.remap.from, message->arg.remap.to,
		    message->arg.remap.length);
		break;
	case BM_UFFD_EVENT_REMOVE:
	case BM_UFFD_EVENT_UNMAP:
		add(child, message->arg.remove.start, 0,
		    message->arg.remove.end - message->arg.remove.start);
		break;
	default: /* it waits for a page that it will get */
		break;
	}
}

/* Lets the child go on with what it waits for, or will wait for in a moment. */
static void read_events(struct child *child, int64_t timeout_us)
{
	const struct bm_sys *sys = child->uffd->sys;
	struct bm_uffd_message messages[MESSAGES];
	ssize_t got;

	if (sys->now_ns() - child->begin > PATIENCE_NS)
		give_up(child);
	/* Not only by yielding the CPU: a reader of real-time priority would keep it. */
	sys->poll(child->descriptor, timeout_us);
	got = sys->read_raw(child->descriptor, messages, sizeof(messages));
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(messages[0]); i++)
		on_message(child, &messages[i]);
}

/* As many bytes as were given; -EAGAIN, or why this page is not to be given. */
static long give(const struct child *child, uint64_t to, uint64_t from, uint64_t length)
{
	const struct bm_uffd *uffd = child->uffd;
	struct bm_uffd_transfer copy = {to, from, length, 0, 0};
	struct bm_uffd_fill poison = {{to, uffd->page_size}, 0, 0};
	int rc = uffd->sys->ioctl(child->descriptor, BM_UFFDIO_COPY, &copy);

	if (copy.done > 0)
		return (long)copy.done;
	if (rc == -ENOMEM && uffd->sys->now_ns() - child->begin < SHORTAGE_NS)
		return -EAGAIN;
	/* A page that cannot be read must not be zeros there. */
	if (rc == -EFAULT || rc == -ENOMEM)
		rc = uffd->sys->ioctl(child->descriptor, BM_UFFDIO_POISON, &poison);
	return rc == 0 ? (long)uffd->page_size : rc;
}

/*
 * 0, or -ESRCH: there is no such child any more. COPY says ENOENT also of
 * pages that lie in two mappings, as after mprotect(2) of a part, and, from
 * Linux 6.9 on, while they are being remapped: it is believed of a single
 * page, and when it comes again.
 */
static int fill_range(struct child *child, uint64_t at, uint64_t from, uint64_t length)
{
	uint64_t page_size = child->uffd->page_size;
	int missing = 0;

	while (length > 0) {
		uint64_t to = place_of(child, at);
		long done = -EEXIST;

		if (to)
			done = give(child, to, from, child->count || missing ? page_size : length);
		if (done == -EAGAIN || (done == -ENOENT && missing < 2)) {
			missing = done == -ENOENT ? missing + 1 : 0;
			read_events(child, missing ? 0 : EVENT_US);
			continue;
		}
		if (done == -ESRCH) /* it has ended, or runs another program */
			return -ESRCH;
		if (done == -ENOENT || done == -EEXIST) /* unmapped, removed or newer */
			done = (long)page_size;
		if (done <= 0)
			give_up(child);
		at += (uint64_t)done;
		from += (uint64_t)done;
		length -= (uint64_t)done;
		missing = 0;
	}
	return 0;
}

/* The pages of a region of the graveyard that are away, in runs. */
static int fill_region(struct child *child, const struct bm_window *window,
		       const struct bm_segment *segment, const struct bm_page_region *region)
{
	uint64_t page_size = child->uffd->page_size;
	uint32_t first = (uint32_t)((region->start - window->grave) / page_size);
	uint32_t end = (uint32_t)((region->end - window->grave) / page_size);
	int rc = 0;

	while (rc == 0 && (first = bm_bits_next(window->away, first, end, 1)) < end) {
		uint32_t last = bm_bits_next(window->away, first, end, 0);

		rc = fill_range(child, segment->at + (first - segment->first) * page_size,
				window->grave + first * page_size, (last - first) * page_size);
		first = last;
	}
	return rc;
}

static int fill_segment(struct child *child, const struct bm_window *window,
			const struct bm_segment *segment)
{
	const struct bm_uffd *uffd = child->uffd;
	uint64_t start = window->grave + segment->first * uffd->page_size;
	struct bm_page_scan scan = {start, start + segment->count * uffd->page_size,
				    BM_SCAN_PRESENT | BM_SCAN_SWAPPED, 0};
	struct bm_page_region region;
	int rc = 0;

	while (rc == 0 && scan.start < scan.end) {
		long got = bm_pagemap_scan(uffd->sys, uffd->reader_pagemap, &scan, &region, 1);

		if (got == 0)
			break;
		/* Not to be told: rather pages of zeros than none. */
		if (got < 0)
			region = (struct bm_page_region){scan.start, scan.end, 0};
		rc = fill_region(child, window, segment, &region);
		if (got < 0)
			break;
	}
	return rc;
}

static void fill(struct child *child)
{
	struct bm_uffd *uffd = child->uffd;
	int rc = 0;

	for (size_t i = 0; i < BM_WINDOWS_MAX && rc == 0; i++) {
		const struct bm_window *window = &uffd->windows[i];

		if (!atomic_load_explicit(&window->open, memory_order_acquire))
			continue;
		for (uint32_t k = 0; k < window->segments.count && rc == 0; k++) {
			if (window->segments.list[k].state == BM_SEGMENT_LIVE)
				rc = fill_segment(child, window, &window->segments.list[k]);
		}
	}
	/* Its registrations end with it, and what it waits for. */
	uffd->sys->close_raw(child->descriptor);
}

void bm_forked(struct bm_uffd *uffd, int descriptor)
{
	struct child child;

	begin(&child, uffd, descriptor);
	fill(&child);
}
