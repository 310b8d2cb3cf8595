/* SPDX-License-Identifier: MIT */
/* parts.c - moves what a huge page has left behind. */
#include "parts.h"

#include "least.h"
#include "bounds.h"
#include "locate.h"

/* Of the pages that were located those that are elsewhere, with their target. */
static size_t gather_elsewhere(struct bm_scratch *scratch, size_t count, int node)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (scratch->status[i] < 0 || scratch->status[i] == node)
			continue;
		scratch->pages[found] = scratch->pages[i];
		scratch->nodes[found++] = node;
	}
	return found;
}

/* As long as a call moves some of them: the kernel stops at the first list that fails. */
static void move_pages_at(struct bm_job *job, uint64_t at, size_t count, int node)
{
	struct bm_scratch *scratch = &job->scratch[0];
	size_t before = SIZE_MAX, found;
	uint64_t begin;

	for (;; before = found) {
		for (size_t i = 0; i < count; i++)
			scratch->pages[i] = (void *)(uintptr_t)(at + i * job->context->page_size);
		if (bm_locate_pages(job, scratch, count) < 0)
			return;
		found = gather_elsewhere(scratch, count, node);
		if (found == 0 || found >= before)
			return;
		begin = job->sys->now_ns();
		job->sys->move_pages(job->pid, found, scratch->pages, scratch->nodes,
				     scratch->status, job->kernel_flags);
		bm_stalls_call(job->choice.stalls, job->sys->now_ns() - begin);
		atomic_fetch_add_explicit(&job->kernel_calls, 1, memory_order_relaxed);
	}
}

/* What stays is asked about by whoever tells of it. */
void bm_parts_move(struct bm_job *job, const struct bm_unit *unit)
{
	uint64_t page_size = job->context->page_size;
	uint64_t at = bm_unit_start(unit, job->context->huge_size);

	while (at < unit->end && !bm_pace_canceled(job->choice.pace)) {
		size_t most = bm_least(job->room, bm_bounds_call_bytes(job) / page_size);
		size_t count = bm_least((unit->end - at) / page_size, most);

		move_pages_at(job, at, count, unit->node);
		at += count * page_size;
	}
}
