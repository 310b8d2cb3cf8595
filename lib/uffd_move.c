/* SPDX-License-Identifier: MIT */
/* uffd_move.c - asks again where the kernel's answer is not to be believed. */
#include "uffd_move.h"

#include <errno.h>

#include "uffd_abi.h"

#define BLOCK 512u /* pages that are asked for at once; bytes of the stack */

/*
 * Linux 6.18 (move_pages() in mm/userfaultfd.c) tries again when a page
 * changes under it, but does not forget that it had to: what it then moves it
 * does not count, tries once more, and finds the place taken, by that page.
 * Where nothing can be said they count as moved: their places are taken in
 * any case, and whoever believes them to be away loses nothing.
 */
static uint32_t gone_of_block(const struct bm_uffd *uffd, uint64_t from, uint32_t count)
{
	unsigned char pages[BLOCK];
	uint32_t gone = 0;

	if (uffd->sys->residency(from, count * uffd->page_size, pages) < 0)
		return count;
	while (gone < count && !(pages[gone] & 1))
		gone++;
	return gone;
}

uint32_t bm_uffd_gone(const struct bm_uffd *uffd, uint64_t from, uint32_t count)
{
	uint32_t gone = 0, asked = 0;

	/* All of the last block were: a huge page may have more than one. */
	while (gone == asked && gone < count) {
		uint32_t left = count - gone, block = left < BLOCK ? left : BLOCK;

		gone += gone_of_block(uffd, from + gone * uffd->page_size, block);
		asked += block;
	}
	return gone;
}

long bm_uffd_move(const struct bm_uffd *uffd, uint64_t to, uint64_t from, uint64_t length,
		  uint64_t mode)
{
	struct bm_uffd_transfer move = {to, from, length, mode, 0};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_MOVE, &move);

	/* A short one is -EAGAIN as well. */
	if (move.done > 0)
		return (long)move.done;
	if (rc == -EEXIST && bm_uffd_gone(uffd, from, 1))
		return (long)uffd->page_size;
	return rc < 0 ? rc : move.done < 0 ? move.done : -EIO;
}

int bm_uffd_is_registered(const struct bm_uffd *uffd, uint64_t addr)
{
	/*
	 * Private memory has nothing to continue with, but that comes second: -EINVAL
	 * where it is registered, -ENOENT where not.
	 */
	struct bm_uffd_fill page = {{addr, uffd->page_size}, BM_UFFD_DONTWAKE, 0};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_CONTINUE, &page);

	return rc == -EAGAIN ? rc : rc == -EINVAL;
}
