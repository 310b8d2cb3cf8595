/* SPDX-License-Identifier: MIT */
/*
 * pace.h - when the next chunk, or the next call of the kernel, may begin:
 * not after the batch was cancelled, not while a batch of higher priority is
 * worked on, not before the allowance has bytes for it.
 *
 * All threads of a batch ask it, never while pages are out of reach.
 */
#ifndef BM_PACE_H
#define BM_PACE_H

#include "allowance.h"
#include "sys.h"

struct bm_pace {
	const struct bm_sys *sys;
	bm_futex changes; /* of the next two */
	atomic_int canceled;
	atomic_int held;
	struct bm_allowance own;     /* of the batch */
	struct bm_allowance *shared; /* of the context; NULL: none */
	/* How far it is. */
	atomic_uint_fast64_t bytes_moved, settled;
};

/* Waits until so many bytes may move: 0, or -ECANCELED. */
int bm_pace_begin(struct bm_pace *pace, uint64_t bytes);
/* So many of them have moved; the others are given back. */
void bm_pace_end(struct bm_pace *pace, uint64_t bytes, uint64_t moved);

/* The most bytes to ask for at once. */
uint64_t bm_pace_portion(const struct bm_pace *pace);

static inline int bm_pace_canceled(const struct bm_pace *pace)
{
	return atomic_load_explicit(&pace->canceled, memory_order_relaxed);
}

void bm_pace_cancel(struct bm_pace *pace);
void bm_pace_hold(struct bm_pace *pace, int held);

/* Lets time pass, unless the batch is cancelled. */
void bm_pace_sleep(struct bm_pace *pace, uint64_t us);

#endif
