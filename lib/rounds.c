/* SPDX-License-Identifier: MIT */
/* rounds.c - calls of the kernel's movers, and tries that follow them. */
#include "rounds.h"

#include <errno.h>

#include "cost.h"
#include "error.h"
#include "bounds.h"
#include "locate.h"
#include "missed.h"
#include "mover_kernel.h"
#include "mover_mbind.h"

/* Below that the fixed cost of a call is what is measured. */
#define FOLLOWED_PAGES 64u

/* What an earlier try was told says more. */
static void refuse_call(struct bm_job *job, const struct bm_call *call, int error,
			enum bm_reason reason)
{
	for (size_t i = 0; i < call->count; i++) {
		struct bm_unit *unit = &job->units[job->order[call->first + i]];

		if (unit->error)
			continue;
		unit->error = error;
		unit->reason = (unsigned char)reason;
	}
}

/* What a call is about. */
struct load {
	uint32_t pages, huge; /* base pages that are not of a huge one; huge pages */
	uint64_t bytes;
};

static struct load load_of(const struct bm_job *job, const struct bm_call *call, int moved)
{
	struct load load = {0};

	for (size_t i = 0; i < call->count; i++) {
		const struct bm_unit *unit = &job->units[job->order[call->first + i]];

		if (moved && unit->state != BM_UNIT_MOVED)
			continue;
		load.huge += unit->huge != 0;
		load.pages += !unit->huge;
		load.bytes += unit->end - bm_unit_start(unit, job->context->huge_size);
	}
	return load;
}

/* Calls of huge pages, and large ones of base pages, tell what the kernel takes. */
static void follow(struct bm_job *job, const struct load *load, const struct load *moved,
		   uint64_t ns)
{
	if (load->huge == 0 && load->pages >= FOLLOWED_PAGES && moved->pages == load->pages)
		bm_rates_follow_kernel(job->rates, load->pages, ns);
	else if (load->pages == 0 && moved->huge == load->huge)
		bm_rates_follow_kernel_huge(job->rates, load->huge, ns);
}

static void move_call(void *arg, unsigned int worker, size_t block)
{
	struct bm_job *job = arg;
	const struct bm_call *call = &job->calls[block];
	struct load load = load_of(job, call, 0), moved;
	uint64_t begin;

	if (bm_bounds_call_refused(job, load.pages, load.huge) &&
	    !bm_rates_try_call(job->rates, load.huge)) {
		refuse_call(job, call, -ETIME, BM_REASON_BOUND);
		return;
	}
	if (bm_pace_begin(job->choice.pace, load.bytes) < 0) {
		refuse_call(job, call, -ECANCELED, BM_REASON_CANCELED);
		return;
	}
	begin = job->sys->now_ns();
	if (job->mover == BM_MOVER_MBIND && job->pid == 0)
		bm_mover_mbind(job, &job->scratch[worker], call);
	bm_mover_move_pages(job, &job->scratch[worker], call);
	moved = load_of(job, call, 1);
	follow(job, &load, &moved, job->sys->now_ns() - begin);
	bm_pace_end(job->choice.pace, load.bytes, moved.bytes);
}

void bm_rounds_move_once(struct bm_job *job)
{
	struct bm_call_size most = bm_bounds_call_size(job);
	unsigned int threads;

	for (size_t i = 0; i < sizeof(job->full) / sizeof(job->full[0]); i++)
		atomic_store_explicit(&job->full[i], 0, memory_order_relaxed);
	job->todo = bm_plan_order(job->units, job->unit_count, job->order);
	job->call_count = bm_plan_calls(job->units, job->order, job->todo, &most, job->calls);
	threads = bm_workers_run(job->sys, &job->placement, job->threads, job->call_count,
				 move_call, job);
	if (threads > job->report.threads)
		job->report.threads = threads;
}

/* Gives up what another try would not help; returns how much is still to do. */
static size_t give_up(struct bm_job *job, int last)
{
	size_t left = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		struct bm_unit *unit = &job->units[i];

		if (unit->state != BM_UNIT_TODO)
			continue;
		if (last || !bm_error_transient(unit->error))
			unit->state = BM_UNIT_LEFT;
		else
			left++;
	}
	return left;
}

/*
 * A busy page may be one of a folio that another entry has moved: asking costs
 * a twentieth of another try, and no pause. Returns how many have arrived.
 */
static size_t find_arrived(struct bm_job *job)
{
	size_t count = 0, arrived = 0;

	for (size_t i = 0; i < job->unit_count; i++) {
		if (job->units[i].state == BM_UNIT_TODO && job->units[i].error == -EBUSY)
			job->order[count++] = (uint32_t)i;
	}
	bm_locate_units(job, &job->scratch[0], job->order, 0, count);
	for (size_t i = 0; i < count; i++) {
		struct bm_unit *unit = &job->units[job->order[i]];

		if (unit->status != unit->node)
			continue;
		bm_unit_moved(unit, unit->node);
		arrived++;
	}
	return arrived;
}

void bm_rounds_move(struct bm_job *job)
{
	const int64_t *value = job->context->config.value;
	unsigned int retries = (unsigned int)value[BM_OPTION_RETRIES];

	for (unsigned int round = 0;; round++) {
		size_t left;

		bm_rounds_move_once(job);
		left = job->todo ? give_up(job, round == retries) : 0;
		if (left == 0 || left == find_arrived(job))
			break;
		bm_pace_sleep(job->choice.pace,
			      bm_cost_pause_us((uint64_t)value[BM_OPTION_RETRY_US], round + 1));
	}
}

void bm_rounds_move_missed(struct bm_job *job)
{
	const int64_t *value = job->context->config.value;
	unsigned int retries = (unsigned int)value[BM_OPTION_RETRIES];

	for (unsigned int round = 0; round <= retries && !bm_pace_canceled(job->choice.pace);
	     round++) {
		size_t found = bm_missed_find(job, BM_UNIT_MOVED, BM_UNIT_TODO);

		if (found > 0)
			bm_rounds_move(job);
		else if (job->passing > 0 && round < retries)
			bm_pace_sleep(
				job->choice.pace,
				bm_cost_pause_us((uint64_t)value[BM_OPTION_RETRY_US], round + 1));
		else
			break;
	}
}

void bm_rounds_give_up(struct bm_job *job)
{
	give_up(job, 1);
}
