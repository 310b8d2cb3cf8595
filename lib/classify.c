/* SPDX-License-Identifier: MIT */
/* classify.c - huge pages by PAGEMAP_SCAN, nodes by move_pages(2) without targets. */
#include "classify.h"

#include <errno.h>

#include "cost.h"
#include "pagemap.h"

void bm_classify_open(struct bm_job *job)
{
	const struct bm_context *context = job->context;
	struct bm_page_region region;
	uint64_t start = 0;

	job->pagemap = -ENOENT;
	job->suspect = 0;
	if (context->huge_size == 0 || !bm_cost_probe_pays(job->count))
		return;
	job->pagemap = bm_pagemap_open(job->sys, job->pid);
	job->scan_works = job->pagemap >= 0 &&
			  bm_pagemap_scan(job->sys, job->pagemap, &start, context->page_size,
					  BM_SCAN_HUGE, 1, &region, 1) >= 0;
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
	struct bm_page_region region = {0};
	uint64_t start = addr;

	return bm_pagemap_scan(job->sys, job->pagemap, &start, addr + job->context->page_size,
			       BM_SCAN_HUGE, 1, &region, 1) == 1;
}

void bm_classify_join(struct bm_job *job)
{
	uint64_t huge = job->context->huge_size;
	size_t kept = 0, end;

	if (!job->scan_works)
		return;
	for (size_t i = 0; i < job->unit_count; i = end) {
		end = bm_plan_region_end(job->units, job->unit_count, i, huge);
		if (bm_cost_probe_pays(end - i) && bm_classify_is_huge(job, job->units[i].addr)) {
			bm_plan_join(job->units, i, end, job->items, job->nodes, huge);
			job->units[kept++] = job->units[i];
			continue;
		}
		for (size_t k = i; k < end; k++)
			job->units[kept++] = job->units[k];
	}
	job->unit_count = kept;
}

static void ask_some(struct bm_job *job, struct bm_scratch *scratch, const uint32_t *list,
		     size_t first, size_t count)
{
	long rc;

	for (size_t i = 0; i < count; i++) {
		size_t unit = list ? list[first + i] : first + i;

		scratch->pages[i] = (void *)(uintptr_t)job->units[unit].addr;
	}
	/* The flags change nothing here but the check of privileges. */
	rc = job->sys->move_pages(job->pid, count, scratch->pages, NULL, scratch->status,
				  job->kernel_flags);
	if (rc < 0)
		atomic_store(&job->refused, (int)rc);
	for (size_t i = 0; i < count; i++) {
		size_t unit = list ? list[first + i] : first + i;

		job->units[unit].status = rc < 0 ? (int)rc : scratch->status[i];
	}
}

void bm_classify_ask(struct bm_job *job, struct bm_scratch *scratch, const uint32_t *list,
		     size_t first, size_t count)
{
	while (count > 0) {
		size_t some = count < job->room ? count : job->room;

		ask_some(job, scratch, list, first, some);
		first += some;
		count -= some;
	}
}

static void ask_block(void *arg, unsigned int worker, size_t block)
{
	struct bm_job *job = arg;
	size_t first = block * job->room, left = job->unit_count - first;

	ask_some(job, &job->scratch[worker], NULL, first, left < job->room ? left : job->room);
}

void bm_classify_ask_all(struct bm_job *job)
{
	size_t blocks = (job->unit_count + job->room - 1) / job->room;

	bm_workers_run(job->sys, job->threads, blocks, ask_block, job);
}

void bm_classify_states(struct bm_job *job)
{
	for (size_t i = 0; i < job->unit_count; i++) {
		struct bm_unit *unit = &job->units[i];

		if (!bm_node_possible(unit->node)) {
			unit->state = BM_UNIT_LEFT;
			unit->error = -ENODEV;
			unit->reason = BM_REASON_NO_NODE;
		} else if (unit->status < 0) {
			unit->state = BM_UNIT_LEFT;
		} else {
			unit->state = unit->status == unit->node ? BM_UNIT_ALREADY : BM_UNIT_TODO;
		}
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
		bm_classify_ask(job, &job->scratch[0], NULL, at, 1);
		if (job->units[at].status == job->units[at].node)
			bm_classify_ask(job, &job->scratch[0], NULL, at, end - at);
		for (; at < end; at++) {
			struct bm_unit *unit = &job->units[at];

			if (unit->state == BM_UNIT_WAIT)
				unit->state = unit->status == unit->node ? BM_UNIT_MOVED
									 : BM_UNIT_TODO;
		}
	}
}
