/* SPDX-License-Identifier: MIT */
/* batch.c - requests in, results out. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>

#include "cost.h"
#include "job.h"
#include "range.h"
#include "registry.h"
#include "structs.h"

#define KNOWN_FLAGS (BM_MOVE_ALL | BM_BIND | BM_QUIET | BM_REPLACE)
/* No address space holds longer arrays; sizes computed from a count cannot overflow. */
#define COUNT_LIMIT (SIZE_MAX / 128)

struct bm_batch {
	struct bm_context *context;
	long result;
	struct bm_report report;
};

int bm_request_init(struct bm_request *request, size_t size)
{
	struct bm_request empty = {.size = size};

	if (!request || !bm_struct_size_ok(size, sizeof(empty)))
		return -EINVAL;
	bm_struct_export(request, size, &empty, sizeof(empty));
	return 0;
}

/* What was asked cannot be: said once, here. */
static int refuse(const struct bm_context *context, int rc, const char *why)
{
	bm_log(&context->config.log, BM_LOG_ERROR, "a batch was refused: %s", why);
	return rc;
}

static int check_arrays(const struct bm_context *context, const struct bm_request *request)
{
	if (request->count > COUNT_LIMIT)
		return refuse(context, -E2BIG, "no arrays can have so many entries as count says");
	if (request->ranges) {
		if (request->pages || request->nodes || request->status || request->reasons)
			return refuse(context, -EINVAL, "either ranges or pages, not both");
		return bm_range_size_ok(request->range_size)
			       ? 0
			       : refuse(context, -EINVAL,
					"range_size must be sizeof(struct bm_range)");
	}
	if (request->count == 0 || (request->pages && request->nodes && request->status))
		return 0;
	return refuse(context, -EINVAL, "pages, nodes and status, or ranges, must be given");
}

/* The mover of this request by name, or -errno. */
static int find_mover(const struct bm_context *context, const struct bm_request *request)
{
	char why[BM_WHY_MAX] = "";
	int mover = (int)context->config.value[BM_OPTION_MOVER];
	int rc = 0;

	if (request->backend)
		rc = bm_registry_check(request->backend, "backend", why);
	if (rc == 0 && request->mover)
		rc = mover = bm_mover_parse(request->mover, "mover", why);
	if (rc < 0) {
		bm_log(&context->config.log, BM_LOG_ERROR, "%s", why);
		return rc;
	}
	return mover;
}

/* Swap comes first where it is named, or may choose itself under the promise. */
static void choose(const struct bm_context *context, const struct bm_request *request, int mover,
		   struct bm_choice *choice)
{
	const char *list = request->backend ? request->backend : context->config.backend;
	int named;

	choice->mover = mover == BM_MOVER_SWAP ? BM_MOVER_AUTO : (enum bm_mover)mover;
	choice->backend = bm_registry_copying(list, &named);
	if (context->copies)
		choice->backend = context->copies;
	choice->quiet = named || request->flags & BM_QUIET ||
			context->config.value[BM_OPTION_QUIET] != BM_QUIET_NO;
	choice->wants_swap = choice->backend &&
			     (mover == BM_MOVER_SWAP || (mover == BM_MOVER_AUTO && choice->quiet));
	choice->named = mover == BM_MOVER_SWAP;
	if (!choice->named && request->pages && !(request->flags & BM_REPLACE) &&
	    bm_cost_swap_too_small(request->count))
		choice->wants_swap = 0;
}

static int check(const struct bm_context *context, const struct bm_request *request,
		 struct bm_choice *choice)
{
	int rc = check_arrays(context, request), mover;

	if (rc < 0)
		return rc;
	if (request->flags & ~KNOWN_FLAGS)
		return refuse(context, -EINVAL,
			      "flags may be BM_MOVE_ALL, BM_BIND, BM_QUIET and BM_REPLACE, "
			      "nothing else");
	if (request->pid < 0)
		return refuse(context, -EINVAL, "pid must be that of a process, or 0");
	mover = find_mover(context, request);
	if (mover < 0)
		return mover;
	if (request->pid && (request->flags & BM_BIND || mover == BM_MOVER_MBIND))
		return refuse(context, -EINVAL,
			      "BM_BIND and the mover mbind are for the own process only");
	choose(context, request, mover, choice);
	return 0;
}

static int import(const struct bm_context *context, const struct bm_request *request,
		  struct bm_request *known)
{
	int rc;

	if (!request || !bm_struct_size_ok(request->size, sizeof(*known)))
		return refuse(context, -EINVAL, "call bm_request_init() with its size first");
	bm_request_init(known, sizeof(*known));
	rc = bm_struct_import(known, sizeof(*known), request, request->size);
	if (rc < 0)
		return refuse(context, rc, "it sets fields that only a newer version knows");
	if (known->pid == context->pid)
		known->pid = 0;
	return rc;
}

/*
 * One page, the most frequent batch of small callers: 3 % of a call are 900
 * instructions, less than a plan takes. Returns 0 when there is more to it
 * than a page that moved, and nothing was counted.
 */
static int run_one(struct bm_context *context, const struct bm_request *request)
{
	int flags = request->flags & BM_MOVE_ALL ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;
	int status = BM_NOT_ASKED;

	if (context->sys->move_pages(request->pid, 1, request->pages, request->nodes, &status,
				     flags) != 0 ||
	    status < 0 || status != *request->nodes)
		return 0;
	*request->status = status;
	bm_sums_add_one(&context->sums, context->page_size);
	return 1;
}

/* What was used for most of it. */
static void name_used(struct bm_report *report, const struct bm_choice *choice)
{
	int swap = report->bytes_swapped > report->bytes_moved / 2;

	report->backend = swap ? choice->backend->name : bm_registry_kernel();
	report->mover = swap ? "swap" : choice->mover == BM_MOVER_MBIND ? "mbind" : "move_pages";
}

/* Works a checked request off; *report and the sums only on success. */
static long run_all(struct bm_context *context, const struct bm_request *request,
		    const struct bm_choice *choice, struct bm_report *report)
{
	struct bm_job job;
	long result;

	bm_job_init(&job, context, request, choice);
	result = request->ranges ? bm_ranges_run(&job, request) : bm_job_whole(&job);
	/* -E2BIG has been told where the runs were counted. */
	if (result < 0 && result != -E2BIG)
		return refuse(context, (int)result, bm_error_text((int)result));
	if (result < 0)
		return result;
	name_used(&job.report, choice);
	bm_sums_add(&context->sums, &job.report, context->page_size);
	bm_log(&context->config.log, BM_LOG_DEBUG,
	       "batch of %zu: %llu moved, %llu already there, %llu not; %llu calls, %u threads, %s",
	       request->count, (unsigned long long)job.report.tally.moved,
	       (unsigned long long)job.report.tally.already,
	       (unsigned long long)job.report.tally.failed,
	       (unsigned long long)job.report.kernel_calls, job.report.threads, job.report.mover);
	if (report)
		*report = job.report;
	return result;
}

/* A thread that ended within would leave locks, memory and other threads behind. */
static long run(struct bm_context *context, const struct bm_request *request,
		const struct bm_choice *choice, struct bm_report *report)
{
	long result;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	result = run_all(context, request, choice, report);
	pthread_setcancelstate(state, NULL);
	return result;
}

int bm_submit(struct bm_context *context, const struct bm_request *request, struct bm_batch **batch)
{
	struct bm_request known;
	struct bm_batch *made;
	struct bm_choice choice;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!batch)
		return -EINVAL;
	rc = import(context, request, &known);
	if (rc < 0)
		return rc;
	rc = check(context, &known, &choice);
	if (rc < 0)
		return rc;
	made = context->sys->alloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->context = context;
	made->result = run(context, &known, &choice, &made->report);
	if (made->result < 0) {
		rc = (int)made->result;
		free(made);
		return rc;
	}
	*batch = made;
	return 0;
}

static int batch_ok(struct bm_batch *batch)
{
	struct bm_context *context;

	if (!batch)
		return -EINVAL;
	context = batch->context;
	return bm_context_get(&context);
}

long bm_batch_wait(struct bm_batch *batch, int64_t timeout_us)
{
	int rc = timeout_us < BM_FOREVER ? -EINVAL : batch_ok(batch);

	return rc < 0 ? rc : batch->result;
}

int bm_batch_report(struct bm_batch *batch, struct bm_report *report, size_t size)
{
	int rc = batch_ok(batch);

	if (rc < 0)
		return rc;
	if (!report || !bm_struct_size_ok(size, sizeof(*report)))
		return -EINVAL;
	bm_struct_export(report, size, &batch->report, sizeof(batch->report));
	return 0;
}

void bm_batch_free(struct bm_batch *batch)
{
	free(batch);
}

static long run_short(struct bm_context *context, const struct bm_request *request)
{
	int rc = bm_context_get(&context);
	struct bm_choice choice;

	if (rc < 0)
		return rc;
	rc = check(context, request, &choice);
	if (rc < 0)
		return rc;
	if (request->count == 1 && request->pages && !(request->flags & (BM_BIND | BM_REPLACE)) &&
	    choice.mover != BM_MOVER_MBIND && !choice.named && run_one(context, request))
		return 0;
	return run(context, request, &choice, NULL);
}

long bm_migrate_batch(struct bm_context *context, size_t count, void *const *pages,
		      const int *nodes, int *status, uint64_t flags)
{
	struct bm_request request = {.size = sizeof(request),
				     .flags = flags,
				     .count = count,
				     .pages = pages,
				     .nodes = nodes,
				     .status = status};

	return run_short(context, &request);
}

long bm_migrate_ranges(struct bm_context *context, size_t count, struct bm_range *ranges,
		       size_t range_size, uint64_t flags)
{
	struct bm_request request = {.size = sizeof(request),
				     .flags = flags,
				     .count = count,
				     .ranges = ranges,
				     .range_size = range_size};

	return run_short(context, &request);
}
