/* SPDX-License-Identifier: MIT */
/* replay.c - moves the units of a region again, in the caller's order. */
#include "replay.h"

#include <stdlib.h>

#include "locate.h"

static int is_mixed(const struct bm_unit *units, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end; i++) {
		if (units[i].node != units[first].node)
			return 1;
	}
	return 0;
}

static int was_dragged(const struct bm_unit *unit)
{
	return unit->status >= 0 && unit->status != unit->node && bm_node_possible(unit->node) &&
	       (unit->state == BM_UNIT_MOVED || unit->state == BM_UNIT_ALREADY);
}

/* Asks about a region: 1 when units of it are no longer where they had been brought. */
static int is_dragged(struct bm_job *job, size_t first, size_t end)
{
	int dragged = 0;

	bm_locate_units(job, &job->scratch[0], NULL, first, end - first);
	for (size_t i = first; i < end; i++)
		dragged |= was_dragged(&job->units[i]);
	return dragged;
}

/* Of the entries for one page the last has the highest index. */
static size_t index_of(const struct bm_job *job, const struct bm_unit *unit)
{
	return job->items[unit->first + unit->items - 1].index;
}

/* An insertion sort: a region has few hundred pages, and this is rare. */
static size_t order_by_index(struct bm_job *job, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++) {
		size_t at = count;

		if (job->units[i].status < 0 || !bm_node_possible(job->units[i].node))
			continue;
		for (; at > 0 && index_of(job, &job->units[job->order[at - 1]]) >
					 index_of(job, &job->units[i]);
		     at--)
			job->order[at] = job->order[at - 1];
		job->order[at] = (uint32_t)i;
		count++;
	}
	return count;
}

static void replay(struct bm_job *job, size_t first, size_t end)
{
	size_t count = order_by_index(job, first, end);

	/* One at a time: a page that cannot move must not keep those after it from moving. */
	for (size_t i = 0; i < count; i++) {
		struct bm_unit *unit = &job->units[job->order[i]];
		void *page = (void *)(uintptr_t)unit->addr;
		int status;

		unit->contested = 1;
		job->sys->move_pages(job->pid, 1, &page, &unit->node, &status, job->kernel_flags);
		atomic_fetch_add_explicit(&job->kernel_calls, 1, memory_order_relaxed);
	}
	job->mixed = 1;
}

void bm_replay_dragged(struct bm_job *job)
{
	uint64_t region = job->context->huge_size;
	size_t end;

	job->mixed = 0;
	if (job->one_target)
		return;
	for (size_t i = 0; region && i < job->unit_count; i = end) {
		end = bm_plan_region_end(job->units, job->unit_count, i, region);
		/*
		 * Also where no large folio is to be expected: of a huge page
		 * whose mapping was split nothing is seen.
		 */
		if (is_mixed(job->units, i, end) && is_dragged(job, i, end))
			replay(job, i, end);
		/* A part of a larger page of hugetlbfs: all are asked at the end. */
		else if (job->units[i].huge && is_dragged(job, i, end))
			job->mixed = 1;
	}
}
