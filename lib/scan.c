/* SPDX-License-Identifier: MIT */
/* scan.c - bm_scan_next(): runs of present pages that are alike. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "kind.h"
#include "pagemap.h"
#include "structs.h"

#define PAGES 65536u /* looked at in one call */

struct found {
	void **pages;
	int *status;
	unsigned int *kinds;
	size_t count;
};

int bm_scan_init(struct bm_scan *scan, size_t size)
{
	struct bm_scan empty = {.size = size};

	if (!scan || !bm_struct_size_ok(size, sizeof(empty)))
		return -EINVAL;
	bm_struct_export(scan, size, &empty, sizeof(empty));
	return 0;
}

static int take_room(const struct bm_sys *sys, struct found *found)
{
	char *memory = sys->alloc(PAGES, sizeof(void *) + sizeof(int) + sizeof(unsigned int));

	if (!memory)
		return -ENOMEM;
	found->pages = (void **)(void *)memory;
	found->status = (int *)(void *)(found->pages + PAGES);
	found->kinds = (unsigned int *)(found->status + PAGES);
	return 0;
}

static int add_region(struct bm_kinds *kinds, struct found *found,
		      const struct bm_page_region *region)
{
	uint64_t size = kinds->page_size;

	for (uint64_t at = region->start; at < region->end;) {
		uint64_t pages = (region->end - at) / size;
		size_t some = pages < BM_KIND_RUN ? (size_t)pages : BM_KIND_RUN;
		int rc = bm_kinds_run(kinds, at, some, found->kinds + found->count);

		if (rc < 0)
			return rc;
		for (size_t i = 0; i < some; i++, at += size)
			found->pages[found->count++] = (void *)(uintptr_t)at;
	}
	return 0;
}

/*
 * Beyond the address space of a process a scan is refused as a whole: where
 * its last mapping ends. The vsyscall page lies in the kernel's half.
 */
static uint64_t last_mapped(struct bm_kinds *kinds)
{
	struct bm_vmas vmas;
	uint64_t last = 0;

	if (bm_vmas_read(kinds->sys, kinds->pid, &vmas) < 0)
		return 0;
	for (size_t i = 0; i < vmas.count; i++) {
		if (vmas.list[i].end <= INT64_MAX)
			last = vmas.list[i].end;
	}
	bm_vmas_free(&vmas);
	return last;
}

/* Finds present pages; *end becomes the first address not looked at. */
static long find(struct bm_kinds *kinds, uint64_t start, uint64_t *end, struct found *found)
{
	struct bm_page_region regions[BM_WALK_REGIONS];
	struct bm_page_walk walk = {.sys = kinds->sys,
				    .fd = kinds->pagemap,
				    .page_size = kinds->page_size,
				    .at = start,
				    .end = *end};

	while (walk.at < walk.end && found->count < PAGES) {
		long got = bm_pagemap_walk(&walk, PAGES - found->count, regions);

		for (long i = 0; i < got; i++) {
			int rc = add_region(kinds, found, &regions[i]);

			if (rc < 0)
				return rc;
		}
		if (got == -EFAULT && walk.end == *end)
			walk.end = last_mapped(kinds);
		else if (got < 0)
			return got == -EFAULT ? 0 : got;
	}
	/* Above the last mapping nothing is left to be looked at. */
	if (walk.at < walk.end)
		*end = walk.at;
	return 0;
}

/* Where a huge page is, its first page tells for all. */
static long ask(const struct bm_context *context, pid_t pid, const struct found *found)
{
	const struct bm_sys *sys = context->sys;
	uint64_t huge = context->huge_size;

	for (size_t i = 0; i < found->count;) {
		size_t some = 1, like = 0;
		long rc;

		if (found->kinds[i] & BM_PAGE_HUGE && huge) {
			while (i + some < found->count && found->kinds[i + some] & BM_PAGE_HUGE &&
			       (((uintptr_t)found->pages[i] ^ (uintptr_t)found->pages[i + some]) &
				~(huge - 1)) == 0)
				some++;
			like = 1;
		} else {
			while (i + some < found->count && some < 4096 &&
			       !(found->kinds[i + some] & BM_PAGE_HUGE))
				some++;
		}
		rc = sys->move_pages(pid, like ? 1 : some, found->pages + i, NULL,
				     found->status + i, 0);
		if (rc < 0)
			return rc;
		for (size_t k = 1; like && k < some; k++)
			found->status[i + k] = found->status[i];
		i += some;
	}
	return 0;
}

/* Gone since it was found, or a zero page; or one whose node this kernel does not tell. */
static int is_passed_over(const struct bm_context *context, int status)
{
	return status < 0 && !(context->misses_hinted && status == -ENOENT);
}

/* Writes extents; returns how many, *stop is where there was no more room. */
static long write_extents(const struct bm_context *context, const struct bm_scan *scan,
			  const struct found *found, uint64_t *stop)
{
	uint64_t page_size = context->page_size;
	char *base = (char *)scan->extents;
	struct bm_extent *last = NULL;
	size_t made = 0;

	for (size_t i = 0; i < found->count; i++) {
		uint64_t addr = (uint64_t)(uintptr_t)found->pages[i];

		if (is_passed_over(context, found->status[i]))
			continue;
		if (last && last->addr + last->length == addr && last->node == found->status[i] &&
		    last->kind == found->kinds[i]) {
			last->length += page_size;
			continue;
		}
		if (made == scan->max) {
			*stop = addr;
			break;
		}
		last = (struct bm_extent *)(void *)(base + made++ * scan->extent_size);
		memset(last, 0, scan->extent_size);
		*last = (struct bm_extent){addr, page_size, found->status[i], found->kinds[i]};
	}
	return (long)made;
}

static long scan_some(const struct bm_context *context, pid_t pid, struct bm_scan *scan)
{
	struct found found = {0};
	uint64_t end = (scan->end + context->page_size - 1) & ~(context->page_size - 1);
	struct bm_kinds kinds;
	long rc = bm_kinds_open(&kinds, context, pid);

	if (rc < 0)
		return rc;
	rc = take_room(context->sys, &found);
	if (rc == 0)
		rc = find(&kinds, scan->start, &end, &found);
	if (rc == 0)
		rc = ask(context, pid, &found);
	if (rc == 0) {
		rc = write_extents(context, scan, &found, &end);
		scan->start = end;
	}
	free(found.pages);
	bm_kinds_close(&kinds);
	return rc;
}

long bm_scan_next(struct bm_context *context, struct bm_scan *scan)
{
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!scan || !bm_struct_size_ok(scan->size, sizeof(*scan)) || scan->pid < 0 ||
	    !scan->extents || scan->max == 0 ||
	    !bm_struct_size_ok(scan->extent_size, sizeof(struct bm_extent)) ||
	    scan->start % context->page_size)
		return -EINVAL;
	if (scan->end > UINT64_MAX - context->page_size)
		return -EINVAL;
	if (scan->start >= scan->end)
		return 0;
	return scan_some(context, scan->pid == context->pid ? 0 : scan->pid, scan);
}
