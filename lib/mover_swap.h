/* SPDX-License-Identifier: MIT */
/*
 * mover_swap.h - pages copied in user space and put in place of the old ones.
 *
 * Comes before the movers that let the kernel copy. What it does not take
 * stays to do, without an error, and with the reason in unit->left.
 */
#ifndef BM_MOVER_SWAP_H
#define BM_MOVER_SWAP_H

#include "job.h"

/* Swaps the units of a call that bm_plan_chunks() has cut; @seat may be NULL: there is none. */
void bm_mover_swap(struct bm_job *job, struct bm_seat *seat, const struct bm_call *call);

/* The reason that goes with an error of bm_swap_new() or bm_chunk_swap(). */
enum bm_reason bm_why_not_swap(int error);

#endif
