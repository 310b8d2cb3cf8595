/* SPDX-License-Identifier: MIT */
/* kernel_batch.h - what the kernel movers are given: batches of several shapes. */
#ifndef BENCH_KERNEL_BATCH_H
#define BENCH_KERNEL_BATCH_H

#include <stddef.h>

#include "setup.h"

enum layout { BASE_PAGES, HUGE_PAGES, INTERLEAVED, HOLES, SPARSE, LOCAL_HALF };

struct scenario {
	const char *name;
	enum layout layout;
	size_t pages;   /* entries */
	int every_page; /* HUGE_PAGES: 512 entries for each instead of one */
};

struct batch {
	char *memory;
	size_t length;
	size_t count;
	void **pages;
	int *nodes;
	int *status;
};

/* The plain system call, with MPOL_MF_MOVE; @nodes NULL: it asks where they are. */
long plain_move_pages(const struct batch *batch, const int *nodes);

/* Fresh memory, with its pages where they are before they move. */
void batch_build(struct batch *batch, const struct setup *setup, const struct scenario *scenario);
/* Ends the program when a page is not on its node, or not what it was; @way: who moved it. */
void batch_check(const struct batch *batch, const struct scenario *scenario, const char *way);
void batch_free(struct batch *batch);

#endif
