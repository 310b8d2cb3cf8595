/* SPDX-License-Identifier: MIT */
/* classify.c - huge pages by PAGEMAP_SCAN, nodes by move_pages(2) without targets. */
#include "classify.h"

#include <errno.h>

#include "cost.h"
#include "holes.h"
#include "locate.h"
#include "missed.h"
#include "pagemap.h"

void bm_classify_open(struct bm_job *job)
{
	struct bm_context *context = job->context;
	struct bm_page_scan scan = {0, context->page_size, BM_SCAN_HUGE, 1};
	struct bm_page_region region;
	long rc = -ENOTTY;

	job->pagemap = -ENOENT;
	job->suspect = 0;
	if (context->huge_size == 0 || (!job->whole && !bm_cost_look_pays(job->count)))
		return;
	if (!atomic_load_explicit(&context->no_scan, memory_order_relaxed)) {
		job->pagemap = bm_pagemap_open(job->sys, job->pid);
		rc = job->pagemap;
	}
	if (rc >= 0)
		rc = bm_pagemap_scan(job->sys, job->pagemap, &scan, &region, 1);
	if (rc == -ENOTTY)
		atomic_store_explicit(&context->no_scan, 1, memory_order_relaxed);
	job->scan_works = rc >= 0;
	/* Without the scan every huge page is invisible, with it those that PTEs map. */
	job->suspect = job->scan_works ? context->large_size : context->huge_size;
}

void bm_classify_close(struct bm_job *job)
{
	if (job->pagemap >= 0)
		job->sys->close(job->pagemap);
}

int bm_classify_is_huge(struct bm_job *job, uint64_t addr)
{
	return bm_pagemap_is_huge(job->sys, job->pagemap, addr, job->context->page_size);
}

/* Leaves one unit of a huge page, in the place `kept`. */
static size_t join(struct bm_job *job, size_t first, size_t end, size_t kept)
{
	bm_plan_join(job->units, first, end, job->items, job->nodes, job->context->huge_size);
	job->units[kept] = job->units[first];
	return kept + 1;
}

static void join_all(struct bm_job *job)
{
	size_t kept = 0, end;

	if (!job->scan_works)
		return;
	for (size_t i = 0; i < job->unit_count; i = end) {
		end = bm_plan_region_end(job->units, job->unit_count, i, job->context->huge_size);
		if ((job->whole || bm_cost_probe_pays(end - i)) &&
		    bm_classify_is_huge(job, job->units[i].addr)) {
			kept = join(job, i, end, kept);
			continue;
		}
		if (kept == i) {
			kept = end;
			continue;
		}
		for (size_t k = i; k < end; k++)
			job->units[kept++] = job->units[k];
	}
	job->unit_count = kept;
}

static void set_state(struct bm_unit *unit, int replace)
{
	if (!bm_node_possible(unit->node)) {
		unit->state = BM_UNIT_LEFT;
		unit->error = -ENODEV;
		unit->reason = BM_REASON_NO_NODE;
	} else if (unit->status == BM_NOT_ASKED) {
		unit->state = unit->state == BM_UNIT_ABSENT ? BM_UNIT_ABSENT : BM_UNIT_TODO;
	} else if (unit->status < 0) {
		unit->state = BM_UNIT_ABSENT;
	} else {
		unit->there = unit->status == unit->node;
		unit->state = unit->there && !replace ? BM_UNIT_ALREADY : BM_UNIT_TODO;
	}
}

/* What a block holds besides units that are to be moved. */
struct seen {
	int absent, local, unknown;
};

#define SAMPLE_STRIDE 37 /* odd, and no divisor of a step */

/* Asks about a few units of a block. */
static struct seen sample(struct bm_job *job, struct bm_scratch *scratch, size_t first,
			  size_t count)
{
	size_t step = bm_cost_sample_step(count), some = 0;
	struct seen seen = {0};

	/* At odd and even distances: what alternates must not be missed. */
	for (size_t k = 0; step && k * step < count && some < job->room; k++) {
		size_t i = first + k * step + (step / 2 + k * SAMPLE_STRIDE) % step;

		if (i >= first + count)
			break;
		scratch->nodes[some] = job->units[i].node;
		scratch->pages[some++] = (void *)(uintptr_t)job->units[i].addr;
	}
	if (some == 0)
		return seen;
	if (bm_locate_pages(job, scratch, some) < 0) {
		seen.unknown = 1;
		return seen;
	}
	for (size_t i = 0; i < some; i++) {
		seen.absent += scratch->status[i] < 0;
		seen.local += scratch->status[i] == scratch->nodes[i];
	}
	return seen;
}

static size_t block_length(const struct bm_job *job, size_t block)
{
	size_t left = job->unit_count - block * job->room;

	return left < job->room ? left : job->room;
}

/*
 * A page that need not or cannot move makes the kernel end its list and flush
 * the TLBs of all CPUs once more. With a single CPU, or where the kernel
 * flushes for each page, that is cheaper than to look for holes. Of what is
 * there already a batch of several calls must know in any case: the kernel's
 * count of pages that moved would not agree with ours.
 */
static struct seen sample_if_it_pays(struct bm_job *job, struct bm_scratch *scratch, size_t first,
				     size_t count)
{
	int flushes_once = job->context->flushes_once;
	struct seen seen = {0};

	if (!job->exact && (flushes_once || job->count > job->room))
		seen = sample(job, scratch, first, count);
	if (seen.absent && !flushes_once)
		seen.absent = 0;
	return seen;
}

/* Asks about units, but for those that pagemap has told to be absent. */
static void ask_units(struct bm_job *job, struct bm_scratch *scratch, size_t first, size_t count)
{
	size_t some = 0;

	for (size_t i = first; i < first + count; i++) {
		if (!job->units[i].gone)
			job->order[first + some++] = (uint32_t)i;
	}
	bm_locate_units(job, scratch, job->order, first, some);
}

static void classify_block(void *arg, unsigned int worker, size_t block)
{
	struct bm_job *job = arg;
	struct bm_scratch *scratch = &job->scratch[worker];
	size_t first = block * job->room, count = block_length(job, block);
	struct seen seen = sample_if_it_pays(job, scratch, first, count);

	if (seen.absent && job->scan_works)
		bm_holes_find(job, first, first + count);
	/* Where a page is does not matter when it is to be replaced. */
	if (job->replace && job->choice.wants_swap)
		seen.local = 0;
	if (job->exact || seen.unknown || (seen.absent && !job->scan_works) || seen.local)
		ask_units(job, scratch, first, count);
	for (size_t i = first; i < first + count; i++)
		set_state(&job->units[i], job->replace && job->choice.wants_swap);
}

static size_t block_count(const struct bm_job *job)
{
	return (job->unit_count + job->room - 1) / job->room;
}

void bm_classify(struct bm_job *job)
{
	join_all(job);
	bm_workers_run(job->sys, NULL, job->threads, block_count(job), classify_block, job);
	bm_missed_find(job, BM_UNIT_ALREADY, BM_UNIT_TODO);
}

static void ask_block(void *arg, unsigned int worker, size_t block)
{
	struct bm_job *job = arg;

	ask_units(job, &job->scratch[worker], block * job->room, block_length(job, block));
}

/* Asks about what did not move. */
static void ask_rest(struct bm_job *job)
{
	size_t count = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		const struct bm_unit *unit = &job->units[i];

		/* What the kernel found absent or shared needs no second answer. */
		if (unit->state != BM_UNIT_MOVED && unit->state != BM_UNIT_ALREADY &&
		    (unit->status >= 0 || unit->status == BM_NOT_ASKED))
			job->order[count++] = (uint32_t)i;
	}
	bm_locate_units(job, &job->scratch[0], job->order, 0, count);
}

void bm_classify_settle(struct bm_job *job, int settled)
{
	const int64_t *value = job->context->config.value;

	if (settled)
		ask_rest(job);
	else
		bm_workers_run(job->sys, NULL, job->threads, block_count(job), ask_block, job);
	bm_missed_find(job, BM_UNIT_MOVED, BM_UNIT_LEFT);
	if (job->passing > 0 && value[BM_OPTION_RETRIES] > 0) {
		bm_pace_sleep(job->choice.pace, (uint64_t)value[BM_OPTION_RETRY_US]);
		bm_missed_find(job, BM_UNIT_MOVED, BM_UNIT_LEFT);
	}
}

/* The next unit from `at` that is in this state and not beyond the end: end if none. */
static size_t next_in_state(const struct bm_job *job, size_t at, size_t end, int state)
{
	while (at < end && job->units[at].state != state)
		at++;
	return at;
}

size_t bm_classify_hold_back(struct bm_job *job)
{
	size_t held = 0, end;

	if (job->suspect == 0)
		return 0;
	for (size_t i = 0; i < job->unit_count; i = end) {
		size_t at;

		end = bm_plan_region_end(job->units, job->unit_count, i, job->suspect);
		at = next_in_state(job, i, end, BM_UNIT_TODO);
		while ((at = next_in_state(job, at + 1, end, BM_UNIT_TODO)) < end) {
			job->units[at].state = BM_UNIT_WAIT;
			held++;
		}
	}
	return held;
}

void bm_classify_let_go(struct bm_job *job)
{
	size_t end;

	for (size_t i = 0; i < job->unit_count; i = end) {
		size_t at;

		end = bm_plan_region_end(job->units, job->unit_count, i, job->suspect);
		at = next_in_state(job, i, end, BM_UNIT_WAIT);
		if (at == end)
			continue;
		/* One tells whether it was a large folio; only then all are asked. */
		bm_locate_units(job, &job->scratch[0], NULL, at, 1);
		if (job->units[at].status == job->units[at].node)
			bm_locate_units(job, &job->scratch[0], NULL, at, end - at);
		for (; at < end; at++) {
			struct bm_unit *unit = &job->units[at];

			if (unit->state == BM_UNIT_WAIT)
				unit->state =
					unit->status == unit->node ? BM_UNIT_MOVED : BM_UNIT_TODO;
		}
	}
}
