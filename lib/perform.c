/* SPDX-License-Identifier: MIT */
/* perform.c - a request becomes a job, and its report goes into the sums. */
#include "perform.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "probes.h"
#include "range.h"
#include "registry.h"
#include "request.h"

int bm_perform_one_will_do(const struct bm_context *context, const struct bm_request *request,
			   const struct bm_choice *choice)
{
	return request->count == 1 && request->pages &&
	       !(request->flags & (BM_BIND | BM_REPLACE)) && choice->mover != BM_MOVER_MBIND &&
	       !choice->named && choice->bound_ns == 0 && context->allowance.bytes_per_s == 0;
}

int bm_perform_one(struct bm_context *context, const struct bm_request *request)
{
	int flags = request->flags & BM_MOVE_ALL ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;
	uint64_t begin = BM_PROBE_CALL_BEGIN(context->sys);
	int status = BM_NOT_ASKED;
	long rc;

	BM_PROBE2(batch__begin, request->count, request->pid);
	BM_PROBE2(call__begin, request->count, *request->nodes);
	rc = context->sys->move_pages(request->pid, 1, request->pages, request->nodes, &status,
				      flags);
	BM_PROBE2(call__end, rc, BM_PROBE_CALL_NS(context->sys, begin));
	if (rc != 0 || status < 0 || status != *request->nodes)
		return 0;
	*request->status = status;
	bm_sums_add_one(&context->sums, context->page_size);
	BM_PROBE3(batch__end, 1, 0, 0);
	return 1;
}

/* What was used for most of it. */
static void name_used(struct bm_report *report, const struct bm_job *job)
{
	const struct bm_choice *choice = &job->choice;
	int swap = report->bytes_swapped > report->bytes_moved / 2;
	int cpu = report->bytes_offloaded <= report->bytes_swapped / 2;

	report->backend = swap ? job->copied_by[cpu] : bm_registry_kernel();
	report->mover = swap ? "swap" : choice->mover == BM_MOVER_MBIND ? "mbind" : "move_pages";
}

static const char *quiet_name(const struct bm_context *context, const struct bm_choice *choice)
{
	if (!choice->quiet)
		return "not quiet";
	return context->config.value[BM_OPTION_QUIET] == BM_QUIET_STRICT ? "strictly quiet"
									 : "quiet";
}

/* Those that may copy, in order of preference. */
static void name_picks(const struct bm_picks *picks, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "%s", bm_registry_kernel());
	for (size_t i = 0; i < picks->count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "",
					 picks->list[i]->name);
}

/* Before it begins; at the end is told what became of it. */
static void tell_plan(const struct bm_context *context, const struct bm_request *request,
		      const struct bm_choice *choice)
{
	char mover[BM_CHOICE_MAX], threads[BM_CHOICE_MAX], backends[BM_LIST_MAX];

	if (context->config.log.level < BM_LOG_DEBUG)
		return;
	/* The strings of the request may be gone. */
	bm_mover_name(choice->named ? BM_MOVER_SWAP : choice->mover, mover, sizeof(mover));
	bm_option_text(&context->config, BM_OPTION_THREADS, threads, sizeof(threads));
	name_picks(&choice->picks, backends, sizeof(backends));
	bm_log(&context->config.log, BM_LOG_DEBUG,
	       "batch of %zu %s of process %d begins: mover %s, backend %s, %s, swap %s, "
	       "bound %llu us%s, at most %llu and all together %llu bytes/s, threads %s",
	       request->count, request->ranges ? "ranges" : "pages", (int)request->pid, mover,
	       backends, quiet_name(context, choice), choice->wants_swap ? "first" : "not",
	       (unsigned long long)choice->bound_ns / 1000, choice->is_wish ? " as a wish" : "",
	       (unsigned long long)choice->pace->own.bytes_per_s,
	       (unsigned long long)(choice->pace->shared ? choice->pace->shared->bytes_per_s : 0),
	       threads);
}

/* Of the whole batch. */
static uint64_t ns_of(const struct bm_report *report)
{
	return report->ns_plan + report->ns_classify + report->ns_move + report->ns_verify;
}

/* Works a checked request off; *report and the sums only on success. */
long bm_perform(struct bm_context *context, const struct bm_request *request,
		const struct bm_choice *choice, struct bm_report *report)
{
	struct bm_job job;
	long result;

	tell_plan(context, request, choice);
	BM_PROBE2(batch__begin, request->count, request->pid);
	bm_job_init(&job, context, request, choice);
	result = request->ranges ? bm_ranges_run(&job, request) : bm_job_whole(&job);
	BM_PROBE3(batch__end, job.report.tally.moved, job.report.tally.failed,
		  BM_PROBE_WANTED(batch__end) ? ns_of(&job.report) : 0);
	/* -E2BIG has been told where the runs were counted. */
	if (result < 0 && result != -E2BIG)
		return bm_request_refuse(context, (int)result, bm_error_text((int)result));
	if (result < 0)
		return result;
	name_used(&job.report, &job);
	bm_stalls_report(choice->stalls, &job.report);
	bm_sums_add(&context->sums, &job.report, choice->stalls, context->page_size);
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

static void tell_ranges(const struct bm_request *request, int error)
{
	for (size_t i = 0; i < request->count; i++) {
		char *at = (char *)request->ranges + i * request->range_size;
		struct bm_range *range = (struct bm_range *)(void *)at;

		range->error = error;
		memset(&range->tally, 0, sizeof(range->tally));
	}
}

void bm_perform_nothing(const struct bm_request *request, int error, struct bm_report *report)
{
	enum bm_reason reason = bm_reason_of(error);

	report->backend = bm_registry_kernel();
	report->mover = "none";
	if (request->ranges) {
		tell_ranges(request, error);
		return;
	}
	for (size_t i = 0; i < request->count; i++)
		request->status[i] = error;
	for (size_t i = 0; request->reasons && i < request->count; i++)
		request->reasons[i] = (unsigned char)reason;
	bm_tally_fail(&report->tally, -error, request->count);
	report->reasons[reason] += request->count;
}
