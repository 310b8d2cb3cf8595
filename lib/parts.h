/* SPDX-License-Identifier: MIT */
/*
 * parts.h - a huge page that was split on its way: by the kernel, which found
 * no huge page on the target, by the mover swap, or by the application.
 */
#ifndef BM_PARTS_H
#define BM_PARTS_H

#include "job.h"

/* Its first page has moved, or is gone, and others may have stayed: the kernel moves those. */
void bm_parts_move(struct bm_job *job, const struct bm_unit *unit);

#endif
