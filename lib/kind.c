/* SPDX-License-Identifier: MIT */
/* kind.c - puts together what pagemap, PAGEMAP_SCAN and the mappings tell. */
#include "kind.h"

#include <errno.h>

#include "batchmig.h"
#include "pagemap.h"

int bm_kinds_open(struct bm_kinds *kinds, const struct bm_context *context, pid_t pid)
{
	*kinds = (struct bm_kinds){
		.sys = context->sys, .pid = pid, .page_size = context->page_size, .maps = -ENOENT};
	kinds->pagemap = bm_pagemap_open(context->sys, pid);
	return kinds->pagemap < 0 ? kinds->pagemap : 0;
}

void bm_kinds_close(struct bm_kinds *kinds)
{
	kinds->sys->close(kinds->pagemap);
	if (kinds->maps >= 0)
		kinds->sys->close(kinds->maps);
	bm_vmas_free(&kinds->vmas);
}

int bm_kinds_unmapped(struct bm_kinds *kinds, uint64_t addr)
{
	const struct bm_vma *vma;

	if (!kinds->vmas.list && !kinds->no_maps)
		kinds->no_maps = bm_vmas_read(kinds->sys, kinds->pid, &kinds->vmas) < 0;
	if (kinds->no_maps)
		return 0;
	vma = bm_vmas_from(&kinds->vmas, addr);
	return !vma || vma->start > addr;
}

static unsigned int bits_of(uint64_t entry)
{
	unsigned int bits = 0;

	if (entry & BM_PAGEMAP_SWAPPED)
		return BM_PAGE_SWAPPED;
	if (!(entry & BM_PAGEMAP_PRESENT))
		return 0;
	bits = BM_PAGE_PRESENT;
	if (entry & BM_PAGEMAP_FILE)
		bits |= BM_PAGE_FILE;
	if (!(entry & BM_PAGEMAP_EXCLUSIVE))
		bits |= BM_PAGE_SHARED;
	return bits;
}

/* Huge pages come in long runs of one mapping: asked once for adjacent ones. */
static int is_hugetlb(struct bm_kinds *kinds, const struct bm_page_region *region)
{
	if (region->start != kinds->hugetlb_end || kinds->hugetlb_end == 0) {
		if (kinds->maps == -ENOENT)
			kinds->maps = bm_vma_open(kinds->sys, kinds->pid);
		kinds->hugetlb =
			bm_vma_is_hugetlb(kinds->sys, kinds->pid, kinds->maps, region->start);
	}
	kinds->hugetlb_end = region->end;
	return kinds->hugetlb;
}

static void mark(struct bm_kinds *kinds, const struct bm_page_region *region, uint64_t addr,
		 unsigned int *bits)
{
	unsigned int more = 0;

	if (region->categories & BM_SCAN_ZERO)
		more |= BM_PAGE_ZERO;
	if (region->categories & BM_SCAN_HUGE)
		more |= BM_PAGE_HUGE | (is_hugetlb(kinds, region) ? BM_PAGE_HUGETLB : 0);
	for (uint64_t at = region->start; at < region->end; at += kinds->page_size) {
		unsigned int *page = &bits[(at - addr) / kinds->page_size];

		*page |= *page & BM_PAGE_PRESENT ? more : 0;
		/* The zero page belongs to nobody. */
		if (more & BM_PAGE_ZERO)
			*page &= ~(BM_PAGE_SHARED | BM_PAGE_FILE);
	}
}

static void scan_run(struct bm_kinds *kinds, uint64_t addr, size_t count, unsigned int *bits)
{
	struct bm_page_scan scan = {addr, addr + count * kinds->page_size,
				    BM_SCAN_ZERO | BM_SCAN_HUGE, 0};
	struct bm_page_region regions[64];

	while (scan.start < scan.end && !kinds->no_scan) {
		long got = bm_pagemap_scan(kinds->sys, kinds->pagemap, &scan, regions, 64);

		kinds->no_scan = got == -ENOTTY;
		if (got < 0)
			break;
		for (long i = 0; i < got; i++)
			mark(kinds, &regions[i], addr, bits);
	}
}

int bm_kinds_run(struct bm_kinds *kinds, uint64_t addr, size_t count, unsigned int *bits)
{
	uint64_t entries[BM_KIND_RUN];
	long got =
		bm_pagemap_read(kinds->sys, kinds->pagemap, addr, kinds->page_size, entries, count);

	if (got < 0)
		return (int)got;
	for (size_t i = 0; i < count; i++)
		bits[i] = i < (size_t)got ? bits_of(entries[i]) : 0;
	if (got > 0)
		scan_run(kinds, addr, count, bits);
	return 0;
}
