/* SPDX-License-Identifier: MIT */
/* locate.h - asks the kernel where pages are: move_pages(2) without targets. */
#ifndef BM_LOCATE_H
#define BM_LOCATE_H

#include "job.h"

/*
 * Asks about the first `count` pages of a scratch; the answers are in its
 * status. 0 or -errno, which is also kept in job->refused.
 */
long bm_locate_pages(struct bm_job *job, struct bm_scratch *scratch, size_t count);

/*
 * Asks where units are: those listed (indices into units), or with NULL all
 * from first on. Writes unit->status: node or -errno.
 */
void bm_locate_units(struct bm_job *job, struct bm_scratch *scratch, const uint32_t *list,
		     size_t first, size_t count);

#endif
