/* SPDX-License-Identifier: MIT */
/* touches.c - zero pages for first touches, and what mremap(2) itself waits for. */
#include "touches.h"

#include <errno.h>
#include <linux/mman.h>

#include "uffd_abi.h"
#include "uffd_move.h"
#include "vma.h"

/* So often, some 100 us apart, before it is asked what the thread does. */
#define ASK_AFTER 16

/* Somebody waits; 0 when it is for none of our windows. */
static int is_known(struct bm_uffd *uffd, uint64_t address)
{
	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		struct bm_window *window = &uffd->windows[i];

		if (!atomic_load_explicit(&window->open, memory_order_acquire))
			continue;
		if (address >= window->start && address < window->end) {
			window->waited = 1;
			return 1;
		}
		for (uint32_t k = 0; k < window->segments.count; k++) {
			const struct bm_segment *segment = &window->segments.list[k];

			if (address - segment->at < segment->count * uffd->page_size)
				return 1;
		}
	}
	return 0;
}

static uint64_t pages_up(const struct bm_uffd *uffd, uint64_t length)
{
	return (length + uffd->page_size - 1) & ~(uffd->page_size - 1);
}

/* Pages of a window are to go there, as far as is known. */
static int is_wanted(const struct bm_uffd *uffd, const struct bm_uffd_range *range)
{
	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		const struct bm_window *window = &uffd->windows[i];

		if (!atomic_load_explicit(&window->open, memory_order_acquire))
			continue;
		for (uint32_t k = 0; k < window->segments.count; k++) {
			const struct bm_segment *segment = &window->segments.list[k];

			if (segment->state == BM_SEGMENT_LIVE &&
			    segment->at < range->start + range->length &&
			    range->start < segment->at + segment->count * uffd->page_size)
				return 1;
		}
	}
	return 0;
}

/*
 * 1, and what has grown from this page on, when the thread is in an mremap(2)
 * that has moved a mapping to where this page lies behind its old length. It need
 * not be the first one there: while that is being filled a window that ends may
 * have unregistered it, and registered it again.
 */
static int is_growing(const struct bm_uffd *uffd, const struct bm_touch *touch,
		      struct bm_uffd_range *grown)
{
	struct bm_remap_call call;
	uint64_t old, more, low, high, behind;

	if (uffd->sys->remap_call((pid_t)touch->thread, &call) != 1 ||
	    pages_up(uffd, call.new_length) <= pages_up(uffd, call.old_length))
		return 0;
	old = pages_up(uffd, call.old_length);
	more = pages_up(uffd, call.new_length) - old;
	*grown = (struct bm_uffd_range){touch->page, more};
	if (call.flags & MREMAP_FIXED) {
		behind = touch->page - (call.to + old);
		grown->length = more - behind;
		return behind < more;
	}
	/* In place nothing is remapped, and a zero page can be brought. */
	if (touch->page - call.from < old + more)
		return 0;
	/* Before Linux 6.11 the bounds cannot be told. */
	if (bm_vma_bounds(uffd->sys, uffd->maps, touch->page, &low, &high) >= 0) {
		if (touch->page - low < old)
			return 0;
		grown->length = high - touch->page < more ? high - touch->page : more;
	}
	return !is_wanted(uffd, grown);
}

/*
 * mremap(2) of a locked mapping fills what has grown before it tells of the
 * remapping, and until then neither zero pages nor those of a window can be
 * brought anywhere: it would wait for us, and we for it. So what has grown is
 * not ours any more. The mapping is in two parts until the windows on it have
 * closed.
 */
static void let_grow(const struct bm_uffd *uffd, const struct bm_touch *touch)
{
	struct bm_uffd_range grown;

	if (is_growing(uffd, touch, &grown))
		uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_UNREGISTER, &grown);
}

/*
 * -EAGAIN also where a window's page is touched whose remapping we have not
 * heard of yet: the event comes first. And what has grown may lie where a
 * window's pages were before.
 */
static int serve(struct bm_uffd *uffd, struct bm_touch *touch)
{
	struct bm_uffd_fill zero = {{touch->page, uffd->page_size}, 0, 0};
	int known = is_known(uffd, touch->page), rc;

	rc = known ? bm_uffd_is_registered(uffd, touch->page)
		   : uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_ZEROPAGE, &zero);
	if (rc == -EAGAIN && ++touch->tries % ASK_AFTER == 0)
		let_grow(uffd, touch);
	else if (!known && rc < 0 && rc != -EAGAIN) /* it is there by now, or not registered */
		uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_WAKE, &zero.range);
	return rc;
}

void bm_touches_serve(struct bm_uffd *uffd, struct bm_touches *touches)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < touches->count; i++) {
		if (serve(uffd, &touches->list[i]) == -EAGAIN)
			touches->list[kept++] = touches->list[i];
	}
	touches->count = kept;
}

void bm_touches_add(struct bm_uffd *uffd, struct bm_touches *touches, uint64_t address,
		    uint32_t thread)
{
	struct bm_touch touch = {address & ~(uffd->page_size - 1), thread, 0};
	struct bm_uffd_range dropped = {touch.page, uffd->page_size}, grown;

	if (touches->count < sizeof(touches->list) / sizeof(touches->list[0])) {
		touches->list[touches->count++] = touch;
		return;
	}
	/* Who is dropped will ask again; one that all others wait for must not be. */
	if (is_growing(uffd, &touch, &grown)) {
		dropped.start = touches->list[0].page;
		touches->list[0] = touch;
	}
	if (!is_known(uffd, dropped.start))
		uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_WAKE, &dropped);
}
