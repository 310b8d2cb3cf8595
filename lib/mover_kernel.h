/* SPDX-License-Identifier: MIT */
/*
 * mover_kernel.h - move_pages(2): one call for units of one node.
 *
 * Contract of a mover: it is given the units of a call that are to do, and
 * sets each to moved, or leaves it to do with error and reason. It may run in
 * several threads on different calls of a job.
 */
#ifndef BM_MOVER_KERNEL_H
#define BM_MOVER_KERNEL_H

#include "job.h"

void bm_mover_move_pages(struct bm_job *job, struct bm_scratch *scratch,
			 const struct bm_call *call);

#endif
