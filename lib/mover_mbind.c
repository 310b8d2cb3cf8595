/* SPDX-License-Identifier: MIT */
/* mover_mbind.c - cuts a call into runs within one mapping and mbinds each. */
#include "mover_mbind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "locate.h"
#include "mempolicy.h"
#include "probes.h"
#include "vma.h"

#define MEMINFO_FILE "/sys/devices/system/node/node%d/meminfo"

static struct bm_unit *unit_of(struct bm_job *job, const struct bm_call *call, size_t i)
{
	return &job->units[job->order[call->first + i]];
}

/* A call to a preferred node falls back to others; move_pages(2) never does. */
static int has_room(const struct bm_job *job, int node, uint64_t bytes)
{
	char path[64], text[2048], *at;

	snprintf(path, sizeof(path), MEMINFO_FILE, node);
	if (bm_sys_text(job->sys, path, text, sizeof(text)) <= 0)
		return 1;
	at = strstr(text, "MemFree:");
	return !at || strtoull(at + strlen("MemFree:"), NULL, 10) * 1024 / 2 >= bytes;
}

/* 1 when nothing lies between the units but units of the same target. */
static int adjacent(const struct bm_job *job, uint32_t from, uint32_t to)
{
	const struct bm_unit *units = job->units;

	for (uint32_t i = from; i < to; i++) {
		if (units[i].end != bm_unit_start(&units[i + 1], job->context->huge_size))
			return 0;
		/* Units of another target are another worker's: only their node may be read. */
		if (units[i].node != units[from].node)
			return 0;
	}
	return 1;
}

static size_t run_length(struct bm_job *job, const struct bm_call *call, size_t first)
{
	const uint32_t *order = job->order + call->first;
	size_t end = first + 1;

	while (end < call->count && adjacent(job, order[end - 1], order[end]))
		end++;
	return end - first;
}

/* Moves what lies in one mapping; its policy is as before afterwards. */
static void move_piece(struct bm_job *job, uint64_t start, uint64_t end, int node)
{
	uint64_t page_size = job->context->page_size, begin;
	struct bm_policy policy;
	int rc;

	if (bm_policy_get(job->sys, start, &policy) < 0 || !bm_policy_restorable(&policy))
		return;
	begin = BM_PROBE_CALL_BEGIN(job->sys);
	BM_PROBE2(call__begin, BM_PROBE_WANTED(call__begin) ? (end - start) / page_size : 0, node);
	rc = bm_policy_prefer(job->sys, start, end, node, (unsigned int)job->kernel_flags);
	BM_PROBE2(call__end, rc, BM_PROBE_CALL_NS(job->sys, begin));
	atomic_fetch_add_explicit(&job->kernel_calls, 1, memory_order_relaxed);
	/* A failed mbind may have set the policy on a part of the range. */
	if (bm_policy_set(job->sys, start, end, &policy) < 0)
		bm_log(&job->context->config.log, BM_LOG_ERROR,
		       "the memory policy of 0x%llx-0x%llx could not be put back",
		       (unsigned long long)start, (unsigned long long)end);
	if (rc < 0)
		bm_log(&job->context->config.log, BM_LOG_DEBUG, "mbind of 0x%llx-0x%llx: %d",
		       (unsigned long long)start, (unsigned long long)end, rc);
}

static void move_run(struct bm_job *job, const struct bm_vmas *vmas, uint64_t start, uint64_t end,
		     int node)
{
	const struct bm_vma *vma = bm_vmas_from(vmas, start);

	while (vma && vma < vmas->list + vmas->count && vma->start < end) {
		uint64_t from = vma->start > start ? vma->start : start;
		uint64_t to = vma->end < end ? vma->end : end;

		if (vma->is_anon && !vma->hugetlb)
			move_piece(job, from, to, node);
		vma++;
	}
}

/* mbind tells nothing about single pages. */
static void settle(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call)
{
	bm_locate_units(job, scratch, job->order, call->first, call->count);
	for (size_t i = 0; i < call->count; i++) {
		struct bm_unit *unit = unit_of(job, call, i);

		if (unit->state == BM_UNIT_TODO && unit->status == unit->node)
			bm_unit_moved(unit, unit->node);
	}
}

static uint64_t call_bytes(struct bm_job *job, const struct bm_call *call)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < call->count; i++) {
		const struct bm_unit *unit = unit_of(job, call, i);

		bytes += unit->end - bm_unit_start(unit, job->context->huge_size);
	}
	return bytes;
}

void bm_mover_mbind(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call)
{
	struct bm_unit *one = unit_of(job, call, 0);
	uint64_t huge = job->context->huge_size;
	struct bm_vmas vmas;

	if (!has_room(job, one->node, call_bytes(job, call)) ||
	    bm_vmas_read(job->sys, 0, &vmas) < 0)
		return;
	for (size_t i = 0; i < call->count;) {
		size_t length = run_length(job, call, i);
		struct bm_unit *first = unit_of(job, call, i);
		struct bm_unit *last = unit_of(job, call, i + length - 1);

		move_run(job, &vmas, bm_unit_start(first, huge), last->end, first->node);
		i += length;
	}
	bm_vmas_free(&vmas);
	settle(job, scratch, call);
}
