/* SPDX-License-Identifier: MIT */
/* batch.c - handles of batches: from their submission to their end. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>

#include "cancel.h"
#include "error.h"
#include "perform.h"
#include "request.h"
#include "structs.h"

struct bm_batch {
	struct bm_task task; /* first */
	struct bm_context *context;
	struct bm_request request;
	struct bm_choice choice;
	struct bm_pace pace;
	struct bm_stalls stalls;
	int event_fd;      /* a duplicate, -1 none */
	atomic_uint holds; /* the caller's handle, and the queue until it has told */
	uint64_t entries;
	long result;
	struct bm_report report;
};

static uint64_t region_size(const struct bm_context *context)
{
	return context->huge_size ? context->huge_size : context->page_size;
}

/* Ranges: base pages, at least one byte of which is in them. */
static uint64_t entries_of(const struct bm_context *context, const struct bm_request *request)
{
	uint64_t size = context->page_size, pages = 0;

	if (!request->ranges)
		return request->count;
	for (size_t i = 0; i < request->count; i++) {
		const char *at = (const char *)request->ranges + i * request->range_size;
		const struct bm_range *range = (const void *)at;
		uint64_t start = (uint64_t)(uintptr_t)range->addr;

		if (range->length)
			pages += (start + range->length - 1) / size - start / size + 1;
	}
	return pages;
}

/* ---------------------------------------------------------------- handles */

static void let_go(struct bm_batch *batch)
{
	if (atomic_fetch_sub(&batch->holds, 1) > 1)
		return;
	bm_context_let_go(batch->context);
	free(batch);
}

/* Both in a thread of the queue. */
static void run_task(struct bm_task *task)
{
	struct bm_batch *batch = (struct bm_batch *)(void *)task;

	if (bm_pace_canceled(&batch->pace))
		batch->result = -ECANCELED;
	else
		batch->result =
			bm_perform(batch->context, &batch->request, &batch->choice, &batch->report);
	if (batch->result < 0)
		bm_perform_nothing(&batch->request, (int)batch->result, &batch->report);
}

static void tell_task(struct bm_task *task)
{
	struct bm_batch *batch = (struct bm_batch *)(void *)task;

	if (batch->event_fd >= 0) {
		batch->context->sys->event_signal(batch->event_fd);
		batch->context->sys->close_raw(batch->event_fd);
	}
	if (batch->request.done)
		batch->request.done(batch->request.done_user, batch, batch->result);
	let_go(batch);
}

/* What the kernel refuses whatever the pages are. */
static int probe(const struct bm_context *context, const struct bm_request *request)
{
	int flags = request->flags & BM_MOVE_ALL ? MPOL_MF_MOVE_ALL : 0;

	if (request->count == 0)
		return 0;
	return (int)context->sys->move_pages(request->pid, 0, NULL, NULL, NULL, flags);
}

/* What a batch refers to beside its memory. */
static int take_event(struct bm_batch *batch)
{
	int fd = batch->request.event_fd;

	batch->event_fd = -1;
	if (fd == -1)
		return 0;
	fd = fd < 0 ? -EBADF : batch->context->sys->event_dup(fd);
	if (fd < 0)
		return bm_request_refuse(batch->context, fd, bm_error_text(fd));
	batch->event_fd = fd;
	return 0;
}

static int submit(struct bm_batch *batch)
{
	int rc = take_event(batch);

	if (rc < 0)
		return rc;
	batch->task.run = run_task;
	batch->task.tell = tell_task;
	batch->task.tells_nobody = !batch->request.done && batch->event_fd < 0;
	batch->task.pace = &batch->pace;
	batch->task.priority = batch->request.priority;
	batch->choice.pace = &batch->pace;
	batch->choice.stalls = &batch->stalls;
	batch->stalls.bound_ns = batch->choice.bound_ns;
	bm_footprint_take(&batch->task.footprint, &batch->request, region_size(batch->context));
	bm_request_pace(batch->context, &batch->request, &batch->pace);
	rc = bm_queue_submit(&batch->context->queue, &batch->task);
	if (rc < 0 && batch->event_fd >= 0)
		batch->context->sys->close_raw(batch->event_fd);
	return rc < 0 ? bm_request_refuse(batch->context, rc, bm_error_text(rc)) : 0;
}

/* A checked request. */
static int make(struct bm_context *context, const struct bm_request *request,
		const struct bm_choice *choice, struct bm_batch **batch)
{
	struct bm_batch *made = context->sys->alloc(1, sizeof(*made)), *old = *batch;
	int rc;

	if (!made)
		return -ENOMEM;
	made->context = context;
	made->request = *request;
	made->choice = *choice;
	made->entries = entries_of(context, request);
	atomic_init(&made->holds, 2);
	bm_context_hold(context);
	/* Before it is submitted: its callback may be the first to use it. */
	*batch = made;
	rc = submit(made);
	if (rc < 0) {
		*batch = old;
		bm_context_let_go(context);
		free(made);
	}
	return rc;
}

static int take(struct bm_context *context, const struct bm_request *request,
		struct bm_batch **batch)
{
	struct bm_request known;
	struct bm_choice choice;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!batch)
		return -EINVAL;
	rc = bm_request_take(context, request, &known);
	if (rc == 0)
		rc = bm_request_check(context, &known, &choice);
	if (rc < 0)
		return rc;
	rc = probe(context, &known);
	if (rc < 0)
		return bm_request_refuse(context, rc, bm_error_text(rc));
	return make(context, &known, &choice, batch);
}

int bm_submit(struct bm_context *context, const struct bm_request *request, struct bm_batch **batch)
{
	struct bm_cancel before;
	int rc;

	bm_cancel_off(&before);
	rc = take(context, request, batch);
	bm_cancel_on(&before);
	return rc;
}

/* 0, or why the handle cannot be used. */
static int batch_ok(struct bm_batch *batch)
{
	struct bm_context *context;

	if (!batch)
		return -EINVAL;
	context = batch->context;
	return bm_context_get(&context);
}

static int wait_for(struct bm_batch *batch, int64_t timeout_us)
{
	struct bm_cancel before;
	int rc;

	bm_cancel_off(&before);
	rc = bm_queue_wait(&batch->context->queue, &batch->task, timeout_us);
	bm_cancel_on(&before);
	return rc;
}

long bm_batch_wait(struct bm_batch *batch, int64_t timeout_us)
{
	int rc = timeout_us < BM_FOREVER ? -EINVAL : batch_ok(batch);

	if (rc == 0)
		rc = wait_for(batch, timeout_us);
	return rc < 0 ? rc : batch->result;
}

int bm_batch_cancel(struct bm_batch *batch)
{
	struct bm_cancel before;
	int rc = batch_ok(batch);

	if (rc < 0)
		return rc;
	bm_cancel_off(&before);
	bm_queue_cancel(&batch->context->queue, &batch->task);
	bm_cancel_on(&before);
	return 0;
}

int bm_batch_report(struct bm_batch *batch, struct bm_report *report, size_t size)
{
	int rc = batch_ok(batch);

	if (rc < 0)
		return rc;
	if (!report || !bm_struct_size_ok(size, sizeof(*report)))
		return -EINVAL;
	if (wait_for(batch, 0) < 0)
		return -EBUSY;
	bm_struct_export(report, size, &batch->report, sizeof(batch->report));
	return 0;
}

int bm_batch_free(struct bm_batch *batch)
{
	int rc = batch ? batch_ok(batch) : -EINVAL;

	if (!batch)
		return 0;
	if (rc == 0)
		rc = wait_for(batch, BM_FOREVER);
	if (rc == -EDEADLK)
		return rc;
	/* In a child there is no queue that would let go of it. */
	if (rc == -ESTALE)
		atomic_store(&batch->holds, 1);
	let_go(batch);
	return 0;
}

/* ---------------------------------------------------------------- progress */

static int state_of(struct bm_batch *batch, uint32_t state)
{
	if (state == BM_TASK_ENDED)
		return BM_BATCH_COMPLETE;
	if (state == BM_TASK_QUEUED)
		return BM_BATCH_QUEUED;
	return atomic_load(&batch->pace.held) ? BM_BATCH_PAUSED : BM_BATCH_RUNNING;
}

int bm_batch_progress(struct bm_batch *batch, struct bm_progress *progress, size_t size)
{
	struct bm_progress now = {0};
	struct bm_cancel before;
	struct bm_task_times times;
	int rc = batch_ok(batch);

	if (rc < 0)
		return rc;
	if (!progress || !bm_struct_size_ok(size, sizeof(*progress)))
		return -EINVAL;
	bm_cancel_off(&before);
	bm_queue_times(&batch->context->queue, &batch->task, &times);
	bm_cancel_on(&before);
	now.state = state_of(batch, times.state);
	now.canceled = bm_pace_canceled(&batch->pace);
	now.ns_queued = times.ns_queued;
	now.ns_running = times.ns_running;
	now.entries = batch->entries;
	now.settled =
		times.state == BM_TASK_ENDED ? now.entries : atomic_load(&batch->pace.settled);
	now.bytes_moved = atomic_load(&batch->pace.bytes_moved);
	bm_struct_export(progress, size, &now, sizeof(now));
	return 0;
}

/* ---------------------------------------------------------------- short forms */

/* Batches in flight that were submitted before come first. */
static int wait_for_turn(struct bm_context *context, const struct bm_request *request)
{
	struct bm_footprint footprint;

	if (request->count == 0 || bm_queue_is_empty(&context->queue))
		return 0;
	bm_footprint_take(&footprint, request, region_size(context));
	return bm_queue_wait_for(&context->queue, &footprint);
}

static long run_here(struct bm_context *context, const struct bm_request *request,
		     struct bm_choice *choice)
{
	struct bm_stalls stalls = {.bound_ns = choice->bound_ns};
	struct bm_pace pace;

	bm_request_pace(context, request, &pace);
	choice->pace = &pace;
	choice->stalls = &stalls;
	return bm_perform(context, request, choice, NULL);
}

static long run_in_turn(struct bm_context *context, const struct bm_request *request)
{
	int rc = bm_context_get(&context);
	struct bm_choice choice;

	if (rc < 0)
		return rc;
	rc = bm_request_check(context, request, &choice);
	if (rc == 0)
		rc = wait_for_turn(context, request);
	if (rc < 0)
		return rc;
	if (bm_perform_one_will_do(context, request, &choice) && bm_perform_one(context, request))
		return 0;
	return run_here(context, request, &choice);
}

static long run_short(struct bm_context *context, const struct bm_request *request)
{
	struct bm_cancel before;
	long result;

	bm_cancel_off(&before);
	result = run_in_turn(context, request);
	bm_cancel_on(&before);
	return result;
}

long bm_migrate_batch(struct bm_context *context, size_t count, void *const *pages,
		      const int *nodes, int *status, uint64_t flags)
{
	struct bm_request request = {.size = sizeof(request),
				     .flags = flags,
				     .count = count,
				     .pages = pages,
				     .nodes = nodes,
				     .status = status,
				     .event_fd = -1};

	return run_short(context, &request);
}

long bm_migrate_ranges(struct bm_context *context, size_t count, struct bm_range *ranges,
		       size_t range_size, uint64_t flags)
{
	struct bm_request request = {.size = sizeof(request),
				     .flags = flags,
				     .count = count,
				     .ranges = ranges,
				     .range_size = range_size,
				     .event_fd = -1};

	return run_short(context, &request);
}
