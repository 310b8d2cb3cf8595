/* SPDX-License-Identifier: MIT */
/* batch.c - one batch of a migration: submitted, watched, and counted. */
#include "batch.h"
#include "stop.h"

#include <errno.h>
#include <stdlib.h>

/* So long a signal may go unseen; less often than the bar moves. */
#define LOOK_US 50000

int batch_prepare(struct migration *migration)
{
	migration->pages = calloc(BATCH, sizeof(*migration->pages));
	migration->nodes = calloc(BATCH, sizeof(*migration->nodes));
	migration->status = calloc(BATCH, sizeof(*migration->status));
	migration->reasons = calloc(BATCH, sizeof(*migration->reasons));
	return migration->pages && migration->nodes && migration->status && migration->reasons
		       ? 0
		       : -ENOMEM;
}

void batch_release(struct migration *migration)
{
	free(migration->pages);
	free(migration->nodes);
	free(migration->status);
	free(migration->reasons);
}

static void count_error(struct bm_tally *tally, int error)
{
	size_t slot = 0;

	while (slot < BM_ERRNO_SLOTS - 1 && tally->by_errno[slot].pages &&
	       tally->by_errno[slot].error != error)
		slot++;
	tally->by_errno[slot].error = error;
	tally->by_errno[slot].pages++;
}

/* Returns how many were tried: what a signal kept from that is not counted. */
static uint64_t count_pages(struct migration *migration)
{
	struct bm_tally *tally = &migration->tally;
	uint64_t before = tally->pages;

	for (size_t i = 0; i < migration->count; i++) {
		int status = migration->status[i];

		if (status == -ECANCELED)
			continue;
		tally->pages++;
		if (status != migration->arguments->to) {
			tally->failed++;
			migration->why[migration->reasons[i] % BM_REASON_SLOTS]++;
			count_error(tally, status < 0 ? -status : 0);
		} else if (migration->reasons[i] == BM_REASON_ALREADY) {
			tally->already++;
		} else {
			tally->moved++;
		}
	}
	return tally->pages - before;
}

static void show(struct migration *migration, struct bm_batch *batch)
{
	uint64_t most = migration->count * migration->page_size;
	struct bm_progress progress;

	if (bm_batch_progress(batch, &progress, sizeof(progress)) < 0)
		return;
	progress_show(&migration->progress,
		      migration->done +
			      (progress.bytes_moved < most ? progress.bytes_moved : most));
}

static long watch(struct migration *migration, struct bm_batch *batch)
{
	struct bm_report report;
	long rc;

	while ((rc = bm_batch_wait(batch, LOOK_US)) == -ETIMEDOUT) {
		if (stop_asked())
			bm_batch_cancel(batch);
		show(migration, batch);
	}
	if (bm_batch_report(batch, &report, sizeof(report)) == 0 &&
	    report.ns_call_max > migration->ns_call_max)
		migration->ns_call_max = report.ns_call_max;
	return rc;
}

static long submit(const struct migration *migration, struct bm_batch **batch)
{
	struct bm_request request;

	bm_request_init(&request, sizeof(request));
	request.pid = migration->arguments->pid;
	request.flags = migration->arguments->all ? BM_MOVE_ALL : 0;
	request.count = migration->count;
	request.pages = migration->pages;
	request.nodes = migration->nodes;
	request.status = migration->status;
	request.reasons = migration->reasons;
	return bm_submit(migration->context, &request, batch);
}

long batch_move(struct migration *migration)
{
	struct bm_batch *batch;
	uint64_t tried;
	long rc = submit(migration, &batch);

	if (rc < 0)
		return rc;
	rc = watch(migration, batch);
	bm_batch_free(batch);
	/* It was stopped before it began. */
	if (rc == -ECANCELED)
		return 1;
	if (rc < 0)
		return rc;
	tried = count_pages(migration);
	rc = tried < migration->count;
	migration->done += tried * migration->page_size;
	migration->count = 0;
	progress_show(&migration->progress, migration->done);
	return rc;
}
