/* SPDX-License-Identifier: MIT */
/* async_canceled.c - batches cancelled in each state that one can be in, and batches of ranges. */
#include "async_support.h"

#define UNITS 1

/* At most a second, where the batch would have taken minutes. */
static size_t cancel_soon(struct flight *flight)
{
	uint64_t begin = now_ns();

	ck_assert_int_eq(bm_batch_cancel(flight->batch), 0);
	flight_wait(flight);
	ck_assert_uint_lt(now_ns() - begin, 1000000000);
	return flight_check(flight);
}

START_TEST(held_by_a_rate)
{
	struct bm_context *context = context_of(2);
	struct flight flight;

	NEED_MOVES();
	watchdog_start("async_canceled/held_by_a_rate");
	flight_new(&flight, UNITS);
	flight.request.max_bytes_per_s = 1;
	for (unsigned int us = 0; us <= 200000; us += 50000) {
		flight_start(&flight, context);
		usleep(us);
		ck_assert_uint_gt(cancel_soon(&flight), 0);
		flight_drop(&flight);
	}
	ck_assert_uint_eq(flight_wrong(&flight), 0);
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

START_TEST(held_by_the_rate_of_the_context)
{
	struct bm_context *context;
	struct bm_options options;
	struct flight flights[3];
	uint64_t begin;

	NEED_MOVES();
	watchdog_start("async_canceled/held_by_the_rate_of_the_context");
	bm_options_init(&options, sizeof(options));
	options.max_bytes_per_s = 1;
	options.chunk_kb = 64;
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	for (int i = 0; i < 3; i++) {
		flight_new(&flights[i], UNITS);
		flight_start(&flights[i], context);
	}
	usleep(50000);
	ck_assert_uint_gt(cancel_soon(&flights[0]), 0);
	/* The others with the context. */
	begin = now_ns();
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(bm_batch_cancel(flights[i].batch), 0);
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_uint_lt(now_ns() - begin, 1000000000);
	for (int i = 0; i < 3; i++) {
		flight_wait(&flights[i]);
		ck_assert_uint_gt(flight_check(&flights[i]), 0);
		ck_assert_uint_eq(flight_wrong(&flights[i]), 0);
		flight_free(&flights[i]);
	}
	watchdog_stop();
}
END_TEST

START_TEST(paused)
{
	struct bm_context *context = context_of(1);
	struct flight low, high;

	NEED_MOVES();
	watchdog_start("async_canceled/paused");
	flight_new(&low, UNITS);
	flight_new(&high, UNITS);
	low.request.priority = BM_PRIORITY_LOW;
	high.request.priority = BM_PRIORITY_HIGH;
	flight_lasts(&low, 2000);
	flight_holds(&high);
	flight_start(&low, context);
	AWAIT(flight_state(&low) == BM_BATCH_RUNNING);
	flight_start(&high, context);
	AWAIT(flight_state(&low) == BM_BATCH_PAUSED);
	ck_assert_uint_gt(cancel_soon(&low), 0);
	ck_assert_int_eq(flight_complete(&high), 0);
	ck_assert_uint_gt(cancel_soon(&high), 0);
	flight_free(&low);
	flight_free(&high);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* One of three that wait for each other: the first one cancelled does not end with it. */
START_TEST(queued)
{
	struct bm_context *context = context_of(1);
	struct flight first, second, third;

	NEED_MOVES();
	watchdog_start("async_canceled/queued");
	flight_new(&first, UNITS);
	flight_over(&second, first.area.start, first.area.count);
	flight_over(&third, first.area.start, first.area.count);
	flight_holds(&first);
	flight_start(&first, context);
	flight_start(&second, context);
	flight_start(&third, context);
	AWAIT(flight_state(&first) == BM_BATCH_RUNNING);
	ck_assert_int_eq(flight_state(&second), BM_BATCH_QUEUED);
	ck_assert_uint_eq(cancel_soon(&second), second.area.count);
	ck_assert_int_eq(second.result, -ECANCELED);
	ck_assert_int_eq(flight_state(&first), BM_BATCH_RUNNING);
	ck_assert_int_eq(flight_state(&third), BM_BATCH_QUEUED);
	/* Before the third one moves them on. */
	ck_assert_int_eq(bm_batch_cancel(first.batch), 0);
	ck_assert_int_eq(flight_wait(&third), 0);
	ck_assert_uint_eq(flight_check(&third), 0);
	ck_assert_int_eq(flight_complete(&first), 1);
	ck_assert_uint_eq(flight_wrong(&first), 0);
	flight_free(&second);
	flight_free(&third);
	flight_free(&first);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- ranges */

static long expected_of(const struct bm_range *ranges, size_t count)
{
	long expected = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bm_tally *tally = &ranges[i].tally;

		ck_assert_uint_eq(tally->pages, tally->moved + tally->already + tally->failed);
		ck_assert_uint_le(tally->pages, ranges[i].length / PAGE);
		ck_assert_msg(ranges[i].error == 0 || ranges[i].error == -ECANCELED,
			      "range %zu: error %d, %llu pages told", i, ranges[i].error,
			      (unsigned long long)tally->pages);
		if (ranges[i].error == 0)
			ck_assert_uint_eq(tally->pages, ranges[i].length / PAGE);
		if (tally->failed) {
			ck_assert_int_eq(tally->by_errno[0].error, ECANCELED);
			ck_assert_uint_eq(tally->by_errno[0].pages, tally->failed);
		}
		/* A range that was not walked is one, whatever its pages. */
		expected += ranges[i].error ? 1 : (long)tally->failed;
	}
	return expected;
}

/* The second half of the memory has a range of its own. */
static struct bm_batch *start_ranges(struct bm_context *context, const struct flight *flight,
				     struct bm_range *ranges, int round)
{
	struct bm_request request;
	struct bm_batch *batch;

	for (size_t i = 0; i < 2; i++) {
		ranges[i] =
			(struct bm_range){.addr = flight->area.start + i * flight->area.length / 2,
					  .length = flight->area.length / 2,
					  .node = node_of_round(round),
					  .error = SENTINEL};
	}
	bm_request_init(&request, sizeof(request));
	request.flags = SWAP_FLAGS;
	request.count = 2;
	request.ranges = ranges;
	request.range_size = sizeof(ranges[0]);
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	watchdog_beat();
	return batch;
}

START_TEST(ranges_at_any_point)
{
	struct bm_context *context = context_of(1);
	unsigned int begun = 0, late = 0;
	struct bm_range ranges[2];
	struct flight flight;

	NEED_MOVES();
	watchdog_start("async_canceled/ranges_at_any_point");
	flight_new(&flight, UNITS);
	for (unsigned int round = 0; round < 300; round++) {
		struct bm_batch *batch = start_ranges(context, &flight, ranges, (int)round);
		long rc;

		/* How fast the machine is does not matter to some. */
		if (round % 10 == 9)
			bm_batch_wait(batch, BM_FOREVER);
		usleep(round * 7);
		ck_assert_int_eq(bm_batch_cancel(batch), 0);
		rc = bm_batch_wait(batch, 20000000);
		if (rc != -ECANCELED)
			ck_assert_int_eq(rc, expected_of(ranges, 2));
		begun += rc > 0;
		late += rc == 0;
		ck_assert_int_eq(bm_batch_free(batch), 0);
		ck_assert_uint_eq(flight_wrong(&flight), 0);
	}
	ck_assert_uint_gt(late, 0);
	if (node_count > 1)
		ck_assert_uint_gt(begun, 0);
	flight_free(&flight);
	bm_context_free(context);
	watchdog_stop();
}
END_TEST

/* Behind one that is held: no range of it is walked, and each says why. */
START_TEST(ranges_before_they_began)
{
	struct bm_context *context = context_of(1);
	struct bm_range ranges[2];
	struct bm_batch *batch;
	struct flight flight;

	NEED_MOVES();
	watchdog_start("async_canceled/ranges_before_they_began");
	flight_new(&flight, UNITS);
	flight_holds(&flight);
	flight_start(&flight, context);
	batch = start_ranges(context, &flight, ranges, 0);
	ck_assert_int_eq(bm_batch_wait(batch, 20000), -ETIMEDOUT);
	ck_assert_int_eq(bm_batch_cancel(batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, 20000000), -ECANCELED);
	ck_assert_int_eq(bm_batch_free(batch), 0);
	ck_assert_int_eq(bm_batch_cancel(flight.batch), 0);
	flight_free(&flight);
	bm_context_free(context);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ranges[i].error, -ECANCELED);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {
	&held_by_a_rate,      &held_by_the_rate_of_the_context, &paused, &queued,
	&ranges_at_any_point, &ranges_before_they_began,        NULL};
const struct report_group async_canceled_group = {"async_canceled", tests};
