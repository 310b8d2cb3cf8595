/* SPDX-License-Identifier: MIT */
/*
 * chase.c - dependent loads, of one cache line in each page, pages in random order.
 *
 * The lines of so many pages fit into the second cache, the pages do not fit into the
 * TLB, and those around them are not used: what it costs that a page is not huge
 * shows. What is read decides nothing, since memory has to keep what is in it; the
 * CPU does not know that.
 */
#include "chase.h"

#include <stdint.h>
#include <stdlib.h>

#include "random.h"
#include "spread.h"
#include "team.h"

#define LINE   64
#define MOST   8192
#define PASSES 25

/* Not the same line of all pages: these would be in a few sets of the caches. */
static size_t line_of(size_t page, size_t lines)
{
	return page * lines + (uint32_t)(page * 0x9e3779b1u) / (UINT32_MAX / lines + 1);
}

void chase_new(struct chase *chase, const struct setup *setup, size_t length)
{
	size_t pages = length / setup->page_size;
	uint64_t state = 1;

	chase->count = pages < MOST ? pages : MOST;
	chase->lines = calloc(pages, sizeof(*chase->lines));
	if (!chase->lines)
		die("memory for the order");
	for (size_t i = 0; i < pages; i++) {
		size_t other = random_below(&state, i + 1);

		chase->lines[i] = chase->lines[other];
		chase->lines[other] = line_of(i, setup->page_size / LINE);
	}
}

void chase_free(struct chase *chase)
{
	free(chase->lines);
}

struct run {
	const struct chase *chase;
	const char *start;
	double ns[PASSES + 1];
	volatile uint64_t last;
};

static volatile uint64_t nothing;

static void work(void *arg, int index, int count)
{
	struct run *run = arg;
	const struct chase *chase = run->chase;
	uint64_t value = 0, none = nothing;

	(void)index;
	(void)count;
	for (int pass = 0; pass <= PASSES; pass++) {
		run->ns[pass] = now_ns();
		for (size_t i = 0; i < chase->count; i++) {
			const char *line = run->start + chase->lines[i] * LINE;

			value = *(const uint64_t *)(const void *)(line + (value & none));
		}
		run->ns[pass] = now_ns() - run->ns[pass];
	}
	run->last = value;
}

/* In the first pass the caches become what they are; in some others something else runs, too. */
double chase_ns(const struct chase *chase, const struct region *region)
{
	struct run run = {.chase = chase, .start = region->start};

	in_threads(work, &run, 1);
	return spread_of(run.ns + 1, PASSES).quarter / (double)chase->count;
}
