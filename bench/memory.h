/* SPDX-License-Identifier: MIT */
/* memory.h - memory with frames in order, scattered or huge, and what is in it. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>

#include "setup.h"

enum frames { FRAMES_IN_ORDER, FRAMES_SCATTERED, FRAMES_HUGE };

struct region {
	char *map; /* with a guard before and behind */
	size_t map_length;
	char *start;
	size_t length;
	size_t page_size;
};

/* "4K", "2M"; and how rows call pages with such frames: "4K", "scattered" or "thp". */
#define SIZE_TEXT 24
void size_text(char text[SIZE_TEXT], size_t bytes);
const char *pages_text(const struct setup *setup, enum frames frames);

/* @bytes of resident memory of @node; ends the program when there is none. */
void region_new(struct region *region, const struct setup *setup, enum frames frames, size_t bytes,
		int node);
void region_free(struct region *region);

/* A value of its own in every word; and how many words of every @stride bytes are wrong. */
void region_fill(const struct region *region);
size_t region_wrong(const struct region *region, size_t stride, size_t bytes);
/* Ends the program when a byte of it is not what region_fill() wrote. */
void region_check(const struct region *region, const char *what);

/* Shares in 0..1; -1 when the kernel does not tell. */
double region_adjacent(const struct region *region);
double region_huge_share(const struct region *region);
/* Does the kernel tell this process the numbers of frames? */
int region_frames_seen(void);
/* Of the page in which @at is, by an open /proc/self/pagemap; 0: not there right now, or not told. */
unsigned long frame_of(int pagemap, const void *at, size_t page_size);

#endif
