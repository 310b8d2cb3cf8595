/* SPDX-License-Identifier: MIT */
/* async.c - batches in flight: waiting, progress, reports, what is refused, the context's end. */
#include "async_support.h"

#define UNITS 1

START_TEST(waits)
{
	struct bm_context *context = context_of(1);
	struct bm_report report;
	struct flight flight;
	uint64_t begin;

	NEED_MOVES();
	watchdog_start("async/waits");
	flight_new(&flight, UNITS);
	flight_lasts(&flight, 500);
	begin = now_ns();
	flight_start(&flight, context);
	ck_assert_int_eq(bm_batch_wait(flight.batch, 0), -ETIMEDOUT);
	ck_assert_int_eq(bm_batch_report(flight.batch, &report, sizeof(report)), -EBUSY);
	ck_assert_int_eq(bm_batch_wait(flight.batch, 30000), -ETIMEDOUT);
	ck_assert_uint_ge(now_ns() - begin, 30000000);
	ck_assert_int_eq(bm_batch_wait(flight.batch, BM_FOREVER - 1), -EINVAL);
	ck_assert_int_eq(bm_batch_wait(NULL, 0), -EINVAL);
	ck_assert_int_eq(flight_wait(&flight), 0);
	/* Some of it may be allowed in advance. */
	ck_assert_uint_ge(now_ns() - begin, 250000000);
	ck_assert_int_eq(bm_batch_wait(flight.batch, 0), 0);
	ck_assert_int_eq(bm_batch_wait(flight.batch, 1000), 0);
	ck_assert_int_eq(bm_batch_report(flight.batch, &report, sizeof(report)), 0);
	ck_assert_uint_eq(flight_check(&flight), 0);
	ck_assert_uint_eq(flight_wrong(&flight), 0);
	flight_free(&flight);
	ck_assert_int_eq(bm_context_free(context), 0);
	watchdog_stop();
}
END_TEST

struct waiter {
	pthread_t thread;
	struct bm_batch *batch;
	long result;
};

static void *wait_for_it(void *arg)
{
	struct waiter *waiter = arg;

	waiter->result = bm_batch_wait(waiter->batch, 20000000);
	return NULL;
}

START_TEST(waits_of_threads)
{
	struct bm_context *context = context_of(1);
	struct waiter waiters[4];
	struct flight flight;

	watchdog_start("async/waits_of_threads");
	flight_new(&flight, UNITS);
	flight_lasts(&flight, 200);
	flight_start(&flight, context);
	for (int i = 0; i < 4; i++) {
		waiters[i] = (struct waiter){.batch = flight.batch, .result = SENTINEL};
		ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, wait_for_it, &waiters[i]),
				 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(waiters[i].thread, NULL);
		ck_assert_int_eq(waiters[i].result, 0);
	}
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

static void check_step(const struct bm_progress *now, const struct bm_progress *before)
{
	ck_assert_uint_eq(now->entries, before->entries);
	ck_assert_uint_le(now->settled, now->entries);
	ck_assert_uint_ge(now->settled, before->settled);
	ck_assert_uint_ge(now->bytes_moved, before->bytes_moved);
	ck_assert_uint_ge(now->ns_queued, before->ns_queued);
	ck_assert_uint_ge(now->ns_running, before->ns_running);
	ck_assert_int_ge(now->state, before->state);
	ck_assert_int_eq(now->canceled, 0);
}

START_TEST(progress_of_a_batch)
{
	struct bm_context *context = context_of(2);
	struct bm_progress before, now;
	int between = 0;
	struct flight flight;

	NEED_MOVES();
	watchdog_start("async/progress_of_a_batch");
	flight_new(&flight, 2);
	flight_lasts(&flight, 500);
	flight_start(&flight, context);
	before = flight_progress(&flight);
	ck_assert_uint_eq(before.entries, flight.area.count);
	while (before.state != BM_BATCH_COMPLETE) {
		now = flight_progress(&flight);
		check_step(&now, &before);
		between += now.bytes_moved > 0 && now.bytes_moved < flight.area.length;
		before = now;
		usleep(500);
	}
	ck_assert_uint_eq(before.settled, before.entries);
	ck_assert_uint_eq(before.bytes_moved, flight.area.length);
	ck_assert_uint_ge(before.ns_running, 250000000);
	ck_assert_int_gt(between, 10);
	/* Nothing of a complete batch changes any more. */
	usleep(2000);
	now = flight_progress(&flight);
	ck_assert_int_eq(memcmp(&now, &before, sizeof(now)), 0);
	ck_assert_int_eq(flight_wait(&flight), 0);
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* As the header has it: at most what is allowed in 10 ms. */
START_TEST(chunks_fit_the_rate)
{
	struct bm_context *context;
	struct bm_report report;
	struct flight flight;

	NEED_MOVES();
	watchdog_start("async/chunks_fit_the_rate");
	ck_assert_int_eq(bm_context_new(NULL, &context), 0);
	flight_new(&flight, UNITS);
	flight_lasts(&flight, 250);
	flight_start(&flight, context);
	ck_assert_int_eq(flight_wait(&flight), 0);
	ck_assert_int_eq(bm_batch_report(flight.batch, &report, sizeof(report)), 0);
	ck_assert_uint_ge(report.windows + report.kernel_calls, 25);
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* Alone, of structs of other sizes, and of no batch. */
START_TEST(questions_with_bad_arguments)
{
	struct bm_context *context = context_of(1);
	struct bm_progress progress = {.state = SENTINEL};
	struct bm_report report;
	struct flight flight;

	watchdog_start("async/questions_with_bad_arguments");
	flight_new(&flight, UNITS);
	flight_start(&flight, context);
	ck_assert_int_eq(flight_wait(&flight), 0);
	ck_assert_int_eq(bm_batch_progress(NULL, &progress, sizeof(progress)), -EINVAL);
	ck_assert_int_eq(bm_batch_progress(flight.batch, NULL, sizeof(progress)), -EINVAL);
	ck_assert_int_eq(bm_batch_progress(flight.batch, &progress, 0), -EINVAL);
	ck_assert_int_eq(progress.state, SENTINEL);
	ck_assert_int_eq(bm_batch_report(NULL, &report, sizeof(report)), -EINVAL);
	ck_assert_int_eq(bm_batch_report(flight.batch, NULL, sizeof(report)), -EINVAL);
	ck_assert_int_eq(bm_batch_report(flight.batch, &report, 0), -EINVAL);
	ck_assert_int_eq(bm_batch_cancel(NULL), -EINVAL);
	ck_assert_int_eq(bm_batch_cancel(flight.batch), 0);
	ck_assert_int_eq(bm_batch_wait(flight.batch, 0), 0);
	ck_assert_int_eq(bm_batch_free(NULL), 0);
	ck_assert_int_eq(bm_context_free(NULL), 0);
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

static void expect_invalid(struct flight *flight, struct bm_context *context)
{
	ck_assert_int_eq(flight_submit(flight, context), -EINVAL);
	ck_assert_ptr_null(flight->batch);
	for (size_t i = 0; i < flight->area.count; i++) {
		ck_assert_int_eq(flight->area.status[i], SENTINEL);
		ck_assert_int_eq(flight->reasons[i], 0xff);
	}
	ck_assert_int_eq(atomic_load(&flight->calls), 0);
}

START_TEST(out_of_range)
{
	struct bm_context *context = context_of(1);
	struct flight flight;

	watchdog_start("async/out_of_range");
	flight_new(&flight, UNITS);
	flight.request.done = flight_called;
	for (int side = -1; side <= 1; side += 2) {
		flight.request.priority = 2 * side;
		expect_invalid(&flight, context);
	}
	flight.request.priority = 0;
	flight.request.max_stall_us = BM_UNBOUNDED - 1;
	expect_invalid(&flight, context);
	flight.request.max_stall_us = INT64_MIN;
	expect_invalid(&flight, context);
	flight.request.max_stall_us = 0;
	flight.request.max_bytes_per_s = BM_UNBOUNDED - 1;
	expect_invalid(&flight, context);
	flight.request.max_bytes_per_s = INT64_MIN;
	expect_invalid(&flight, context);
	flight.request.max_bytes_per_s = BM_UNBOUNDED;
	flight.request.max_stall_us = BM_UNBOUNDED;
	for (int priority = BM_PRIORITY_LOW; priority <= BM_PRIORITY_HIGH; priority++) {
		flight.request.priority = priority;
		flight_whole(&flight, context);
	}
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

START_TEST(empty)
{
	struct bm_context *context = context_of(1);
	struct bm_progress progress;
	struct flight flight;

	watchdog_start("async/empty");
	flight_new(&flight, UNITS);
	flight.request.count = 0;
	flight.request.done = flight_called;
	flight_start(&flight, context);
	ck_assert_int_eq(flight_wait(&flight), 0);
	progress = flight_progress(&flight);
	ck_assert_int_eq(progress.state, BM_BATCH_COMPLETE);
	ck_assert_uint_eq(progress.entries, 0);
	flight_drop(&flight);
	bm_context_free(context);
	ck_assert_int_eq(atomic_load(&flight.calls), 1);
	ck_assert_int_eq(flight.area.status[0], SENTINEL);
	flight_free(&flight);
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- the context's end */

#define MANY 12

static void called_late(void *user, struct bm_batch *batch, long result)
{
	usleep(30000);
	flight_called(user, batch, result);
}

START_TEST(context_waits_for_its_batches)
{
	static struct flight flights[MANY];
	struct bm_context *context = context_of(1);
	struct bm_report report;

	watchdog_start("async/context_waits_for_its_batches");
	for (int i = 0; i < MANY; i++) {
		flight_new(&flights[i], UNITS);
		flights[i].request.done = called_late;
		flight_lasts(&flights[i], 100);
	}
	for (int i = 0; i < MANY; i++)
		flight_start(&flights[i], context);
	ck_assert_int_eq(bm_context_free(context), 0);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(atomic_load(&flights[i].calls), 1);
		ck_assert_int_eq(flights[i].strange, 0);
		ck_assert_int_eq(bm_batch_wait(flights[i].batch, 0), 0);
		ck_assert_int_eq(bm_batch_report(flights[i].batch, &report, sizeof(report)), 0);
		ck_assert_int_eq(bm_batch_cancel(flights[i].batch), 0);
		ck_assert_uint_eq(flight_check(&flights[i]), 0);
		ck_assert_uint_eq(flight_wrong(&flights[i]), 0);
		flight_free(&flights[i]);
	}
	watchdog_stop();
}
END_TEST

START_TEST(default_context)
{
	struct flight flight;

	watchdog_start("async/default_context");
	flight_new(&flight, UNITS);
	flight.request.done = flight_called;
	flight_whole(&flight, NULL);
	AWAIT(atomic_load(&flight.calls) == 1);
	ck_assert_int_eq(flight.strange, 0);
	flight_free(&flight);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&waits,
					    &waits_of_threads,
					    &progress_of_a_batch,
					    &chunks_fit_the_rate,
					    &questions_with_bad_arguments,
					    &out_of_range,
					    &empty,
					    &context_waits_for_its_batches,
					    &default_context,
					    NULL};
const struct report_group async_group = {"async", tests};
