/* SPDX-License-Identifier: MIT */
/* footprint.c - the extent of a batch, and a digest of its regions. */
#include "footprint.h"

#include <string.h>

#include "bits.h"

static void add(struct bm_footprint *footprint, uint64_t first, uint64_t last)
{
	footprint->low = first < footprint->low ? first : footprint->low;
	footprint->high = last > footprint->high ? last : footprint->high;
	if (last - first >= BM_FOOTPRINT_BITS) {
		memset(footprint->bits, 0xff, sizeof(footprint->bits));
		return;
	}
	for (uint64_t region = first; region <= last; region++)
		bm_bit_set(footprint->bits, (uint32_t)(region % BM_FOOTPRINT_BITS));
}

static void add_pages(struct bm_footprint *footprint, const struct bm_request *request,
		      unsigned int shift)
{
	uint64_t before = UINT64_MAX;

	for (size_t i = 0; i < request->count; i++) {
		uint64_t region = (uint64_t)(uintptr_t)request->pages[i] >> shift;

		/* Mostly that of the page before. */
		if (region != before)
			add(footprint, region, region);
		before = region;
	}
}

static void add_ranges(struct bm_footprint *footprint, const struct bm_request *request,
		       unsigned int shift)
{
	for (size_t i = 0; i < request->count; i++) {
		const char *at = (const char *)request->ranges + i * request->range_size;
		const struct bm_range *range = (const void *)at;
		uint64_t first = (uint64_t)(uintptr_t)range->addr, last = first + range->length - 1;

		/* One that wraps around is refused when it is its turn. */
		if (range->length && last >= first)
			add(footprint, first >> shift, last >> shift);
	}
}

void bm_footprint_take(struct bm_footprint *footprint, const struct bm_request *request,
		       uint64_t region)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(region);

	memset(footprint, 0, sizeof(*footprint));
	footprint->pid = request->pid;
	footprint->low = UINT64_MAX;
	if (request->ranges)
		add_ranges(footprint, request, shift);
	else
		add_pages(footprint, request, shift);
}

int bm_footprint_meet(const struct bm_footprint *a, const struct bm_footprint *b)
{
	if (a->pid != b->pid || a->low > b->high || b->low > a->high)
		return 0;
	for (size_t i = 0; i < BM_FOOTPRINT_BITS / 64; i++) {
		if (a->bits[i] & b->bits[i])
			return 1;
	}
	return 0;
}
