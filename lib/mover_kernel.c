/* SPDX-License-Identifier: MIT */
/* mover_kernel.c - move_pages(2), and what its results mean. */
#include "mover_kernel.h"

#include <errno.h>
#include <limits.h>

#include "error.h"
#include "probes.h"

/* The kernel leaves the statuses of a failed list unwritten: this one stays there. */
#define UNWRITTEN INT_MIN

static void set_error(struct bm_unit *unit, int error, enum bm_reason reason)
{
	unit->error = error;
	unit->reason = (unsigned char)reason;
}

/* A whole call was refused: the reason is then not that of a page. */
static void refuse_call(struct bm_unit *unit, int rc)
{
	set_error(unit, rc, rc == -EACCES ? BM_REASON_CPUSET : bm_reason_of(rc));
}

static size_t gather(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call)
{
	const uint32_t *order = job->order + call->first;
	const struct bm_unit *units = job->units;
	const struct bm_scratch here = *scratch;
	size_t count = 0;

	for (size_t i = 0, last = call->count; i < last; i++) {
		const struct bm_unit *unit = &units[order[i]];

		if (unit->state != BM_UNIT_TODO)
			continue;
		here.pages[count] = (void *)(uintptr_t)unit->addr;
		here.nodes[count] = unit->node;
		here.status[count++] = UNWRITTEN;
	}
	return count;
}

/* What a call came to. */
struct outcome {
	long rc;
	size_t ended; /* entries up to the last one that has ended a list */
	size_t tried; /* entries that the kernel came to */
};

/*
 * A list that fails ends the call: rc is then the pages that failed and all
 * entries after the one that ended the list, of which the status is written
 * before. When it was the last list, there is none.
 */
static struct outcome outcome_of(long rc, const int *status, size_t count)
{
	struct outcome outcome = {.rc = rc, .ended = count, .tried = count};

	if (rc <= 0)
		return outcome;
	while (outcome.ended > 0 && status[outcome.ended - 1] == UNWRITTEN)
		outcome.ended--;
	if ((size_t)rc > count - outcome.ended)
		outcome.tried = outcome.ended;
	return outcome;
}

/* Asks again about units of which the call said nothing; they may well have moved. */
static void settle_unwritten(struct bm_job *job, struct bm_scratch *scratch, size_t count)
{
	int answers[64];

	for (size_t i = 0; i < count; i++) {
		size_t some = 0;

		if (scratch->status[i] != UNWRITTEN)
			continue;
		while (i + some < count && some < 64 && scratch->status[i + some] == UNWRITTEN)
			some++;
		if (job->sys->move_pages(job->pid, some, scratch->pages + i, NULL, answers,
					 job->kernel_flags) < 0)
			return;
		for (size_t k = 0; k < some; k++) {
			if (answers[k] == scratch->nodes[i + k] || answers[k] < 0)
				scratch->status[i + k] = answers[k];
		}
		i += some - 1;
	}
}

/* A unit that did not move, though the kernel came to it. */
static void settle_failed(struct bm_unit *unit, int status, long rc, int list_ended)
{
	if (status != UNWRITTEN) {
		set_error(unit, status, bm_reason_of(status));
		/* It would end a list again: not before the next round. */
		unit->state = bm_error_transient(status) ? BM_UNIT_WAIT : BM_UNIT_LEFT;
		/* What another try would not change. */
		if (status == -ENOENT || status == -EFAULT)
			unit->status = status;
	} else if (rc < 0) {
		refuse_call(unit, (int)rc);
	} else {
		/* rc > 0: pages that the kernel tried and could not move. */
		set_error(unit, -EBUSY, BM_REASON_BUSY);
		/* At the head of the next call it would fail the first list again. */
		if (list_ended)
			unit->state = BM_UNIT_WAIT;
	}
}

/* Writes the outcome to the units; returns how many moved. */
static size_t settle(struct bm_job *job, const struct bm_scratch *scratch,
		     const struct bm_call *call, struct outcome outcome)
{
	const uint32_t *order = job->order + call->first;
	const int *status = scratch->status, *end = status + outcome.tried;
	const int *ended = status + outcome.ended;
	struct bm_unit *units = job->units;
	size_t moved = 0;

	for (size_t i = 0; status < end && i < call->count; i++) {
		struct bm_unit *unit = &units[order[i]];

		if (unit->state != BM_UNIT_TODO)
			continue;
		if (unit->tried < UCHAR_MAX)
			unit->tried++;
		if (*status >= 0) {
			bm_unit_moved(unit, *status);
			moved++;
		} else {
			settle_failed(unit, *status, outcome.rc, status < ended);
		}
		status++;
	}
	return moved;
}

#define FULL_BITS (8 * sizeof(unsigned long))

static int is_full(struct bm_job *job, int node)
{
	unsigned int bit = (unsigned int)node;

	return atomic_load_explicit(&job->full[bit / FULL_BITS], memory_order_relaxed) >>
		       bit % FULL_BITS &
	       1;
}

static void set_full(struct bm_job *job, int node)
{
	unsigned int bit = (unsigned int)node;

	atomic_fetch_or_explicit(&job->full[bit / FULL_BITS], 1ul << bit % FULL_BITS,
				 memory_order_relaxed);
}

static void skip_full(struct bm_job *job, const struct bm_call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		struct bm_unit *unit = &job->units[job->order[call->first + i]];

		if (unit->state == BM_UNIT_TODO)
			set_error(unit, -ENOMEM, BM_REASON_TARGET_FULL);
	}
}

/* Of a call of `moved` units. */
static void end_waiting(struct bm_job *job, const struct bm_call *call, size_t moved)
{
	if (moved == call->count)
		return;
	for (size_t i = 0; i < call->count; i++) {
		struct bm_unit *unit = &job->units[job->order[call->first + i]];

		if (unit->state == BM_UNIT_WAIT)
			unit->state = BM_UNIT_TODO;
	}
}

static void follow_call(struct bm_job *job, const struct bm_call *call, uint64_t ns)
{
	uint32_t huge = 0;

	for (size_t i = 0; i < call->count; i++)
		huge += job->units[job->order[call->first + i]].huge != 0;
	bm_rates_follow_call(job->rates, call->count - huge, huge, ns);
}

/* How long it took is how long its pages were out of reach, at most. */
static long move_timed(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call,
		       size_t count)
{
	const struct bm_sys *sys = job->sys;
	uint64_t bound = job->choice.bound_ns, before = bound ? sys->switches() : 0;
	uint64_t begin = sys->now_ns(), took;
	long rc;

	BM_PROBE2(call__begin, count, scratch->nodes[0]);
	rc = sys->move_pages(job->pid, count, scratch->pages, scratch->nodes, scratch->status,
			     job->kernel_flags);
	took = sys->now_ns() - begin;
	BM_PROBE2(call__end, rc, took);
	bm_stalls_call(job->choice.stalls, took);
	if (bound && rc == 0 && count == call->count && sys->switches() == before)
		follow_call(job, call, took);
	return rc;
}

void bm_mover_move_pages(struct bm_job *job, struct bm_scratch *scratch, const struct bm_call *call)
{
	int node = job->units[job->order[call->first]].node;
	size_t count, some, moved = 0;
	struct outcome outcome;
	long rc;

	/* Each further call would search the whole node for a free page again. */
	if (is_full(job, node)) {
		skip_full(job, call);
		return;
	}
	/*
	 * The kernel stops at the first list that fails. What it did not come to
	 * is in one list the next time, without those that ended the first ones.
	 */
	for (size_t before = SIZE_MAX; (count = gather(job, scratch, call)) > 0 && count < before;
	     before = count) {
		rc = move_timed(job, scratch, call, count);
		atomic_fetch_add_explicit(&job->kernel_calls, 1, memory_order_relaxed);
		outcome = outcome_of(rc, scratch->status, count);
		if (rc != 0)
			settle_unwritten(job, scratch, outcome.tried);
		some = settle(job, scratch, call, outcome);
		moved += some;
		if (some == 0 && rc == -ENOMEM)
			set_full(job, node);
		if (rc <= 0)
			break;
	}
	end_waiting(job, call, moved);
}
