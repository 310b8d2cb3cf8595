/* SPDX-License-Identifier: MIT */
/* estimate.c - a request that is looked at, but not moved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "error.h"
#include "range.h"
#include "request.h"
#include "structs.h"

/* The walk over ranges writes to them. */
static int copy_ranges(const struct bm_context *context, struct bm_request *request)
{
	size_t size = request->count * request->range_size;
	struct bm_range *copy = context->sys->alloc(request->count, request->range_size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, request->ranges, size);
	request->ranges = copy;
	return 0;
}

static uint64_t lowest(uint64_t a, uint64_t b)
{
	return a == 0 || (b && b < a) ? b : a;
}

/* What the rates make of it. */
static void stretch(const struct bm_pace *pace, struct bm_estimate *estimate)
{
	uint64_t shared = pace->shared ? pace->shared->bytes_per_s : 0;
	uint64_t rate = lowest(pace->own.bytes_per_s, shared);
	double ns = rate ? (double)estimate->bytes / (double)rate * 1e9 : 0;

	if (ns > (double)estimate->ns)
		estimate->ns = (uint64_t)ns;
}

static long look(struct bm_context *context, const struct bm_request *request,
		 const struct bm_choice *choice, struct bm_estimate *estimate)
{
	struct bm_job job;
	long rc;

	bm_job_init(&job, context, request, choice);
	job.estimate = estimate;
	/* Each page is asked about. */
	job.exact = 1;
	rc = request->ranges ? bm_ranges_run(&job, request) : bm_job_whole(&job);
	/* Of a few pages this is most. */
	estimate->ns += job.ns_opening;
	return rc;
}

static int estimate_request(struct bm_context *context, struct bm_request *request,
			    struct bm_estimate *estimate)
{
	struct bm_stalls stalls = {0};
	struct bm_pace pace;
	struct bm_choice choice;
	long rc = bm_request_check(context, request, &choice);

	if (rc == 0 && request->ranges && request->count)
		rc = copy_ranges(context, request);
	else
		request->ranges = NULL;
	if (rc < 0)
		return (int)rc;
	bm_request_pace(context, request, &pace);
	choice.pace = &pace;
	choice.stalls = &stalls;
	request->flags &= ~BM_BIND;
	rc = request->count ? look(context, request, &choice, estimate) : 0;
	free(request->ranges);
	if (rc < 0)
		return bm_request_refuse(context, (int)rc, bm_error_text((int)rc));
	stretch(&pace, estimate);
	return 0;
}

int bm_estimate(struct bm_context *context, const struct bm_request *request,
		struct bm_estimate *estimate, size_t size)
{
	struct bm_estimate made = {0};
	struct bm_request known;
	struct bm_cancel before;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!estimate || !bm_struct_size_ok(size, sizeof(made)))
		return -EINVAL;
	rc = bm_request_take(context, request, &known);
	if (rc < 0)
		return rc;
	bm_cancel_off(&before);
	rc = estimate_request(context, &known, &made);
	bm_cancel_on(&before);
	if (rc == 0)
		bm_struct_export(estimate, size, &made, sizeof(made));
	return rc;
}
