/* SPDX-License-Identifier: MIT */
/* rounds.h - lets the kernel move what is to do, until it has moved or another try is in vain. */
#ifndef BM_ROUNDS_H
#define BM_ROUNDS_H

#include "job.h"

/* With retries and the pauses before them. */
void bm_rounds_move(struct bm_job *job);
/* One try, after which nothing is given up. */
void bm_rounds_move_once(struct bm_job *job);
/* What the kernel has missed is tried again. */
void bm_rounds_move_missed(struct bm_job *job);
/* What is still to do stays where it is. */
void bm_rounds_give_up(struct bm_job *job);

#endif
