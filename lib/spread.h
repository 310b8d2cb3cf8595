/* SPDX-License-Identifier: MIT */
/* spread.h - where the threads of a slice run: option spread. */
#ifndef BM_SPREAD_H
#define BM_SPREAD_H

#include "job.h"

/*
 * Sets job->placement by where units that are to move are, and where they go.
 * A call of the kernel asks about some of them, only where there are several
 * threads and caches.
 */
void bm_spread(struct bm_job *job);

#endif
