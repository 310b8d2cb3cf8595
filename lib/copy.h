/* SPDX-License-Identifier: MIT */
/*
 * copy.h - drives a channel of a backend: submits, reaps, finishes what it left.
 *
 * May be called while pages are out of reach.
 */
#ifndef BM_COPY_H
#define BM_COPY_H

#include "backend.h"

struct bm_copier {
	const struct bm_sys *sys;
	const struct bm_backend *backend;
	struct bm_channel *channel;
	int silent;           /* it did not answer in time: it gets no more work */
	uint64_t patience_ns; /* so long may nothing come back */
	uint64_t finished;    /* bytes that this file copied in its place */
};

/* What became of a copy. */
enum bm_copy_end { BM_COPY_PENDING, BM_COPY_DONE, BM_COPY_LOST };

#define BM_COPIES_MOST 256u

/*
 * Copies all of the list (at most BM_COPIES_MOST): ends[i] is DONE, or LOST
 * where the backend has not said that it has ended: it may still write there.
 * Tags are overwritten. Returns how many are lost.
 */
size_t bm_copy_all(struct bm_copier *copier, struct bm_copy *copies, size_t count,
		   unsigned char *ends);

#endif
