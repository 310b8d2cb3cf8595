/* SPDX-License-Identifier: MIT */
/* stats.c - adding up what became of pages. */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "context.h"
#include "structs.h"

/* The slot of an errno, or the first free one; BM_ERRNO_SLOTS when there is none. */
static size_t slot_of(const struct bm_tally *tally, int error)
{
	size_t slot = 0;

	while (slot < BM_ERRNO_SLOTS && tally->by_errno[slot].pages &&
	       tally->by_errno[slot].error != error)
		slot++;
	return slot;
}

/* What no longer finds a slot is called EIO, the kernel's other reasons. */
void bm_tally_fail(struct bm_tally *tally, int error, uint64_t pages)
{
	size_t slot;

	if (pages == 0)
		return;
	slot = slot_of(tally, error);
	if (slot == BM_ERRNO_SLOTS) {
		error = EIO;
		slot = slot_of(tally, error);
	}
	if (slot == BM_ERRNO_SLOTS)
		slot--;
	tally->by_errno[slot].error = error;
	tally->by_errno[slot].pages += pages;
	tally->failed += pages;
	tally->pages += pages;
}

void bm_tally_add(struct bm_tally *tally, const struct bm_tally *more)
{
	tally->pages += more->moved + more->already;
	tally->moved += more->moved;
	tally->already += more->already;
	tally->retried += more->retried;
	for (size_t i = 0; i < BM_ERRNO_SLOTS && more->by_errno[i].pages; i++)
		bm_tally_fail(tally, more->by_errno[i].error, more->by_errno[i].pages);
}

static int by_pages(const void *a, const void *b)
{
	const struct bm_errno_count *left = a, *right = b;

	return (left->pages < right->pages) - (left->pages > right->pages);
}

void bm_tally_sort(struct bm_tally *tally)
{
	if (tally->by_errno[1].pages == 0)
		return;
	qsort(tally->by_errno, BM_ERRNO_SLOTS, sizeof(tally->by_errno[0]), by_pages);
}

void bm_sums_add(struct bm_sums *sums, const struct bm_report *report,
		 const struct bm_stalls *stalls, uint64_t page_size)
{
	struct bm_stats *stats = &sums->stats;

	pthread_mutex_lock(&sums->lock);
	stats->calls++;
	bm_tally_add(&stats->tally, &report->tally);
	bm_tally_sort(&stats->tally);
	stats->bytes_asked += report->tally.pages * page_size;
	stats->bytes_moved += report->bytes_moved;
	stats->kernel_calls += report->kernel_calls;
	stats->ns_plan += report->ns_plan;
	stats->ns_classify += report->ns_classify;
	stats->ns_move += report->ns_move;
	stats->ns_verify += report->ns_verify;
	for (size_t i = 0; i < BM_REASON_COUNT; i++)
		stats->reasons[i] += report->reasons[i];
	stats->bytes_swapped += report->bytes_swapped;
	stats->bytes_offloaded += report->bytes_offloaded;
	stats->windows += report->windows;
	stats->ns_window += report->ns_window;
	stats->ns_copy += report->ns_copy;
	stats->windows_late += report->windows_late;
	stats->windows_preempted += report->windows_preempted;
	if (report->ns_window_max > stats->ns_window_max)
		stats->ns_window_max = report->ns_window_max;
	if (report->ns_call_max > stats->ns_call_max)
		stats->ns_call_max = report->ns_call_max;
	if (report->windows)
		bm_histogram_merge(&sums->windows, &stalls->histogram);
	pthread_mutex_unlock(&sums->lock);
}

void bm_sums_add_one(struct bm_sums *sums, uint64_t page_size)
{
	struct bm_stats *stats = &sums->stats;

	pthread_mutex_lock(&sums->lock);
	stats->calls++;
	stats->kernel_calls++;
	stats->tally.pages++;
	stats->tally.moved++;
	stats->reasons[BM_REASON_NONE]++;
	stats->bytes_asked += page_size;
	stats->bytes_moved += page_size;
	pthread_mutex_unlock(&sums->lock);
}

void bm_sums_read(const struct bm_sums *sums, struct bm_stats *stats)
{
	*stats = sums->stats;
	stats->ns_window_p50 = bm_histogram_quantile(&sums->windows, 500000);
	stats->ns_window_p99 = bm_histogram_quantile(&sums->windows, 990000);
	stats->ns_window_p999 = bm_histogram_quantile(&sums->windows, 999000);
}

int bm_stats_get(struct bm_context *context, struct bm_stats *stats, size_t size)
{
	struct bm_cancel before;
	struct bm_stats copy;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!stats || !bm_struct_size_ok(size, sizeof(*stats)))
		return -EINVAL;
	bm_cancel_off(&before);
	pthread_mutex_lock(&context->sums.lock);
	bm_sums_read(&context->sums, &copy);
	pthread_mutex_unlock(&context->sums.lock);
	bm_cancel_on(&before);
	bm_struct_export(stats, size, &copy, sizeof(copy));
	return 0;
}

int bm_stats_reset(struct bm_context *context)
{
	struct bm_cancel before;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	bm_cancel_off(&before);
	pthread_mutex_lock(&context->sums.lock);
	context->sums.stats = (struct bm_stats){0};
	memset(&context->sums.windows, 0, sizeof(context->sums.windows));
	pthread_mutex_unlock(&context->sums.lock);
	bm_cancel_on(&before);
	return 0;
}
