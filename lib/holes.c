/* SPDX-License-Identifier: MIT */
/* holes.c - PAGEMAP_SCAN tells what is there, msync(2) whether the rest is mapped. */
#include "holes.h"

#include <errno.h>
#include <sys/mman.h>

#include "cost.h"
#include "pagemap.h"

struct holes {
	struct bm_unit *at, *end; /* not looked at yet */
	int status;               /* of those that are found */
};

/* Units below addr have nothing behind them. */
static void mark_below(struct holes *holes, uint64_t addr)
{
	for (; holes->at < holes->end && holes->at->addr < addr; holes->at++) {
		holes->at->state = BM_UNIT_ABSENT;
		holes->at->status = holes->status;
		holes->at->gone = holes->status == -ENOENT;
	}
}

static void pass_below(struct holes *holes, uint64_t addr)
{
	while (holes->at < holes->end && holes->at->addr < addr)
		holes->at++;
}

/*
 * What is mapped and has nothing behind it is -ENOENT, as the kernel would
 * say (it has since before it could scan); else it has to be asked. MS_ASYNC
 * does nothing but look whether all of a range is mapped, at the price of
 * its mappings, not of its pages.
 */
static int status_of_holes(const struct bm_job *job, uint64_t start, uint64_t end)
{
	if (job->pid == 0 && job->sys->msync(start, end - start, MS_ASYNC) == 0)
		return -ENOENT;
	return BM_NOT_ASKED;
}

/* Of close-lying units, all in one region. */
static void find_in_region(struct bm_job *job, struct bm_unit *first, struct bm_unit *end)
{
	struct bm_page_region regions[BM_WALK_REGIONS];
	struct bm_page_scan scan = {first->addr, end[-1].end, BM_SCAN_PRESENT | BM_SCAN_SWAPPED, 0};
	struct holes holes = {first, end, BM_NOT_ASKED};
	size_t units = (size_t)(end - first);

	if (!bm_cost_scan_pays(units, (scan.end - scan.start) / job->context->page_size))
		return;
	holes.status = status_of_holes(job, scan.start, scan.end);
	while (scan.start < scan.end) {
		long got = bm_pagemap_scan(job->sys, job->pagemap, &scan, regions, BM_WALK_REGIONS);

		if (got < 0)
			return;
		for (long i = 0; i < got; i++) {
			mark_below(&holes, regions[i].start);
			pass_below(&holes, regions[i].end);
		}
	}
	mark_below(&holes, scan.end);
}

void bm_holes_find(struct bm_job *job, size_t first, size_t last)
{
	size_t end;

	for (size_t i = first; i < last; i = end) {
		end = bm_plan_region_end(job->units, last, i, job->context->huge_size);
		find_in_region(job, &job->units[i], &job->units[end]);
	}
}
