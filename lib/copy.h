/* SPDX-License-Identifier: MIT */
/*
 * copy.h - drives channels of backends: submits, reaps, finishes what is left.
 *
 * May be called while pages are out of reach.
 */
#ifndef BM_COPY_H
#define BM_COPY_H

#include "pieces.h"

struct bm_copier {
	const struct bm_sys *sys;
	const struct bm_backend *backend;
	struct bm_channel *channel;
	/* The backend cpu, where it stands by to take what the other does not; NULL: nobody. */
	const struct bm_backend *cpu;
	struct bm_channel *cpu_channel;
	size_t least;        /* bytes: fewer in all are the cpu's, if it stands by */
	size_t run_bytes;    /* likewise, for each run of pages to pin but the first of each side */
	int shares;          /* so are the last ones while the others are under way */
	int node;            /* that the copies go to, -1: any */
	int silent;          /* it did not answer in time: it gets no more work */
	int has_failed;      /* it has refused work for good: likewise */
	int is_aside;        /* its pins would move the pages: they are not for it */
	int is_from_movable; /* some came from where a pin would copy them */
	int looks_after;     /* a pin may take pages away from the node */
	int is_astray;       /* one has */
	int pin_error;       /* of the last pin() or unpin() that failed */
	uint64_t page_size;
	uint64_t patience_ns; /* so long may nothing come back */
	uint64_t finished;    /* bytes that were copied in place of the backend */
	uint64_t offloaded;   /* bytes that the backend copied */
};

/* What became of a copy. */
enum bm_copy_end { BM_COPY_PENDING, BM_COPY_DONE, BM_COPY_LOST };

/*
 * Copies all of the list (at most BM_COPIES_MOST): ends[i] is DONE, or LOST
 * where the backend has not said that it has ended: it may still write there.
 * Returns how many are lost.
 */
size_t bm_copy_all(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		   unsigned char *ends);

#endif
