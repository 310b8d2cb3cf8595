/* SPDX-License-Identifier: MIT */
/* async_support.c - making, submitting and judging batches in flight. */
#include "async_support.h"

#include <sys/syscall.h>

#define FLIGHT_SEED 4242u

static void flight_ready(struct flight *flight)
{
	flight->reasons = malloc(flight->area.count);
	ck_assert_ptr_nonnull(flight->reasons);
	area_target(&flight->area, node_of_round(0));
	ck_assert_int_eq(bm_request_init(&flight->request, sizeof(flight->request)), 0);
	flight->request.flags = SWAP_FLAGS;
	flight->request.mover = "swap";
	flight->request.count = flight->area.count;
	flight->request.pages = flight->area.pages;
	flight->request.nodes = flight->area.targets;
	flight->request.status = flight->area.status;
	flight->request.reasons = flight->reasons;
	flight->request.done_user = flight;
}

void flight_new(struct flight *flight, size_t units)
{
	memset(flight, 0, sizeof(*flight));
	area_new_low(&flight->area, units, 0, nodes[0]);
	fill(flight->area.start, flight->area.length, FLIGHT_SEED);
	flight_ready(flight);
}

void flight_over(struct flight *flight, char *start, size_t count)
{
	memset(flight, 0, sizeof(*flight));
	area_over(&flight->area, start, count, PAGE);
	flight_ready(flight);
}

void flight_free(struct flight *flight)
{
	flight_drop(flight);
	area_free(&flight->area);
	free(flight->reasons);
}

void flight_lasts(struct flight *flight, unsigned int ms)
{
	flight->request.max_bytes_per_s = (int64_t)(flight->area.count * PAGE * 1000 / ms);
}

void flight_holds(struct flight *flight)
{
	flight->request.max_bytes_per_s = PAGE;
}

int flight_submit(struct flight *flight, struct bm_context *context)
{
	ck_assert_ptr_null(flight->batch);
	for (size_t i = 0; i < flight->area.count; i++)
		flight->area.status[i] = SENTINEL;
	memset(flight->reasons, 0xff, flight->area.count);
	watchdog_beat();
	return bm_submit(context, &flight->request, &flight->batch);
}

void flight_start(struct flight *flight, struct bm_context *context)
{
	ck_assert_int_eq(flight_submit(flight, context), 0);
	ck_assert_ptr_nonnull(flight->batch);
}

long flight_wait(struct flight *flight)
{
	flight->result = bm_batch_wait(flight->batch, BM_FOREVER);
	watchdog_beat();
	return flight->result;
}

void flight_drop(struct flight *flight)
{
	ck_assert_int_eq(bm_batch_free(flight->batch), 0);
	flight->batch = NULL;
}

void flight_whole(struct flight *flight, struct bm_context *context)
{
	flight_start(flight, context);
	ck_assert_int_eq(flight_wait(flight), 0);
	ck_assert_uint_eq(flight_check(flight), 0);
	flight_drop(flight);
}

void flight_called(void *user, struct bm_batch *batch, long result)
{
	struct flight *flight = user;

	if (bm_batch_wait(batch, BM_FOREVER) != result || bm_batch_wait(batch, 0) != result)
		flight->strange = 1;
	atomic_fetch_add(&flight->calls, 1);
}

struct bm_progress flight_progress(const struct flight *flight)
{
	struct bm_progress progress;

	ck_assert_int_eq(bm_batch_progress(flight->batch, &progress, sizeof(progress)), 0);
	return progress;
}

int flight_state(const struct flight *flight)
{
	return flight_progress(flight).state;
}

int flight_complete(const struct flight *flight)
{
	return bm_batch_wait(flight->batch, 0) != -ETIMEDOUT;
}

/*
 * A page that was to be replaced and is where it should be already stays
 * there, as with every other reason for which swap leaves it.
 */
static int left_there(const struct flight *flight, size_t i, int now)
{
	int target = flight->area.targets[i];

	return (flight->request.flags & BM_REPLACE) && flight->result != -ECANCELED &&
	       flight->area.status[i] == target && now == target;
}

static size_t check_pages(const struct flight *flight, const int *now, long *misplaced)
{
	const struct area *area = &flight->area;
	size_t canceled = 0;

	for (size_t i = 0; i < area->count; i++) {
		int status = area->status[i], reason = flight->reasons[i];

		ck_assert_msg(reason < BM_REASON_COUNT, "page %zu: reason %d", i, reason);
		*misplaced += status != area->targets[i];
		if (status == -ECANCELED || reason == BM_REASON_CANCELED) {
			canceled++;
			ck_assert_msg(reason == BM_REASON_CANCELED, "page %zu: reason %s", i,
				      bm_reason_name(reason));
			ck_assert_msg(status == -ECANCELED || left_there(flight, i, now[i]),
				      "page %zu: cancelled, status %d", i, status);
			continue;
		}
		ck_assert_msg(status == area->targets[i], "page %zu: status %d (%s), not %d", i,
			      status, bm_reason_name(reason), area->targets[i]);
		ck_assert_msg(status == now[i], "page %zu: status %d, is on %d", i, status, now[i]);
	}
	return canceled;
}

static void check_report(const struct flight *flight, size_t canceled, size_t misplaced)
{
	struct bm_progress progress = flight_progress(flight);
	size_t count = flight->area.count;
	struct bm_report report;

	ck_assert_int_eq(progress.state, BM_BATCH_COMPLETE);
	ck_assert_uint_eq(progress.entries, count);
	ck_assert_uint_eq(progress.settled, count);
	ck_assert_int_eq(bm_batch_report(flight->batch, &report, sizeof(report)), 0);
	ck_assert_uint_eq(report.tally.pages, count);
	ck_assert_uint_eq(report.tally.failed, misplaced);
	ck_assert_uint_eq(report.reasons[BM_REASON_CANCELED], canceled);
	if (misplaced) {
		ck_assert_int_eq(report.tally.by_errno[0].error, ECANCELED);
		ck_assert_uint_eq(report.tally.by_errno[0].pages, misplaced);
	}
}

size_t flight_check(struct flight *flight)
{
	struct area *area = &flight->area;
	int *now = calloc(area->count, sizeof(*now));
	size_t canceled;
	long misplaced = 0;

	ck_assert_ptr_nonnull(now);
	ck_assert_int_eq(syscall(SYS_move_pages, 0, area->count, area->pages, NULL, now, 0), 0);
	canceled = check_pages(flight, now, &misplaced);
	if (flight->result == -ECANCELED)
		ck_assert_uint_eq(canceled, area->count);
	else
		ck_assert_int_eq(flight->result, misplaced);
	check_report(flight, canceled, (size_t)misplaced);
	free(now);
	return canceled;
}

size_t flight_wrong(const struct flight *flight)
{
	return wrong_words(flight->area.start, flight->area.length, FLIGHT_SEED);
}

struct bm_context *context_of(int64_t threads)
{
	struct bm_context *context;
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.threads = threads;
	options.chunk_kb = 64;
	options.call_pages = 16;
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	return context;
}
