/* SPDX-License-Identifier: MIT */
/* touches.c - zero pages for first touches, and what mremap(2) itself waits for. */
#include "touches.h"

#include <errno.h>

#include "uffd_abi.h"
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

/*
 * mremap(2) of a locked mapping fills what has grown before it tells of the
 * remapping, and until then neither zero pages nor those of a window can be
 * brought anywhere: it would wait for us, and we for it. So what has grown,
 * which begins with the page that is waited for, is not ours any more. The
 * mapping is in two parts until the windows on it have closed.
 */
static void let_grow(struct bm_uffd *uffd, const struct bm_touch *touch)
{
	struct bm_remap_call call;
	struct bm_uffd_range grown = {touch->page, 0};
	uint64_t low, high;

	if (uffd->sys->remap_call((pid_t)touch->thread, &call) != 1 ||
	    pages_up(uffd, call.new_length) <= pages_up(uffd, call.old_length))
		return;
	grown.length = pages_up(uffd, call.new_length) - pages_up(uffd, call.old_length);
	/* Before Linux 6.11 this cannot be told. */
	if (bm_vma_bounds(uffd->sys, uffd->maps, touch->page, &low, &high) == 0 &&
	    grown.length > high - touch->page)
		grown.length = high - touch->page;
	uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_UNREGISTER, &grown);
}

/*
 * -EAGAIN also where a window's page is touched whose remapping we have not
 * heard of yet: the event comes first.
 */
static int serve(struct bm_uffd *uffd, struct bm_touch *touch)
{
	struct bm_uffd_fill zero = {{touch->page, uffd->page_size}, 0, 0};
	int rc;

	if (is_known(uffd, touch->page))
		return 0;
	rc = uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_ZEROPAGE, &zero);
	if (rc == -EAGAIN && ++touch->tries % ASK_AFTER == 0)
		let_grow(uffd, touch);
	else if (rc < 0 && rc != -EAGAIN) /* it is there by now, or is not registered any more */
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
	struct bm_uffd_range page = {address & ~(uffd->page_size - 1), uffd->page_size};

	if (is_known(uffd, address))
		return;
	if (touches->count < sizeof(touches->list) / sizeof(touches->list[0]))
		touches->list[touches->count++] = (struct bm_touch){page.start, thread, 0};
	else /* it will ask again */
		uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_WAKE, &page);
}
