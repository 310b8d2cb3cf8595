/* SPDX-License-Identifier: MIT */
/* pagemap.c - PAGEMAP_SCAN, and plain reads of pagemap. */
#include "pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* Declared here: the headers of Debian 12 are older than Linux 6.7. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

int bm_pagemap_open(const struct bm_sys *sys, pid_t pid)
{
	char path[64];

	int fd;

	if (pid == 0)
		return sys->open("/proc/self/pagemap", O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = sys->open(path, O_RDONLY);
	/* In the words of move_pages(2). */
	return fd == -ENOENT ? -ESRCH : fd == -EACCES ? -EPERM : fd;
}

long bm_pagemap_scan(const struct bm_sys *sys, int fd, struct bm_page_scan *scan,
		     struct bm_page_region *regions, size_t room)
{
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = scan->start,
		.end = scan->end,
		.vec = (uint64_t)(uintptr_t)regions,
		.vec_len = room,
		.max_pages = scan->pages,
		.category_anyof_mask = scan->any_of,
		.return_mask = BM_SCAN_FILE | BM_SCAN_PRESENT | BM_SCAN_SWAPPED | BM_SCAN_ZERO |
			       BM_SCAN_HUGE,
	};
	int rc = sys->ioctl(fd, SCAN_IOCTL, &arg);

	if (rc >= 0)
		scan->start = arg.walk_end;
	return rc;
}

int bm_pagemap_is_huge(const struct bm_sys *sys, int fd, uint64_t addr, uint64_t page_size)
{
	struct bm_page_scan scan = {addr, addr + page_size, BM_SCAN_HUGE, 1};
	struct bm_page_region region;

	return bm_pagemap_scan(sys, fd, &scan, &region, 1) == 1;
}

long bm_pagemap_read(const struct bm_sys *sys, int fd, uint64_t addr, uint64_t page_size,
		     uint64_t *entries, size_t count)
{
	off_t offset = (off_t)(addr / page_size * sizeof(*entries));
	ssize_t got = sys->pread(fd, entries, count * sizeof(*entries), offset);

	return got < 0 ? got : got / (long)sizeof(*entries);
}

static uint64_t categories_of(uint64_t entry)
{
	return entry & BM_PAGEMAP_FILE ? BM_SCAN_PRESENT | BM_SCAN_FILE : BM_SCAN_PRESENT;
}

static uint64_t wanted_of(const struct bm_page_walk *walk)
{
	return walk->swapped ? BM_PAGEMAP_PRESENT | BM_PAGEMAP_SWAPPED : BM_PAGEMAP_PRESENT;
}

/* Turns entries into runs; stops when there is no room and tells how far it came. */
static size_t runs_of(const struct bm_page_walk *walk, const uint64_t *entries, size_t count,
		      struct bm_page_region *regions, size_t *made)
{
	uint64_t addr = walk->at, page_size = walk->page_size, wanted = wanted_of(walk);

	for (size_t i = 0; i < count; i++, addr += page_size) {
		struct bm_page_region *last = *made ? &regions[*made - 1] : NULL;
		uint64_t categories = categories_of(entries[i]);

		if (!(entries[i] & wanted))
			continue;
		if (last && last->end == addr && last->categories == categories) {
			last->end += page_size;
			continue;
		}
		if (*made == BM_WALK_REGIONS)
			return i;
		regions[(*made)++] = (struct bm_page_region){addr, addr + page_size, categories};
	}
	return count;
}

static long walk_plain(struct bm_page_walk *walk, uint64_t pages, struct bm_page_region *regions)
{
	uint64_t entries[BM_WALK_REGIONS], left = (walk->end - walk->at) / walk->page_size;
	size_t made = 0, most = BM_WALK_REGIONS, done;
	long got;

	most = pages < most ? (size_t)pages : most;
	most = left < most ? (size_t)left : most;
	got = bm_pagemap_read(walk->sys, walk->fd, walk->at, walk->page_size, entries, most);
	if (got <= 0) {
		/* 0: beyond the highest address, or a process without memory. */
		walk->at = walk->end;
		return got;
	}
	done = runs_of(walk, entries, (size_t)got, regions, &made);
	walk->at += done * walk->page_size;
	return (long)made;
}

long bm_pagemap_walk(struct bm_page_walk *walk, uint64_t pages, struct bm_page_region *regions)
{
	long rc;

	if (!walk->plain) {
		uint64_t wanted = BM_SCAN_PRESENT | (walk->swapped ? BM_SCAN_SWAPPED : 0);
		struct bm_page_scan scan = {walk->at, walk->end, wanted, pages};

		rc = bm_pagemap_scan(walk->sys, walk->fd, &scan, regions, BM_WALK_REGIONS);
		walk->at = scan.start;
		if (rc != -ENOTTY)
			return rc;
		walk->plain = 1;
	}
	return walk_plain(walk, pages, regions);
}
