/* SPDX-License-Identifier: MIT */
/* swap_pass.h - the pass of the mover swap over a slice, before those of the kernel. */
#ifndef BM_SWAP_PASS_H
#define BM_SWAP_PASS_H

#include "job.h"

/* Before the first slice, and after the last one. */
void bm_swap_pass_open(struct bm_job *job);
void bm_swap_pass_close(struct bm_job *job);

/* Swaps what is to do; what it leaves stays to do, with the reason in unit->left. */
void bm_swap_pass(struct bm_job *job);

/*
 * Sets size and number of the chunks of a slice; returns how many threads
 * would share it. @todo: units in job->order.
 */
unsigned int bm_swap_pass_plan(struct bm_job *job, size_t todo);

#endif
