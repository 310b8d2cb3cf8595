/* SPDX-License-Identifier: MIT */
/*
 * threads.h - memory that the kernel touches on its own for each thread.
 *
 * On its way back to user mode it writes to the rseq area, at a thread's end
 * to the word that pthread_join(3) waits for, and for robust mutexes. Where
 * such a page is out of reach the thread that took it away would sleep for
 * itself, and an exiting one fails silently: these pages are never swapped.
 */
#ifndef BM_THREADS_H
#define BM_THREADS_H

#include "vma.h"

struct bm_span {
	uint64_t start, end;
};

/* Ascending; they may overlap. */
struct bm_spans {
	struct bm_span *list;
	size_t count;
};

/*
 * The spans of all threads there are now; with @stacks the mappings of their
 * stacks as a whole, where a user-mode-only userfaultfd lets signals fail.
 * To be given to bm_spans_free(). 0 or -ENOMEM.
 */
int bm_spans_read(const struct bm_sys *sys, uint64_t page_size, const struct bm_vmas *stacks,
		  struct bm_spans *spans);
void bm_spans_free(struct bm_spans *spans);

/* What belongs to a thread around an address in its block. */
struct bm_span bm_span_around(uint64_t block, uint64_t page_size);

#endif
