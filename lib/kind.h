/* SPDX-License-Identifier: MIT */
/* kind.h - what pages are: the BM_PAGE_ bits of a run. */
#ifndef BM_KIND_H
#define BM_KIND_H

#include "context.h"
#include "vma.h"

/* What is open while pages of one process are looked at. */
struct bm_kinds {
	const struct bm_sys *sys;
	pid_t pid;
	int pagemap, maps; /* descriptors; maps may be -errno */
	uint64_t page_size;
	int no_scan;                         /* before Linux 6.7 */
	int no_maps;                         /* the mappings cannot be read */
	uint64_t hugetlb_start, hugetlb_end; /* the last huge run, and what it was */
	int hugetlb;
	struct bm_vmas vmas; /* read when first needed */
};

int bm_kinds_open(struct bm_kinds *kinds, const struct bm_context *context, pid_t pid);
void bm_kinds_close(struct bm_kinds *kinds);

/* Pages in one run at most. */
#define BM_KIND_RUN 512u

/* Writes the bits of `count` adjacent pages from addr on; 0 or -errno. */
int bm_kinds_run(struct bm_kinds *kinds, uint64_t addr, size_t count, unsigned int *bits);

/* 1 when there is no mapping at addr. */
int bm_kinds_unmapped(struct bm_kinds *kinds, uint64_t addr);

#endif
