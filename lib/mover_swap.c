/* SPDX-License-Identifier: MIT */
/* mover_swap.c - from units to chunks, and from what became of those to units. */
#include "mover_swap.h"

#include <errno.h>
#include <sys/mman.h>

#include "bits.h"
#include "chunk.h"
#include "bounds.h"
#include "nodes.h"
#include "pagemap.h"
#include "probes.h"
#include "refusals.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* A chunk while it is gathered, and the units that are in it. */
struct gather {
	struct bm_job *job;
	struct bm_seat *seat;
	const uint32_t *order;
	const struct bm_vma *vma;
	size_t span;           /* the first of job->spans that does not end before the unit */
	uint32_t first, count; /* in order */
	uint32_t pages;        /* of these units */
	int limited;           /* there is a bound, or a rate */
	struct bm_chunk chunk;
	struct bm_refusals refusals;
};

enum bm_reason bm_why_not_swap(int error)
{
	switch (error) {
	case -EPERM:
		return BM_REASON_NO_PRIVILEGE;
	case -ENOSYS:
	case -EOPNOTSUPP:
		return BM_REASON_OLD_KERNEL;
	case -ENODEV:
		return BM_REASON_BACKEND;
	default:
		return BM_REASON_NO_POOL;
	}
}

/* ---------------------------------------------------------------- units */

static uint32_t page_of(const struct gather *gather, const struct bm_unit *unit)
{
	return (uint32_t)((unit->addr - gather->chunk.start) / gather->job->context->page_size);
}

/*
 * Broken memory, a guard, and what is swapped out look alike. Only who asks for
 * such a page is told, and then it is there: it had been a moment ago.
 */
static int is_broken(const struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_job *job = gather->job;
	uint64_t start = bm_unit_start(unit, job->context->huge_size);
	struct bm_page_scan scan = {start, unit->end, BM_SCAN_SWAPPED, 1};
	struct bm_page_region region;

	return bm_pagemap_scan(job->sys, job->pagemap, &scan, &region, 1) == 1 &&
	       job->sys->madvise(region.start, job->context->page_size, MADV_POPULATE_READ) ==
		       -EHWPOISON;
}

/* The kernel's MOVE does not tell whether a page is pinned, shared or merged. */
static enum bm_reason who_else(const struct gather *gather, const struct bm_unit *unit)
{
	struct bm_job *job = gather->job;
	uint64_t entry;

	if (bm_pagemap_read(job->sys, job->pagemap, unit->addr, job->context->page_size, &entry,
			    1) != 1)
		return BM_REASON_PINNED;
	if (!(entry & BM_PAGEMAP_PRESENT))
		return BM_REASON_CHANGED;
	/* Also one that is mapped only once by now. */
	if (bm_merged_is(&job->merged, entry))
		return BM_REASON_KSM;
	return entry & BM_PAGEMAP_EXCLUSIVE ? BM_REASON_PINNED : BM_REASON_COW_SHARED;
}

static enum bm_reason refine(const struct gather *gather, const struct bm_unit *unit,
			     enum bm_reason why)
{
	switch (why) {
	case BM_REASON_PINNED:
		return who_else(gather, unit);
	case BM_REASON_POISONED: /* or a guard */
		return is_broken(gather, unit) ? why : BM_REASON_CHANGED;
	case BM_REASON_CHANGED:
	case BM_REASON_BACKEND: /* it may have broken on its way */
		return is_broken(gather, unit) ? BM_REASON_POISONED : why;
	default:
		return why;
	}
}

static void refuse(struct gather *gather, struct bm_unit *unit, enum bm_reason why)
{
	unit->left = (unsigned char)why;
	bm_refusals_add(&gather->refusals, bm_unit_start(unit, gather->job->context->huge_size),
			unit->end, (int)why);
}

static void settle_unit(struct gather *gather, struct bm_unit *unit)
{
	uint32_t page = unit->huge ? 0 : page_of(gather, unit);

	if (bm_bit(gather->chunk.moved, page)) {
		bm_unit_moved(unit, unit->node);
		unit->swapped = 1;
		unit->left = 0;
	} else {
		refuse(gather, unit, refine(gather, unit, gather->chunk.why[page]));
	}
}

static void leave(struct gather *gather, enum bm_reason why)
{
	for (uint32_t i = 0; i < gather->count; i++)
		refuse(gather, &gather->job->units[gather->order[gather->first + i]], why);
}

static struct bm_rates_chunk price_of(const struct gather *gather)
{
	const struct bm_chunk *chunk = &gather->chunk;
	const struct bm_job *job = gather->job;
	struct bm_rates_chunk price = {
		.pages = gather->pages, .runs = chunk->run_count, .huge = chunk->huge};
	uint64_t page_size = job->context->page_size, ready;

	ready = bm_pool_ready(&job->swap->pool, chunk->node, chunk->huge) / page_size;
	price.lacking = ready < price.pages ? (uint32_t)(price.pages - ready) : 0;
	return price;
}

/*
 * With the pool or without: whatever is faster. 1 where the kernel is faster
 * still; where swap was asked for by name, or only swap can do it, it is not asked.
 */
static int is_dearer(struct gather *gather, const struct bm_rates_chunk *price)
{
	const struct bm_rates *rates = gather->job->rates;
	uint64_t swap = bm_rates_swap_ns(rates, price), direct = bm_rates_direct_ns(rates, price);
	int is_direct = !gather->job->context->copies && price->lacking && !price->huge &&
			direct < swap && bm_bounds_direct_fits(gather->job, price);

	gather->chunk.direct = is_direct;
	if (gather->job->choice.named || gather->job->replace)
		return 0;
	return (is_direct ? direct : swap) > bm_rates_kernel_ns(rates, price);
}

static void follow(struct bm_rates *rates, const struct gather *gather,
		   const struct bm_rates_chunk *price, uint64_t ns)
{
	if (gather->chunk.direct)
		bm_rates_follow_direct(rates, price, ns);
	else
		bm_rates_follow(rates, price, ns);
}

/* Returns the bytes that are new. */
static uint64_t settle_chunk(struct gather *gather)
{
	struct bm_job *job = gather->job;
	uint64_t moved = 0;

	for (uint32_t i = 0; i < gather->count; i++) {
		struct bm_unit *unit = &job->units[gather->order[gather->first + i]];

		settle_unit(gather, unit);
		if (unit->state == BM_UNIT_MOVED)
			moved += unit->end - bm_unit_start(unit, job->context->huge_size);
	}
	return moved;
}

static void follow_window(struct gather *gather, const struct bm_rates_chunk *price)
{
	const struct bm_chunk *chunk = &gather->chunk;
	struct bm_job *job = gather->job;

	if (chunk->ns_window == 0)
		return;
	bm_stalls_window(job->choice.stalls, chunk->ns_window, chunk->ns_copy, chunk->preempted);
	if (job->choice.bound_ns && !chunk->preempted)
		bm_rates_follow_window(job->rates, price, chunk->direct, chunk->ns_window);
}

/* BM_REASON_NONE when it was swapped, or at least tried. */
static enum bm_reason swap_chunk(struct gather *gather, const struct bm_rates_chunk *price)
{
	struct bm_job *job = gather->job;
	uint64_t bytes = price->pages * job->context->page_size, moved = 0, begin;
	int rc;

	if (is_dearer(gather, price))
		return BM_REASON_CHEAPER;
	if (bm_bounds_chunk_refused(job, price, gather->chunk.direct) &&
	    !bm_rates_try_window(job->rates, price, gather->chunk.direct))
		return BM_REASON_BOUND;
	if (bm_pace_begin(job->choice.pace, bytes) < 0)
		return BM_REASON_CANCELED;
	BM_PROBE4(chunk__begin, gather->chunk.start, gather->chunk.end, gather->chunk.node,
		  gather->chunk.huge);
	begin = job->sys->now_ns();
	gather->chunk.watched = job->choice.bound_ns != 0;
	rc = bm_chunk_swap(job->swap, gather->seat, &gather->chunk);
	if (rc == 0) {
		follow(job->rates, gather, price, job->sys->now_ns() - begin);
		follow_window(gather, price);
		moved = settle_chunk(gather);
	}
	bm_pace_end(job->choice.pace, bytes, moved);
	BM_PROBE3(chunk__end, gather->chunk.start, gather->chunk.ns_window,
		  BM_PROBE_WANTED(chunk__end) ? moved / job->context->page_size : 0);
	return rc < 0 ? bm_why_not_swap(rc) : BM_REASON_NONE;
}

/* Swaps what has been gathered. */
static void flush(struct gather *gather)
{
	struct bm_rates_chunk price;
	enum bm_reason why;

	if (gather->count == 0)
		return;
	price = price_of(gather);
	why = swap_chunk(gather, &price);
	if (why)
		leave(gather, why);
	gather->count = 0;
	gather->pages = 0;
	gather->chunk.run_count = 0;
}

/* ---------------------------------------------------------------- gathering */

/* Units come in ascending order; spans that overlap each other begin in that order. */
static int is_of_a_thread(struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_spans *spans = &gather->job->spans;
	uint64_t start = bm_unit_start(unit, gather->job->context->huge_size);

	while (gather->span < spans->count && spans->list[gather->span].end <= start)
		gather->span++;
	return gather->span < spans->count && spans->list[gather->span].start < unit->end;
}

static enum bm_reason why_not_here(struct gather *gather, const struct bm_vma *vma,
				   const struct bm_unit *unit)
{
	const struct bm_job *job = gather->job;

	if (vma->hugetlb)
		return BM_REASON_HUGETLB;
	if (!vma->is_anon)
		return BM_REASON_FILE;
	if (!vma->is_open)
		return BM_REASON_READ_ONLY;
	if ((unit->addr < job->stack_end && job->stack_start < unit->end) ||
	    is_of_a_thread(gather, unit))
		return BM_REASON_OWN_MEMORY;
	if (!unit->huge && job->context->large_size)
		return BM_REASON_LARGE_FOLIO;
	return BM_REASON_NONE;
}

/* The mapping of a unit; units come in ascending order. NULL: it has none. */
static const struct bm_vma *vma_of(struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_vma *vma = gather->vma;

	if (!vma || unit->addr < vma->start || unit->end > vma->end)
		vma = bm_vmas_from(&gather->job->vmas, unit->addr);
	if (!vma || unit->addr < vma->start || unit->end > vma->end)
		return NULL;
	return vma;
}

static void begin_chunk(struct gather *gather, const struct bm_unit *unit)
{
	struct bm_chunk *chunk = &gather->chunk;

	chunk->start = bm_unit_start(unit, gather->job->context->huge_size);
	chunk->low = gather->vma->start;
	chunk->high = gather->vma->end;
	chunk->node = unit->node;
	chunk->huge = unit->huge;
	chunk->run_count = 0;
	chunk->pinnable = 1;
}

static uint32_t pages_of(const struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_context *context = gather->job->context;

	return (uint32_t)((unit->end - bm_unit_start(unit, context->huge_size)) /
			  context->page_size);
}

/* 1 when the chunk would be too large with this unit. */
static int is_full(const struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_chunk *chunk = &gather->chunk;
	struct bm_rates_chunk grown = {.pages = gather->pages + pages_of(gather, unit),
				       .runs = chunk->run_count + (chunk->end != unit->addr),
				       .huge = chunk->huge};

	return gather->limited && gather->count && bm_bounds_chunk_full(gather->job, &grown);
}

static void append(struct gather *gather, uint32_t place, const struct bm_unit *unit)
{
	struct bm_chunk *chunk = &gather->chunk;
	uint32_t first, count;

	if (gather->count == 0) {
		gather->first = place;
		begin_chunk(gather, unit);
	}
	first = unit->huge ? 0 : page_of(gather, unit);
	count = pages_of(gather, unit);
	if (bm_node_possible(unit->status))
		chunk->pinnable &=
			!bm_bit(gather->job->swap->zones.only_movable.bits, (uint32_t)unit->status);
	if (chunk->run_count && chunk->end == unit->addr && !unit->huge)
		chunk->runs[chunk->run_count - 1].count++;
	else
		chunk->runs[chunk->run_count++] = (struct bm_chunk_run){first, count};
	chunk->end = unit->end;
	gather->count++;
	gather->pages += count;
}

static void gather_unit(struct gather *gather, uint32_t place)
{
	struct bm_unit *unit = &gather->job->units[gather->order[place]];
	const struct bm_vma *vma = vma_of(gather, unit);
	enum bm_reason why = vma ? why_not_here(gather, vma, unit) : BM_REASON_NONE;

	if (!vma || why || vma != gather->vma || gather->chunk.run_count == BM_COPIES_MOST ||
	    (unit->addr ^ gather->chunk.start) & ~(gather->job->chunk_bytes - 1) ||
	    is_full(gather, unit))
		flush(gather);
	gather->vma = vma;
	unit->left = 0;
	if (why)
		refuse(gather, unit, why);
	if (vma && !why)
		append(gather, place, unit);
	else
		gather->count = gather->pages = 0;
}

void bm_mover_swap(struct bm_job *job, struct bm_seat *seat, const struct bm_call *call)
{
	struct gather gather = {.job = job,
				.seat = seat,
				.order = job->order,
				.refusals = {.log = &job->context->config.log}};

	gather.limited = job->choice.bound_ns || bm_pace_portion(job->choice.pace) != UINT64_MAX;
	if (!seat) {
		gather.first = call->first;
		gather.count = call->count;
		leave(&gather, BM_REASON_NO_POOL);
	}
	for (uint32_t i = 0; seat && i < call->count; i++)
		gather_unit(&gather, call->first + i);
	if (seat)
		flush(&gather);
	bm_refusals_end(&gather.refusals);
}
