/* SPDX-License-Identifier: MIT */
/* segments.c - splitting segments where the application's calls begin and end. */
#include "segments.h"

void bm_segments_init(struct bm_segments *segments, uint64_t start, uint32_t pages)
{
	segments->list[0] = (struct bm_segment){start, 0, pages, BM_SEGMENT_LIVE};
	segments->count = 1;
	segments->changes = 0;
}

static uint64_t end_of(const struct bm_segments *segments, const struct bm_segment *segment)
{
	return segment->at + segment->count * segments->page_size;
}

/* Makes two of segment number i, the first one of `pages` pages. */
static void split(struct bm_segments *segments, uint32_t i, uint32_t pages)
{
	struct bm_segment *list = segments->list;

	for (uint32_t k = segments->count++; k > i; k--)
		list[k] = list[k - 1];
	list[i].count = pages;
	list[i + 1].first += pages;
	list[i + 1].count -= pages;
	list[i + 1].at += pages * segments->page_size;
}

/*
 * Splits segment number i so that it is wholly inside or outside of
 * [start, end); returns 1 when it is inside.
 */
static int cut(struct bm_segments *segments, uint32_t i, uint64_t start, uint64_t end)
{
	struct bm_segment *segment = &segments->list[i];
	uint64_t page_size = segments->page_size;

	if (segment->state == BM_SEGMENT_GONE || segment->at >= end ||
	    end_of(segments, segment) <= start)
		return 0;
	if (segment->at < start) {
		split(segments, i, (uint32_t)((start - segment->at) / page_size));
		return 0;
	}
	if (end_of(segments, segment) > end)
		split(segments, i, (uint32_t)((end - segment->at) / page_size));
	return 1;
}

int bm_segments_mark(struct bm_segments *segments, uint64_t start, uint64_t end,
		     enum bm_segment_state state)
{
	int any = 0;

	for (uint32_t i = 0; i < segments->count; i++) {
		if (!cut(segments, i, start, end))
			continue;
		segments->list[i].state = state;
		any = 1;
	}
	segments->changes += (uint32_t)any;
	return any;
}

int bm_segments_remap(struct bm_segments *segments, uint64_t from, uint64_t to, uint64_t length)
{
	uint32_t count = segments->count;
	int any = 0;

	/* What is behind the place it was split at has not been moved yet: count grows with it. */
	for (uint32_t i = 0; i < count; i++) {
		if (!cut(segments, i, from, from + length)) {
			count = segments->count;
			continue;
		}
		count = segments->count;
		segments->list[i].at += to - from;
		any = 1;
	}
	segments->changes += (uint32_t)any;
	return any;
}
