/* SPDX-License-Identifier: MIT */
/* stage.c - the memory and the entries that contests work on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contest.h"

#define LASTING (4ul << 20) /* bytes of a round of short calls */

static void *array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("memory for the entries");
	return memory;
}

void stage_open(struct stage *stage, const struct setup *setup, enum frames frames, size_t bytes)
{
	size_t count;

	memset(stage, 0, sizeof(*stage));
	stage->setup = setup;
	stage->frames = frames;
	stage->threads = 1;
	region_new(&stage->live, setup, frames, bytes, setup->near);
	region_new(&stage->other, setup, frames, bytes, setup->far);
	count = stage->live.length / setup->page_size;
	stage->pages = array(count, sizeof(*stage->pages));
	stage->nodes[0] = array(count, sizeof(*stage->nodes[0]));
	stage->nodes[1] = array(count, sizeof(*stage->nodes[1]));
	stage->status = array(count, sizeof(*stage->status));
	for (size_t i = 0; i < count; i++) {
		stage->nodes[0][i] = setup->near;
		stage->nodes[1][i] = setup->far;
	}
	stage_runs(stage, stage->live.length, 0, stage->live.length);
}

void stage_close(struct stage *stage)
{
	free(stage->status);
	free(stage->nodes[1]);
	free(stage->nodes[0]);
	free(stage->pages);
	region_free(&stage->other);
	region_free(&stage->live);
}

/* Of huge pages each has one entry. */
static size_t page_of(const struct stage *stage)
{
	return stage->frames == FRAMES_HUGE ? stage->setup->huge_size : stage->setup->page_size;
}

void stage_runs(struct stage *stage, size_t run_bytes, int gaps, size_t bytes)
{
	size_t at = 0;

	stage->unit = page_of(stage);
	stage->run = run_bytes / stage->unit;
	stage->count = 0;
	stage->repeats = 1;
	while (at + stage->unit <= stage->live.length && stage->count * stage->unit < bytes) {
		stage->pages[stage->count++] = stage->live.start + at;
		at += stage->unit;
		if (gaps && stage->count % stage->run == 0)
			at += run_bytes;
	}
}

void stage_calls(struct stage *stage, size_t count)
{
	size_t all = stage->live.length / page_of(stage);

	stage_runs(stage, stage->live.length, 0, stage->live.length);
	stage->count = count;
	stage->repeats = LASTING / (count * stage->unit);
	if (stage->repeats * count > all)
		stage->repeats = all / count;
	if (!stage->repeats)
		stage->repeats = 1;
}

/* An entry names one page; what is counted are the bytes of a huge one. */
int stage_is_whole(const struct stage *stage)
{
	double share = region_huge_share(&stage->live), other = region_huge_share(&stage->other);

	share = other < share ? other : share;
	if (stage->frames != FRAMES_HUGE || share < 0 || share >= 1)
		return 1;
	fprintf(stderr, "huge pages are left out: the kernel made %.0f %% of the memory huge\n",
		100 * share);
	return 0;
}

size_t stage_run_end(const struct stage *stage, size_t first, size_t end)
{
	const char *start = stage->pages[first];
	size_t next = first + 1;

	while (next < end && stage->pages[next] == start + (next - first) * stage->unit)
		next++;
	return next;
}

size_t stage_bytes(const struct stage *stage)
{
	return stage->count * stage->unit * stage->repeats * (stage->setup->two_nodes ? 2 : 1);
}

void stage_wipe_copies(const struct stage *stage)
{
	for (size_t i = 0; i < stage->count * stage->repeats; i++)
		memset(stage->other.start + ((char *)stage->pages[i] - stage->live.start), 0,
		       stage->unit);
}

size_t stage_copies_wrong(const struct stage *stage)
{
	size_t wrong = 0;

	for (size_t i = 0; i < stage->count * stage->repeats; i++) {
		const char *page = stage->pages[i];

		wrong += memcmp(page, stage->other.start + (page - stage->live.start),
				stage->unit) != 0;
	}
	return wrong;
}
