/* SPDX-License-Identifier: MIT */
/* job.c - works a batch off, slice by slice. */
#include "job.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>

#include "bind.h"
#include "classify.h"
#include "cost.h"
#include "forecast.h"
#include "least.h"
#include "locate.h"
#include "replay.h"
#include "results.h"
#include "rounds.h"
#include "spread.h"
#include "swap_pass.h"
#include "witness.h"

#define REPLAYS 2

/* Carves an array out of the memory of the job; with NULL only adds up its size. */
static void *carve(char *memory, size_t *used, size_t count, size_t size)
{
	size_t at = *used;

	*used = (at + count * size + 15) & ~(size_t)15;
	return memory ? memory + at : NULL;
}

static size_t lay_out(struct bm_job *job, char *memory, size_t units)
{
	size_t used = 0, rooms = job->threads * job->room;
	struct bm_scratch all;

	job->items = carve(memory, &used, job->count, sizeof(*job->items));
	job->spare = carve(memory, &used, job->count, sizeof(*job->spare));
	job->units = carve(memory, &used, units, sizeof(*job->units));
	job->order = carve(memory, &used, units, sizeof(*job->order));
	job->calls = carve(memory, &used, units, sizeof(*job->calls));
	job->scratch = carve(memory, &used, job->threads, sizeof(*job->scratch));
	all.pages = carve(memory, &used, rooms, sizeof(*all.pages));
	all.nodes = carve(memory, &used, rooms, sizeof(*all.nodes));
	all.status = carve(memory, &used, rooms, sizeof(*all.status));
	for (size_t i = 0; memory && i < job->threads; i++)
		job->scratch[i] =
			(struct bm_scratch){all.pages + i * job->room, all.nodes + i * job->room,
					    all.status + i * job->room};
	return used;
}

static uint64_t region_size(const struct bm_job *job)
{
	const struct bm_context *context = job->context;

	return context->huge_size ? context->huge_size : context->page_size;
}

static int take_memory(struct bm_job *job)
{
	const struct bm_context *context = job->context;
	size_t call_pages = (size_t)context->config.value[BM_OPTION_CALL_PAGES];
	size_t region_pages = region_size(job) / context->page_size;
	size_t units;

	/* One thread is the answer for a small batch, without a system call. */
	job->threads = job->count < 2 * call_pages
			       ? 1
			       : bm_cost_threads(context->config.value[BM_OPTION_THREADS],
						 job->sys->cpus(), job->count / call_pages);
	job->slice = bm_cost_slice_units(job->threads, call_pages);
	units = bm_least(job->count, job->slice + region_pages);
	job->room = bm_least(call_pages, units);
	job->memory = bm_arena_take(&job->context->arena, job->sys, lay_out(job, NULL, units));
	if (!job->memory)
		return -ENOMEM;
	lay_out(job, job->memory, units);
	return 0;
}

static int prepare(struct bm_job *job)
{
	uint64_t page_size = job->context->page_size;
	int rc;

	job->kernel_flags = job->flags & BM_MOVE_ALL ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;
	rc = take_memory(job);
	if (rc < 0)
		return rc;
	/* Untouched, the spare of a large batch costs nothing. */
	if (!bm_plan_items(job->pages, job->count, page_size, job->items))
		bm_plan_sort(job->items, job->spare, job->count, page_size);
	if (job->flags & BM_BIND)
		rc = bm_bind_check(job->context,
				   bm_plan_runs(job->items, job->count, job->nodes, page_size));
	return rc;
}

static void release(struct bm_job *job)
{
	bm_arena_give(&job->context->arena, job->memory);
	job->memory = NULL;
}

/* What is there already and was not replaced needs no other mover. */
static void keep_there(struct bm_job *job)
{
	size_t count = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		const struct bm_unit *unit = &job->units[i];

		if (unit->state == BM_UNIT_TODO &&
		    (!unit->there || unit->left == BM_REASON_POISONED))
			job->order[count++] = (uint32_t)i;
	}
	bm_locate_units(job, &job->scratch[0], job->order, 0, count);
	for (size_t i = 0; i < job->unit_count; i++) {
		struct bm_unit *unit = &job->units[i];

		if (unit->state == BM_UNIT_TODO && unit->status == unit->node)
			unit->state = BM_UNIT_ALREADY;
		else if (unit->state == BM_UNIT_TODO &&
			 (unit->status == -ENOENT || unit->status == -EFAULT))
			unit->state = BM_UNIT_ABSENT;
	}
}

static void move_slice(struct bm_job *job)
{
	bm_spread(job);
	if (job->choice.wants_swap)
		bm_swap_pass(job);
	if (job->replace)
		keep_there(job);
	if (bm_classify_hold_back(job) > 0) {
		bm_rounds_move_once(job);
		bm_classify_let_go(job);
	}
	bm_rounds_move(job);
	bm_rounds_move_missed(job);
	job->mixed = 0;
	/* A second time for what the kernel has split; what it splits then stays. */
	for (int round = 0; !bm_pace_canceled(job->choice.pace) && bm_replay_dragged(job) > 0;
	     round++) {
		if (round == REPLAYS) {
			bm_rounds_give_up(job);
			break;
		}
		bm_rounds_move(job);
	}
}

/* Adds the time since *mark to a phase and sets the mark anew. */
static void lap(const struct bm_job *job, uint64_t *mark, uint64_t *phase)
{
	uint64_t now = job->sys->now_ns();

	*phase += now - *mark;
	*mark = now;
}

/*
 * The answer of a single call stands. What a longer batch was told may be out
 * of date: asked again, unless nobody else can have moved a page meanwhile.
 */
static int is_settled(struct bm_job *job, struct bm_witness *witness)
{
	struct bm_witness before = *witness;
	uint64_t moved = 0;

	if (job->mixed)
		return 0;
	if (job->count <= job->room)
		return 1;
	for (size_t i = 0; i < job->unit_count; i++) {
		/* Those that were swapped the kernel does not count. */
		if (job->units[i].state == BM_UNIT_MOVED && !job->units[i].swapped)
			moved += job->units[i].huge ? job->context->huge_size
						    : job->context->page_size;
	}
	bm_witness_read(job->sys, witness);
	return bm_witness_alone(&before, witness, moved / job->context->page_size);
}

/* Why the kernel refuses this batch altogether, 0 when something was moved. */
static int refused(struct bm_job *job)
{
	for (size_t i = 0; i < job->unit_count; i++) {
		if (job->units[i].state == BM_UNIT_MOVED)
			return 0;
	}
	return atomic_load(&job->refused);
}

static int run_slice(struct bm_job *job, struct bm_plan *plan, struct bm_witness *witness)
{
	struct bm_report *report = &job->report;
	uint64_t mark = job->sys->now_ns();
	size_t begin = plan->next;
	int first = begin == 0;

	job->unit_count = bm_plan_units(plan, job->units, job->slice);
	job->one_target = !plan->mixed;
	lap(job, &mark, &report->ns_plan);
	bm_classify(job);
	lap(job, &mark, &report->ns_classify);
	if (first && atomic_load(&job->refused))
		return refused(job);
	if (job->estimate) {
		bm_forecast_slice(job);
		return 0;
	}
	move_slice(job);
	lap(job, &mark, &report->ns_move);
	bm_classify_settle(job, is_settled(job, witness));
	/* A batch too small to be asked about before learns only now that it is refused. */
	if (first && atomic_load(&job->refused) && refused(job))
		return refused(job);
	if (job->flags & BM_BIND)
		bm_bind_units(job);
	bm_results_write(job);
	atomic_fetch_add(&job->choice.pace->settled, plan->next - begin);
	lap(job, &mark, &report->ns_verify);
	return 0;
}

static int run(struct bm_job *job)
{
	struct bm_witness witness = {0};
	struct bm_plan plan = {.items = job->items,
			       .count = job->count,
			       .nodes = job->nodes,
			       .page_size = job->context->page_size,
			       .region = region_size(job)};
	int rc = 0;

	bm_classify_open(job);
	bm_swap_pass_open(job);
	if (job->count > job->room)
		bm_witness_read(job->sys, &witness);
	while (plan.next < plan.count && rc == 0 && !bm_pace_canceled(job->choice.pace))
		rc = run_slice(job, &plan, &witness);
	if (rc == 0)
		bm_results_cancel(job, plan.next);
	bm_swap_pass_close(job);
	bm_classify_close(job);
	bm_tally_sort(&job->report.tally);
	job->report.kernel_calls = atomic_load(&job->kernel_calls);
	return rc;
}

void bm_job_init(struct bm_job *job, struct bm_context *context, const struct bm_request *request,
		 const struct bm_choice *choice)
{
	memset(job, 0, sizeof(*job));
	job->context = context;
	job->sys = context->sys;
	job->pid = request->pid;
	job->flags = request->flags;
	job->mover = choice->mover;
	job->choice = *choice;
	job->rates = &context->pairs.general;
	job->replace = (request->flags & BM_REPLACE) != 0;
	job->count = request->count;
	job->pages = request->pages;
	job->nodes = request->nodes;
	job->status = request->status;
	job->reasons = request->reasons;
	job->exact = request->reasons != NULL;
	/* A part of a huge page must not be registered either. */
	job->whole = choice->mover == BM_MOVER_MBIND || request->flags & BM_BIND ||
		     choice->wants_swap || choice->bound_ns ||
		     (choice->pace && bm_pace_portion(choice->pace) != UINT64_MAX);
}

long bm_job_whole(struct bm_job *job)
{
	int rc = 0;

	if (job->count == 0)
		return 0;
	/* mbind(2) moves also where it is forbidden to ask what became of the pages. */
	if (job->mover == BM_MOVER_MBIND)
		rc = (int)job->sys->move_pages(job->pid, 0, NULL, NULL, NULL, 0);
	if (rc == 0)
		rc = prepare(job);
	if (rc == 0)
		rc = run(job);
	release(job);
	return rc < 0 ? rc : (long)job->misplaced;
}
