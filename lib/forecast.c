/* SPDX-License-Identifier: MIT */
/*
 * forecast.c - cuts a slice as the movers would, and adds up their rates.
 *
 * What only shows on the way (pins, mappings that swap does not take) is not
 * looked for.
 */
#include "forecast.h"

#include "bounds.h"
#include "least.h"
#include "swap_pass.h"

/* A chunk while it is gathered. */
struct gather {
	struct bm_job *job;
	struct bm_rates_chunk chunk;
	uint64_t start, end;
	int node;
	uint64_t swap_ns, kernel_ns; /* so far, by one thread */
	uint32_t pages, huge;        /* for the kernel */
};

static void at_least(uint64_t *most, uint64_t ns)
{
	*most = ns > *most ? ns : *most;
}

static uint64_t bytes_of(const struct gather *gather)
{
	return gather->chunk.pages * gather->job->context->page_size;
}

static int swaps(const struct gather *gather, uint64_t ns)
{
	const struct bm_job *job = gather->job;

	if (!job->choice.wants_swap || job->no_swap)
		return 0;
	return job->choice.named || job->replace ||
	       ns <= bm_rates_kernel_ns(job->rates, &gather->chunk);
}

/* With the pool or without it. */
static uint64_t price(struct gather *gather, int *direct)
{
	struct bm_job *job = gather->job;
	struct bm_rates_chunk *chunk = &gather->chunk;
	uint64_t ready = job->swap ? bm_pool_ready(&job->swap->pool, gather->node, chunk->huge) : 0;
	uint64_t with, without;

	/* What this estimate has used already is not there any more; but old pages of the same node. */
	if (job->replace)
		ready += job->estimate->bytes_swapped;
	else
		ready -= bm_least(ready, job->estimate->bytes_swapped);
	ready /= job->context->page_size;
	chunk->lacking = ready < chunk->pages ? (uint32_t)(chunk->pages - ready) : 0;
	with = bm_rates_swap_ns(job->rates, chunk);
	without = bm_rates_direct_ns(job->rates, chunk);
	*direct = chunk->lacking && !chunk->huge && without < with &&
		  bm_bounds_direct_fits(job, chunk);
	return *direct ? without : with;
}

static void flush(struct gather *gather)
{
	struct bm_estimate *estimate = gather->job->estimate;
	struct bm_rates_chunk *chunk = &gather->chunk;
	int direct, swapped, refused;
	uint64_t ns;

	if (chunk->pages == 0)
		return;
	ns = price(gather, &direct);
	swapped = swaps(gather, ns);
	refused = swapped && bm_bounds_chunk_refused(gather->job, chunk, direct);
	if (refused && gather->job->replace) {
		/* The kernel cannot replace it either. */
		estimate->bounded += chunk->pages;
	} else if (swapped && !refused) {
		gather->swap_ns += ns;
		at_least(&estimate->ns_window_max,
			 bm_rates_window_ns(gather->job->rates, chunk, direct));
		estimate->bytes_swapped += bytes_of(gather);
		estimate->bytes += bytes_of(gather);
	} else if (chunk->huge) {
		gather->huge++;
	} else {
		gather->pages += chunk->pages;
	}
	*chunk = (struct bm_rates_chunk){0};
}

static void add(struct gather *gather, const struct bm_unit *unit)
{
	const struct bm_context *context = gather->job->context;
	uint64_t start = bm_unit_start(unit, context->huge_size);
	uint32_t pages = (uint32_t)((unit->end - start) / context->page_size);
	struct bm_rates_chunk grown = gather->chunk;

	grown.pages += pages;
	grown.runs += start != gather->end;
	if (unit->huge || gather->chunk.huge || unit->node != gather->node ||
	    (start ^ gather->start) & ~(gather->job->chunk_bytes - 1) ||
	    (gather->chunk.pages && bm_bounds_chunk_full(gather->job, &grown))) {
		flush(gather);
		gather->start = start;
		grown = (struct bm_rates_chunk){.pages = pages, .runs = 1, .huge = unit->huge};
	}
	gather->chunk = grown;
	gather->node = unit->node;
	gather->end = unit->end;
}

/* Calls of the kernel for what swap does not take. */
static void add_calls(struct gather *gather)
{
	struct bm_job *job = gather->job;
	struct bm_estimate *estimate = job->estimate;
	uint64_t page_size = job->context->page_size;
	uint32_t most = (uint32_t)(bm_bounds_call_bytes(job) / page_size);
	uint32_t calls = gather->pages ? (gather->pages + most - 1) / most : 0;
	uint32_t each = calls ? (uint32_t)bm_least(most, gather->pages) : 0;

	if (job->replace)
		return;
	if (calls && bm_bounds_call_refused(job, each, 0)) {
		estimate->bounded += gather->pages;
		gather->pages = calls = 0;
	}
	if (gather->huge && bm_bounds_call_refused(job, 0, 1)) {
		estimate->bounded += gather->huge * (job->context->huge_size / page_size);
		gather->huge = 0;
	}
	if (calls)
		at_least(&estimate->ns_window_max, bm_rates_call_ns(job->rates, each, 0));
	if (gather->huge)
		at_least(&estimate->ns_window_max, bm_rates_call_ns(job->rates, 0, 1));
	gather->kernel_ns = calls * job->rates->call_ns + gather->pages * job->rates->kernel_ns +
			    gather->huge * job->rates->kernel_huge_ns;
	estimate->bytes += gather->pages * page_size + gather->huge * job->context->huge_size;
}

static void count_states(const struct bm_job *job)
{
	struct bm_estimate *estimate = job->estimate;

	for (size_t i = 0; i < job->unit_count; i++) {
		const struct bm_unit *unit = &job->units[i];

		estimate->pages += unit->items;
		if (unit->state == BM_UNIT_ABSENT)
			estimate->absent += unit->items;
		else if (unit->state == BM_UNIT_ALREADY || unit->there)
			estimate->already += unit->items;
	}
}

void bm_forecast_slice(struct bm_job *job)
{
	struct bm_estimate *estimate = job->estimate;
	struct gather gather = {.job = job, .start = UINT64_MAX, .node = -1};
	unsigned int threads = job->threads;
	size_t todo;

	count_states(job);
	todo = bm_plan_order(job->units, job->unit_count, job->order);
	if (job->choice.wants_swap && !job->no_swap)
		threads = bm_swap_pass_plan(job, todo);
	else
		job->chunk_bytes = BM_SLAB_PAGES * job->context->page_size;
	for (size_t i = 0; i < todo; i++)
		add(&gather, &job->units[job->order[i]]);
	flush(&gather);
	add_calls(&gather);
	estimate->ns += gather.swap_ns / threads + gather.kernel_ns / job->threads;
	estimate->threads = threads > estimate->threads ? threads : estimate->threads;
}
