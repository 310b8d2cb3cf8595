/* SPDX-License-Identifier: MIT */
/* range.c - finds the present pages of ranges and hands them on in portions. */
#include "range.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>

#include "bind.h"
#include "error.h"
#include "mempolicy.h"
#include "pagemap.h"
#include "structs.h"
#include "vma.h"

#define PORTION 65536u /* pages */

struct portion {
	void **pages;
	int *nodes;
	int *status;
	unsigned char *reasons;
	uint32_t *owner; /* which range each page belongs to */
	size_t count;
};

struct walk {
	struct bm_job *model;
	char *ranges; /* elements of size bytes */
	size_t size;
	size_t count;
	struct bm_page_walk pages;
	struct portion portion;
	struct bm_vmas vmas; /* read when first needed */
	int flushed;         /* pages may have moved */
	long result;
};

int bm_range_size_ok(size_t size)
{
	return bm_struct_size_ok(size, sizeof(struct bm_range));
}

static struct bm_range *range_at(const struct walk *walk, size_t i)
{
	return (struct bm_range *)(void *)(walk->ranges + i * walk->size);
}

/* The sums of one portion into those of the whole. */
static void add_report(struct bm_report *sum, const struct bm_report *part)
{
	bm_tally_add(&sum->tally, &part->tally);
	sum->bytes_moved += part->bytes_moved;
	sum->kernel_calls += part->kernel_calls;
	sum->ns_plan += part->ns_plan;
	sum->ns_classify += part->ns_classify;
	sum->ns_move += part->ns_move;
	sum->ns_verify += part->ns_verify;
	sum->threads = part->threads > sum->threads ? part->threads : sum->threads;
	sum->bytes_swapped += part->bytes_swapped;
	sum->bytes_offloaded += part->bytes_offloaded;
	for (size_t i = 0; i < BM_REASON_COUNT; i++)
		sum->reasons[i] += part->reasons[i];
}

static void tally_page(struct bm_tally *tally, int status, int asked, int was_there)
{
	if (status < 0 || status != asked) {
		bm_tally_fail(tally, status < 0 ? -status : 0, 1);
		return;
	}
	tally->pages++;
	if (was_there)
		tally->already++;
	else
		tally->moved++;
}

/* With BM_REPLACE a page that was there may have another reason than that. */
static int was_there(unsigned char reason)
{
	return reason == BM_REASON_ALREADY || (reason & BM_WAS_THERE) != 0;
}

/* Before anything was tried it is the error of the call; later that of the pages. */
static long fail_portion(struct walk *walk, int rc)
{
	struct portion *portion = &walk->portion;

	if (!walk->flushed)
		return rc;
	for (size_t i = 0; i < portion->count; i++) {
		bm_tally_fail(&range_at(walk, portion->owner[i])->tally, -rc, 1);
		bm_tally_fail(&walk->model->report.tally, -rc, 1);
		walk->model->report.reasons[bm_reason_of(rc)]++;
	}
	walk->result += (long)portion->count;
	portion->count = 0;
	return 0;
}

static long flush(struct walk *walk)
{
	struct portion *portion = &walk->portion;
	struct bm_request request = {.flags = walk->model->flags & ~BM_BIND,
				     .count = portion->count,
				     .pages = portion->pages,
				     .nodes = portion->nodes,
				     .status = portion->status,
				     .reasons = portion->reasons,
				     .pid = walk->model->pid};
	struct bm_job job;
	long rc;

	bm_job_init(&job, walk->model->context, &request, &walk->model->choice);
	job.tell_there = 1;
	job.estimate = walk->model->estimate;
	rc = bm_job_whole(&job);
	if (rc < 0)
		return fail_portion(walk, (int)rc);
	if (job.estimate) {
		portion->count = 0;
		return 0;
	}
	walk->flushed = 1;
	add_report(&walk->model->report, &job.report);
	for (size_t i = 0; i < portion->count; i++) {
		tally_page(&range_at(walk, portion->owner[i])->tally, portion->status[i],
			   portion->nodes[i], was_there(portion->reasons[i]));
		/* Gone since it was found: absent, which is no failure of a range. */
		if (portion->status[i] != portion->nodes[i] && portion->status[i] != -ENOENT)
			walk->result++;
	}
	portion->count = 0;
	return 0;
}

static void append(struct portion *portion, const struct bm_page_region *region, uint64_t page_size,
		   uint32_t owner, int node)
{
	for (uint64_t addr = region->start; addr < region->end; addr += page_size) {
		portion->pages[portion->count] = (void *)(uintptr_t)addr;
		portion->nodes[portion->count] = node;
		portion->owner[portion->count++] = owner;
	}
}

static void count_absent(struct walk *walk, struct bm_range *range, uint64_t pages)
{
	bm_tally_fail(&range->tally, ENOENT, pages);
	bm_tally_fail(&walk->model->report.tally, ENOENT, pages);
	walk->model->report.reasons[BM_REASON_ABSENT] += pages;
	atomic_fetch_add(&walk->model->choice.pace->settled, pages);
}

/* Finds out why nothing was found in a range. */
static int is_mapped(struct walk *walk, uint64_t start, uint64_t end)
{
	const struct bm_vma *vma;

	if (!walk->vmas.list && bm_vmas_read(walk->model->sys, walk->model->pid, &walk->vmas) < 0)
		return 1;
	vma = bm_vmas_from(&walk->vmas, start);
	return vma && vma->start < end;
}

/* What was not looked at any more, whether it is there or not. */
static void cancel_rest(struct walk *walk, struct bm_range *range, uint64_t end)
{
	uint64_t pages = (end - walk->pages.at) / walk->pages.page_size;

	range->error = -ECANCELED;
	bm_tally_fail(&range->tally, ECANCELED, pages);
	bm_tally_fail(&walk->model->report.tally, ECANCELED, pages);
	walk->model->report.reasons[BM_REASON_CANCELED] += pages;
	atomic_fetch_add(&walk->model->choice.pace->settled, pages);
}

static long walk_range(struct walk *walk, size_t index, uint64_t start, uint64_t end)
{
	struct bm_page_region regions[BM_WALK_REGIONS];
	struct bm_range *range = range_at(walk, index);
	uint64_t page_size = walk->pages.page_size, found = 0;

	walk->pages.at = start;
	walk->pages.end = end;
	while (walk->pages.at < end && !bm_pace_canceled(walk->model->choice.pace)) {
		long rc = bm_pagemap_walk(&walk->pages, PORTION - walk->portion.count, regions);

		if (rc < 0) {
			/* -EFAULT: beyond the address space of a process. */
			range->error = rc == -EFAULT ? -EINVAL : (int)rc;
			/* Of an estimate nobody sees it: what is left out must not look like 0. */
			return walk->model->estimate && rc != -EFAULT ? rc : 0;
		}
		for (long i = 0; i < rc; i++) {
			append(&walk->portion, &regions[i], page_size, (uint32_t)index,
			       range->node);
			found += (regions[i].end - regions[i].start) / page_size;
		}
		rc = walk->portion.count == PORTION ? flush(walk) : 0;
		if (rc < 0)
			return rc;
	}
	if (walk->pages.at < end)
		cancel_rest(walk, range, end);
	else if (found == 0 && !is_mapped(walk, start, end))
		range->error = -ENOMEM;
	if (range->error != -ENOMEM)
		count_absent(walk, range, (walk->pages.at - start) / page_size - found);
	return 0;
}

static int check_range(const struct walk *walk, const struct bm_range *range, uint64_t *start,
		       uint64_t *end)
{
	uint64_t addr = (uint64_t)(uintptr_t)range->addr, size = walk->pages.page_size;

	if (addr > UINT64_MAX - size || range->length > UINT64_MAX - size - addr)
		return -EINVAL;
	if (!bm_node_possible(range->node))
		return -ENODEV;
	*start = addr & ~(size - 1);
	*end = range->length ? (addr + range->length + size - 1) & ~(size - 1) : *start;
	return 0;
}

static long walk_ranges(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		struct bm_range *range = range_at(walk, i);
		uint64_t start = 0, end = 0;
		long rc = 0;

		range->tally = (struct bm_tally){0};
		range->error = check_range(walk, range, &start, &end);
		if (range->error == 0 && end > start)
			rc = walk_range(walk, i, start, end);
		if (rc < 0)
			return rc;
	}
	return walk->portion.count > 0 ? flush(walk) : 0;
}

/* With all of the huge pages that straddle an end: a policy on a part would split them. */
static int bind_range(struct walk *walk, uint64_t start, uint64_t end, int node)
{
	const struct bm_sys *sys = walk->model->sys;
	uint64_t size = walk->pages.page_size, huge = walk->model->context->huge_size;

	if (huge && start % huge && bm_pagemap_is_huge(sys, walk->pages.fd, start, size))
		start -= start % huge;
	if (huge && end % huge && bm_pagemap_is_huge(sys, walk->pages.fd, end - size, size))
		end += huge - end % huge;
	return bm_policy_prefer(sys, start, end, node, 0);
}

static void finish(struct walk *walk)
{
	struct bm_context *context = walk->model->context;

	for (size_t i = 0; i < walk->count; i++) {
		struct bm_range *range = range_at(walk, i);
		uint64_t start = 0, end = 0;

		bm_tally_sort(&range->tally);
		if (range->error == 0 && walk->model->flags & BM_BIND &&
		    check_range(walk, range, &start, &end) == 0 && end > start)
			range->error = bind_range(walk, start, end, range->node);
		if (range->error < 0) {
			walk->result++;
			bm_log(&context->config.log, BM_LOG_WARN, "range %zu (%p, %zu bytes): %s",
			       i, range->addr, range->length, bm_error_text(range->error));
		}
	}
	bm_tally_sort(&walk->model->report.tally);
}

static int take_portion(const struct bm_sys *sys, struct portion *portion)
{
	size_t each = sizeof(*portion->pages) + sizeof(*portion->nodes) + sizeof(*portion->status) +
		      sizeof(*portion->owner) + sizeof(*portion->reasons);

	portion->pages = sys->alloc(PORTION, each);
	if (!portion->pages)
		return -ENOMEM;
	portion->nodes = (int *)(void *)(portion->pages + PORTION);
	portion->status = portion->nodes + PORTION;
	portion->owner = (uint32_t *)(void *)(portion->status + PORTION);
	portion->reasons = (unsigned char *)(portion->owner + PORTION);
	return 0;
}

/* Before the first page: the answers that are for the whole call. */
static int check_call(const struct bm_job *model, size_t count)
{
	int flags = model->flags & BM_MOVE_ALL ? (int)MPOL_MF_MOVE_ALL : 0;
	long rc = model->sys->move_pages(model->pid, 0, NULL, NULL, NULL, flags);

	if (rc < 0)
		return (int)rc;
	if (count > UINT32_MAX)
		return -E2BIG;
	return model->flags & BM_BIND ? bm_bind_check(model->context, count) : 0;
}

long bm_ranges_run(struct bm_job *model, const struct bm_request *request)
{
	struct walk walk = {
		.model = model,
		.ranges = (char *)request->ranges,
		.size = request->range_size,
		.count = request->count,
		.pages = {.sys = model->sys, .swapped = 1, .page_size = model->context->page_size}};
	long rc = request->count ? check_call(model, request->count) : 0;

	if (rc < 0 || request->count == 0)
		return rc;
	walk.pages.fd = bm_pagemap_open(model->sys, model->pid);
	if (walk.pages.fd < 0)
		return walk.pages.fd;
	rc = take_portion(model->sys, &walk.portion);
	if (rc == 0)
		rc = walk_ranges(&walk);
	if (rc == 0)
		finish(&walk);
	bm_vmas_free(&walk.vmas);
	free(walk.portion.pages);
	model->sys->close(walk.pages.fd);
	return rc < 0 ? rc : walk.result;
}
