/* SPDX-License-Identifier: MIT */
/*
 * segments.h - where the pages of a window belong. Pure.
 *
 * While a chunk is out of reach the application may remove, unmap or remap
 * parts of it. A segment is a run of its pages that belong to one place.
 */
#ifndef BM_SEGMENTS_H
#define BM_SEGMENTS_H

#include <stdint.h>

enum bm_segment_state {
	BM_SEGMENT_LIVE,    /* the pages are to be put back at `at` */
	BM_SEGMENT_REMOVED, /* the application wants zeros there (MADV_DONTNEED and the like) */
	BM_SEGMENT_GONE,    /* unmapped */
};

struct bm_segment {
	uint64_t at;    /* address of its first page now */
	uint32_t first; /* page of the window */
	uint32_t count;
	uint32_t state;
};

/* Room for as many segments as the window has pages is always enough. */
struct bm_segments {
	struct bm_segment *list;
	uint32_t count;
	_Atomic uint32_t changes; /* how often something was changed */
	uint64_t page_size;
};

/* One segment: all pages at their place. */
void bm_segments_init(struct bm_segments *segments, uint64_t start, uint32_t pages);

/* What belongs to [start, end) is in this state from now on. Returns 1 when there was any. */
int bm_segments_mark(struct bm_segments *segments, uint64_t start, uint64_t end,
		     enum bm_segment_state state);

/* What belongs to [from, from + length) belongs to `to` from now on. 1 when there was any. */
int bm_segments_remap(struct bm_segments *segments, uint64_t from, uint64_t to, uint64_t length);

#endif
