/* SPDX-License-Identifier: MIT */
/* uffd_move.c - asks again where the kernel's answer is not to be believed. */
#include "uffd_move.h"

#include <errno.h>

#include "uffd_abi.h"

/*
 * Linux 6.18 (move_pages() in mm/userfaultfd.c) tries again when a page
 * changes under it, but does not forget that it had to: what it then moves it
 * does not count, tries once more, and finds the place taken, by that page.
 * Where nothing can be said the page counts as moved: its place is taken in
 * any case, and whoever believes it to be away loses nothing.
 */
int bm_uffd_has_gone(const struct bm_uffd *uffd, uint64_t from)
{
	return uffd->sys->is_resident(from) != 1;
}

long bm_uffd_move(const struct bm_uffd *uffd, uint64_t to, uint64_t from, uint64_t length,
		  uint64_t mode)
{
	struct bm_uffd_transfer move = {to, from, length, mode, 0};
	int rc = uffd->sys->ioctl(uffd->fd, BM_UFFDIO_MOVE, &move);

	/* A short one is -EAGAIN as well. */
	if (move.done > 0)
		return (long)move.done;
	if (rc == -EEXIST && bm_uffd_has_gone(uffd, from))
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
