/* SPDX-License-Identifier: MIT */
/* pagemap.h - what /proc/PID/pagemap tells of pages. */
#ifndef BM_PAGEMAP_H
#define BM_PAGEMAP_H

#include "sys.h"

/* Categories of PAGEMAP_SCAN (include/uapi/linux/fs.h, Linux 6.7). */
#define BM_SCAN_FILE    (1u << 2)
#define BM_SCAN_PRESENT (1u << 3)
#define BM_SCAN_SWAPPED (1u << 4)
#define BM_SCAN_ZERO    (1u << 5)
#define BM_SCAN_HUGE    (1u << 6)

/* Bits of an entry (Documentation/admin-guide/mm/pagemap.rst). */
#define BM_PAGEMAP_FRAME     ((UINT64_C(1) << 55) - 1) /* 0 without CAP_SYS_ADMIN */
#define BM_PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56)
#define BM_PAGEMAP_FILE      (UINT64_C(1) << 61)
#define BM_PAGEMAP_SWAPPED   (UINT64_C(1) << 62)
#define BM_PAGEMAP_PRESENT   (UINT64_C(1) << 63)

struct bm_page_region {
	uint64_t start, end, categories;
};

/* Opens the pagemap of a process, 0 for this one: a descriptor or -errno. */
int bm_pagemap_open(const struct bm_sys *sys, pid_t pid);

/* What is looked for, and where. */
struct bm_page_scan {
	uint64_t start; /* in and out: where to go on */
	uint64_t end;
	uint64_t any_of; /* BM_SCAN_ bits */
	uint64_t pages;  /* at most so many, 0: no limit */
};

/* Regions of such pages: how many were written, or -ENOTTY before Linux 6.7. */
long bm_pagemap_scan(const struct bm_sys *sys, int fd, struct bm_page_scan *scan,
		     struct bm_page_region *regions, size_t room);

/* 1 when the page at addr is mapped as a huge page, as far as the kernel tells (Linux >= 6.7). */
int bm_pagemap_is_huge(const struct bm_sys *sys, int fd, uint64_t addr, uint64_t page_size);

/* A walk over the present pages of a range. */
struct bm_page_walk {
	const struct bm_sys *sys;
	int fd;
	int swapped; /* pages that are swapped out, or in migration, too */
	int plain;   /* this kernel has no PAGEMAP_SCAN: its entries are read */
	uint64_t page_size;
	uint64_t at, end;
};

#define BM_WALK_REGIONS 512u

/*
 * The next runs of such pages, together at most `pages` (and at least one
 * page is looked at). Returns how many, up to BM_WALK_REGIONS, or -errno;
 * the walk is over when at == end.
 */
long bm_pagemap_walk(struct bm_page_walk *walk, uint64_t pages, struct bm_page_region *regions);

/* The entries of `count` pages from addr on: how many were read, or -errno. */
long bm_pagemap_read(const struct bm_sys *sys, int fd, uint64_t addr, uint64_t page_size,
		     uint64_t *entries, size_t count);

#endif
