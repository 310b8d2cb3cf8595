/* SPDX-License-Identifier: MIT */
/* replay.c - finds what was dragged along, and lets the last entry of each folio decide. */
#include "replay.h"

#include <errno.h>

#include "locate.h"

static int is_mixed(const struct bm_unit *units, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end; i++) {
		if (units[i].node != units[first].node)
			return 1;
	}
	return 0;
}

static int is_elsewhere(const struct bm_unit *unit)
{
	return unit->status >= 0 && unit->status != unit->node && bm_node_possible(unit->node);
}

/* Asks about a region: 1 when units of it are no longer where they had been brought. */
static int is_dragged(struct bm_job *job, size_t first, size_t end)
{
	int dragged = 0;

	bm_locate_units(job, &job->scratch[0], NULL, first, end - first);
	for (size_t i = first; i < end; i++) {
		const struct bm_unit *unit = &job->units[i];

		dragged |= is_elsewhere(unit) &&
			   (unit->state == BM_UNIT_MOVED || unit->state == BM_UNIT_ALREADY);
	}
	return dragged;
}

/* Of the entries for one page the last has the highest index. */
static size_t index_of(const struct bm_job *job, const struct bm_unit *unit)
{
	return job->items[unit->first + unit->items - 1].index;
}

/* The unit of the highest index that is elsewhere and was not dealt with yet; end: none. */
static size_t next_elsewhere(const struct bm_job *job, size_t first, size_t end)
{
	size_t found = end;

	for (size_t i = first; i < end; i++) {
		const struct bm_unit *unit = &job->units[i];

		if (is_elsewhere(unit) && !unit->contested && unit->state != BM_UNIT_TODO &&
		    (found == end || index_of(job, unit) > index_of(job, &job->units[found])))
			found = i;
	}
	return found;
}

/*
 * 1 when the unit, and with it all of its folio, is on its target now; 0 when
 * it stayed; -ENOMEM when the target had room for parts of it at most.
 */
static int move_one(struct bm_job *job, const struct bm_unit *unit)
{
	void *page = (void *)(uintptr_t)unit->addr;
	int status = -EBUSY;
	long rc = job->sys->move_pages(job->pid, 1, &page, &unit->node, &status, job->kernel_flags);

	atomic_fetch_add_explicit(&job->kernel_calls, 1, memory_order_relaxed);
	if (rc == -ENOMEM)
		return -ENOMEM;
	return rc == 0 && status == unit->node;
}

static void ask(struct bm_job *job, size_t first, size_t end)
{
	bm_locate_units(job, &job->scratch[0], NULL, first, end - first);
}

/*
 * Moves a unit and looks which ones of its region went along: all pages of a
 * folio are on one node, so that what was with the unit before and is with it
 * afterwards may belong to it. Marks them with 1 in job->order; 0: it stayed.
 */
static int find_folio(struct bm_job *job, size_t first, size_t end, size_t moved)
{
	struct bm_unit *units = job->units;
	int from = units[moved].status, done;

	for (size_t i = first; i < end; i++)
		job->order[i] = units[i].status == from && bm_node_possible(units[i].node) &&
				!units[i].contested;
	units[moved].contested = 1;
	done = move_one(job, &units[moved]);
	if (done == 0)
		return 0;
	ask(job, first, end);
	for (size_t i = first; i < end; i++)
		job->order[i] &= done > 0 && units[i].status == units[moved].node;
	return done > 0;
}

/* The marked unit of the highest index, but for those that want the node `except`; end: none. */
static size_t highest(const struct bm_job *job, size_t first, size_t end, int except)
{
	size_t found = end;

	for (size_t i = first; i < end; i++) {
		if (job->order[i] && job->units[i].node != except &&
		    (found == end ||
		     index_of(job, &job->units[i]) > index_of(job, &job->units[found])))
			found = i;
	}
	return found;
}

/*
 * Of what went along the entry of the highest index decides, if it is one
 * folio still: the kernel may have split it on the way. Moved to and fro, a
 * folio stays together; what does not follow has a target of its own, and is
 * to do again. Returns how much.
 */
static size_t settle_folio(struct bm_job *job, size_t first, size_t end, size_t moved)
{
	struct bm_unit *units = job->units;
	size_t decider, rival, released = 0;

	if (!find_folio(job, first, end, moved))
		return 0;
	decider = highest(job, first, end, -1);
	rival = highest(job, first, end, units[decider].node);
	if (rival == end)
		return 0;
	if (units[decider].node == units[moved].node && move_one(job, &units[rival]) != 0)
		ask(job, first, end);
	if (is_elsewhere(&units[decider]) && move_one(job, &units[decider]) != 0)
		ask(job, first, end);
	for (size_t i = first; i < end; i++) {
		int follows = units[i].status == units[decider].node &&
			      units[rival].status == units[decider].node;

		if (!job->order[i])
			continue;
		units[i].contested = 1;
		if (follows || !is_elsewhere(&units[i]))
			continue;
		units[i].contested = 0;
		units[i].state = BM_UNIT_TODO;
		released++;
	}
	return released;
}

static size_t replay(struct bm_job *job, size_t first, size_t end)
{
	size_t next, released = 0;

	while ((next = next_elsewhere(job, first, end)) < end)
		released += settle_folio(job, first, end, next);
	/* What is elsewhere in the end is so because others were to decide. */
	for (size_t i = first; i < end; i++)
		job->units[i].contested |= job->units[i].state != BM_UNIT_TODO;
	job->mixed = 1;
	return released;
}

size_t bm_replay_dragged(struct bm_job *job)
{
	uint64_t region = job->context->huge_size;
	size_t end, released = 0;

	if (job->one_target)
		return 0;
	for (size_t i = 0; region && i < job->unit_count; i = end) {
		end = bm_plan_region_end(job->units, job->unit_count, i, region);
		/*
		 * Also where no large folio is to be expected: of a huge page
		 * whose mapping was split nothing is seen.
		 */
		if (is_mixed(job->units, i, end) && is_dragged(job, i, end))
			released += replay(job, i, end);
		/* A part of a larger page of hugetlbfs: all are asked at the end. */
		else if (job->units[i].huge && is_dragged(job, i, end))
			job->mixed = 1;
	}
	return released;
}
