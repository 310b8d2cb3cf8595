/* SPDX-License-Identifier: MIT */
/* ranks.h - what the launcher of a parallel job says of its processes on this machine. */
#ifndef BM_RANKS_H
#define BM_RANKS_H

#include "sys.h"

/* How many there are; @asked by the option local_ranks, 0: nobody has. At least 1. */
uint64_t bm_job_ranks(const struct bm_sys *sys, int64_t asked);
/* Which of them this one is, from 0. */
uint32_t bm_job_rank(const struct bm_sys *sys);

#endif
