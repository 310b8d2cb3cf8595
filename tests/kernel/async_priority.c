/* SPDX-License-Identifier: MIT */
/* async_priority.c - which batches of a context are worked on at once, and which have to pause. */
#include "async_support.h"

#define UNITS 1

static struct flight low, normal, high;

static void three_new(void)
{
	flight_new(&low, UNITS);
	flight_new(&normal, UNITS);
	flight_new(&high, UNITS);
	low.request.priority = BM_PRIORITY_LOW;
	normal.request.priority = BM_PRIORITY_NORMAL;
	high.request.priority = BM_PRIORITY_HIGH;
}

static void three_free(struct bm_context *context)
{
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_uint_eq(flight_wrong(&low) + flight_wrong(&normal) + flight_wrong(&high), 0);
	flight_free(&low);
	flight_free(&normal);
	flight_free(&high);
}

/* While `second` lasts nothing of `first` is moved; afterwards all of it. */
static void expect_pause(struct flight *first, struct flight *second, struct bm_context *context)
{
	uint64_t moved;

	flight_lasts(first, 600);
	flight_lasts(second, 600);
	flight_start(first, context);
	AWAIT(flight_state(first) == BM_BATCH_RUNNING);
	flight_start(second, context);
	AWAIT(flight_state(first) == BM_BATCH_PAUSED);
	ck_assert_int_eq(flight_state(second), BM_BATCH_RUNNING);
	usleep(50000); /* the end of what was under way */
	moved = flight_progress(first).bytes_moved;
	ck_assert_uint_lt(moved, first->area.length);
	ck_assert_int_eq(flight_wait(second), 0);
	ck_assert_uint_eq(flight_check(second), 0);
	ck_assert_uint_le(flight_progress(first).bytes_moved, moved + first->area.length / 4);
	ck_assert_int_eq(flight_complete(first), 0);
	ck_assert_int_eq(flight_wait(first), 0);
	ck_assert_uint_eq(flight_check(first), 0);
	flight_drop(first);
	flight_drop(second);
}

START_TEST(higher_ones_pause_lower_ones)
{
	struct bm_context *context = context_of(1);

	NEED_MOVES();
	watchdog_start("async_priority/higher_ones_pause_lower_ones");
	three_new();
	expect_pause(&low, &high, context);
	/* Where swap cannot be had what is on its target already takes no time. */
	area_target(&low.area, node_of_round(1));
	expect_pause(&low, &normal, context);
	area_target(&normal.area, node_of_round(1));
	area_target(&high.area, node_of_round(1));
	expect_pause(&normal, &high, context);
	three_free(context);
	watchdog_stop();
}
END_TEST

START_TEST(lower_ones_pause_nothing)
{
	struct bm_context *context = context_of(1);

	NEED_MOVES();
	watchdog_start("async_priority/lower_ones_pause_nothing");
	three_new();
	flight_lasts(&high, 300);
	flight_start(&high, context);
	AWAIT(flight_state(&high) == BM_BATCH_RUNNING);
	flight_start(&low, context);
	while (!flight_complete(&high)) {
		ck_assert_int_ne(flight_state(&high), BM_BATCH_PAUSED);
		usleep(1000);
	}
	ck_assert_int_eq(flight_wait(&low), 0);
	three_free(context);
	watchdog_stop();
}
END_TEST

/* A high one waits for a low one, which therefore does not wait for the normal one. */
START_TEST(waited_for_by_a_higher_one)
{
	struct bm_context *context = context_of(1);
	struct flight over;

	NEED_MOVES();
	watchdog_start("async_priority/waited_for_by_a_higher_one");
	three_new();
	flight_over(&over, low.area.start, low.area.count);
	over.request.priority = BM_PRIORITY_HIGH;
	flight_lasts(&low, 400);
	flight_holds(&normal);
	flight_start(&low, context);
	AWAIT(flight_state(&low) == BM_BATCH_RUNNING);
	flight_start(&normal, context);
	AWAIT(flight_state(&low) == BM_BATCH_PAUSED);
	flight_start(&over, context);
	AWAIT(flight_state(&low) != BM_BATCH_PAUSED);
	AWAIT(flight_state(&normal) == BM_BATCH_PAUSED || flight_complete(&low));
	ck_assert_int_eq(bm_batch_wait(over.batch, 20000000), 0);
	ck_assert_int_eq(flight_complete(&low), 1);
	ck_assert_int_eq(flight_complete(&normal), 0);
	ck_assert_int_eq(bm_batch_cancel(normal.batch), 0);
	flight_free(&over);
	three_free(context);
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- how many at once */

#define AT_ONCE 4

/* Four of a priority are worked on, the fifth waits for one of them, another priority does not. */
START_TEST(four_at_once)
{
	struct bm_context *context = context_of(1);
	struct flight flights[AT_ONCE + 1];

	NEED_MOVES();
	watchdog_start("async_priority/four_at_once");
	three_new();
	for (int i = 0; i <= AT_ONCE; i++) {
		flight_new(&flights[i], UNITS);
		flight_holds(&flights[i]);
		flight_start(&flights[i], context);
	}
	for (int i = 0; i < AT_ONCE; i++)
		AWAIT(flight_state(&flights[i]) == BM_BATCH_RUNNING);
	flight_whole(&high, context);
	usleep(20000);
	ck_assert_int_eq(flight_state(&flights[AT_ONCE]), BM_BATCH_QUEUED);
	ck_assert_int_eq(bm_batch_cancel(flights[1].batch), 0);
	AWAIT(flight_state(&flights[AT_ONCE]) == BM_BATCH_RUNNING);
	for (int i = 0; i <= AT_ONCE; i++) {
		ck_assert_int_eq(bm_batch_cancel(flights[i].batch), 0);
		flight_free(&flights[i]);
	}
	three_free(context);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&higher_ones_pause_lower_ones,
					    &lower_ones_pause_nothing, &waited_for_by_a_higher_one,
					    &four_at_once, NULL};
const struct report_group async_priority_group = {"async_priority", tests};
