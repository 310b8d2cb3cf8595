/* SPDX-License-Identifier: MIT */
/* uffd_move.h - UFFDIO_MOVE, and what it really did; what is registered. */
#ifndef BM_UFFD_MOVE_H
#define BM_UFFD_MOVE_H

#include "uffd.h"

/*
 * Bytes moved, from the first on; or -errno of the first page. -EEXIST: its
 * place is taken, and it is where it was.
 */
long bm_uffd_move(const struct bm_uffd *uffd, uint64_t to, uint64_t from, uint64_t length,
		  uint64_t mode);

/*
 * After a MOVE that was short, or said -EEXIST: so many of these pages, from the
 * first on, are not where they were.
 */
uint32_t bm_uffd_gone(const struct bm_uffd *uffd, uint64_t from, uint32_t count);

/*
 * 1, 0; -EAGAIN: the application changes some registered mapping just now, and
 * the event of it has not been read.
 */
int bm_uffd_is_registered(const struct bm_uffd *uffd, uint64_t addr);

#endif
