/* SPDX-License-Identifier: MIT */
/*
 * mover_mbind.h - mbind(2) for runs of adjacent units; contract: mover_kernel.h.
 *
 * The policy of each mapping is put back. What mbind is not right for (files,
 * shared memory, policies that cannot be put back) stays to do, for
 * move_pages(2), without an error.
 */
#ifndef BM_MOVER_MBIND_H
#define BM_MOVER_MBIND_H

#include "job.h"

void bm_mover_mbind(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call);

#endif
