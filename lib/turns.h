/* SPDX-License-Identifier: MIT */
/* turns.h - whose turn it is in a queue. With its lock; no system call but wakes. */
#ifndef BM_TURNS_H
#define BM_TURNS_H

#include "queue.h"

/* Batches of one priority that are worked on at once. */
#define BM_TURNS_AT_ONCE 4u

/* The task is queued after all others; those that it has to wait for are lifted. */
void bm_turns_enter(struct bm_queue *queue, struct bm_task *task);
/* It has ended: those that waited for it no longer do. */
void bm_turns_leave(struct bm_queue *queue, struct bm_task *task);

/* What may begin now, NULL: nothing. */
struct bm_task *bm_turns_next(const struct bm_queue *queue);

/* Holds what has a lower priority than something that runs, and lets the others go on. */
void bm_turns_hold(struct bm_queue *queue);

/* 1 when one of the first `last` tasks meets the footprint. */
int bm_turns_meets(const struct bm_queue *queue, const struct bm_footprint *footprint,
		   uint64_t last);

#endif
