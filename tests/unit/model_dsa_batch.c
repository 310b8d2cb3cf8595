/* SPDX-License-Identifier: MIT */
/* model_dsa_batch.c - batches of the software DSA: orders, fences, failures, lists that end. */
#include "desk.h"

#include <string.h>

#include "unit.h"

#define CHILDREN 12

static void submit(const struct desk *desk, const desk_descriptor *batch)
{
	ck_assert_int_eq(dsa_enqcmd(desk->dsa, 0, batch), 0);
}

static size_t done(const struct desk *desk)
{
	size_t count = 0;

	for (size_t i = 0; i < CHILDREN; i++)
		count += desk_status(desk, i) != 0;
	return count;
}

/* One entry, any order, and the record of the batch when all others are there. */
START_TEST(batch_ends_after_its_children)
{
	size_t jumps = 0;

	for (uint32_t seed = 0; seed < 20; seed++) {
		struct desk desk;
		desk_descriptor batch;

		desk_open(&desk, DSA_WHEN_RUN, seed);
		batch = desk_batch(&desk, CHILDREN);
		submit(&desk, &batch);
		ck_assert_uint_eq(desk_counts(&desk).most_in_flight, 1);
		for (size_t before = 0; before < CHILDREN; before = done(&desk)) {
			ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 0);
			ck_assert_uint_eq(dsa_run(desk.dsa, 1), 1);
			jumps += done(&desk) == 1 && !desk_status(&desk, 0);
			ck_assert_uint_le(done(&desk), before + 1);
		}
		ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 0);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 1);
		dsa_run(desk.dsa, 1);
		ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 1);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
		for (size_t i = 0; i < CHILDREN; i++)
			ck_assert(desk_status(&desk, i) == 1 && desk_is_copied(&desk, i));
		ck_assert_uint_eq(desk_counts(&desk).descriptors, CHILDREN);
		ck_assert_uint_eq(desk_counts(&desk).batches, 1);
		desk_close(&desk);
	}
	ck_assert_uint_gt(jumps, 5);
}
END_TEST

START_TEST(batch_by_a_thread)
{
	for (uint32_t seed = 0; seed < 50; seed++) {
		struct desk desk;
		desk_descriptor batch;

		desk_open(&desk, DSA_BY_THREAD, seed);
		batch = desk_batch(&desk, CHILDREN);
		submit(&desk, &batch);
		ck_assert_int_eq(desk_wait(&desk, DESK_BATCH_RECORD), 1);
		ck_assert_uint_eq(done(&desk), CHILDREN);
		for (size_t i = 0; i < CHILDREN; i++)
			ck_assert(desk_is_copied(&desk, i));
		desk_close(&desk);
	}
}
END_TEST

static void fence(const struct desk *desk, size_t child)
{
	desk_put(&desk->list[child], 4, DESK_WANTED | 1, 3);
}

START_TEST(batch_fence_parts_its_children)
{
	size_t reordered = 0;

	for (uint32_t seed = 0; seed < 30; seed++) {
		struct desk desk;
		desk_descriptor batch;

		desk_open(&desk, DSA_WHEN_RUN, seed);
		batch = desk_batch(&desk, CHILDREN);
		fence(&desk, 0);
		fence(&desk, 5);
		submit(&desk, &batch);
		while (!desk_status(&desk, DESK_BATCH_RECORD)) {
			dsa_run(desk.dsa, 1);
			reordered += desk_status(&desk, 11) && !desk_status(&desk, 6);
			for (size_t i = 5; i < CHILDREN && done(&desk) <= 5; i++)
				ck_assert_int_eq(desk_status(&desk, i), 0);
		}
		ck_assert_uint_eq(done(&desk), CHILDREN);
		desk_close(&desk);
	}
	ck_assert_uint_gt(reordered, 0);
}
END_TEST

/* The others are done: without a fence a failure stops nobody. */
START_TEST(batch_with_a_failure)
{
	struct dsa_rule fault = {.knob = DSA_FAULT_READ, .at = 4, .amount = 4096};
	desk_descriptor batch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	dsa_set_rules(desk.dsa, &fault, 1);
	batch = desk_batch(&desk, CHILDREN);
	desk_put(&desk.list[7], 32, 0, 4);
	submit(&desk, &batch);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 5);
	ck_assert_uint_eq(desk_get(desk.records[DESK_BATCH_RECORD], 4, 4), CHILDREN);
	for (size_t i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(desk_status(&desk, i), i == 3 ? 3 : i == 7 ? 0x13 : 1);
		ck_assert_int_eq(desk_is_copied(&desk, i), i != 3 && i != 7);
	}
	desk_close(&desk);
}
END_TEST

START_TEST(batch_stops_at_a_fence_after_a_failure)
{
	struct dsa_rule status = {.knob = DSA_STATUS, .at = 2, .amount = 0x20};
	desk_descriptor batch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	dsa_set_rules(desk.dsa, &status, 1);
	batch = desk_batch(&desk, CHILDREN);
	fence(&desk, 6);
	submit(&desk, &batch);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 5);
	ck_assert_uint_eq(desk_get(desk.records[DESK_BATCH_RECORD], 4, 4), 6);
	for (size_t i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(desk_status(&desk, i), i == 1 ? 0x20 : i < 6);
		ck_assert_int_eq(desk_is_copied(&desk, i), i != 1 && i < 6);
	}
	desk_close(&desk);
}
END_TEST

/* As software goes on: a shorter list, behind what was done. */
START_TEST(batch_list_ends_in_a_fault)
{
	for (size_t after = 0; after < CHILDREN; after++) {
		struct dsa_rule fault = {.knob = DSA_FAULT_LIST, .at = 1, .amount = after};
		const unsigned char *record;
		desk_descriptor batch;
		struct desk desk;

		desk_open(&desk, DSA_AT_ONCE, (uint32_t)after);
		record = desk.records[DESK_BATCH_RECORD];
		dsa_set_rules(desk.dsa, &fault, 1);
		batch = desk_batch(&desk, CHILDREN);
		submit(&desk, &batch);
		ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 6);
		ck_assert_uint_eq(desk_get(record, 4, 4), after);
		ck_assert_uint_eq(desk_get(record, 8, 8), desk_address(desk.list));
		ck_assert_uint_eq(done(&desk), after);
		ck_assert_uint_eq(fault.hits, 1);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
		if (after == CHILDREN - 1)
			batch = desk_copy(&desk, after);
		desk_put(&batch, 16, desk_address(desk.list + after), after < CHILDREN - 1 ? 8 : 0);
		desk_put(&batch, 32, CHILDREN - after, after < CHILDREN - 1 ? 4 : 0);
		submit(&desk, &batch);
		ck_assert_uint_eq(done(&desk), CHILDREN);
		for (size_t i = 0; i < CHILDREN; i++)
			ck_assert(desk_is_copied(&desk, i));
		desk_close(&desk);
	}
}
END_TEST

/* The batch keeps its entry, and never ends, while a child is lost or held back. */
START_TEST(batch_waits_for_a_late_child)
{
	struct dsa_rule rules[] = {{.knob = DSA_LATE, .at = 3}, {.knob = DSA_LATE, .at = 9}};
	desk_descriptor batch;
	struct desk desk;

	for (unsigned int pace = DSA_AT_ONCE; pace <= DSA_WHEN_RUN; pace++) {
		desk_open(&desk, pace, 1);
		dsa_set_rules(desk.dsa, rules, 2);
		batch = desk_batch(&desk, CHILDREN);
		submit(&desk, &batch);
		dsa_run(desk.dsa, 100);
		ck_assert_uint_eq(done(&desk), CHILDREN - 2);
		ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 0);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 1);
		dsa_release(desk.dsa);
		ck_assert_uint_eq(done(&desk), CHILDREN);
		dsa_run(desk.dsa, 100);
		ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 1);
		desk_close(&desk);
	}
}
END_TEST

/* A child that wants no record when it succeeds counts as one that did. */
START_TEST(batch_of_silent_children)
{
	desk_descriptor batch;
	struct desk desk;

	desk_open(&desk, DSA_AT_ONCE, 1);
	batch = desk_batch(&desk, 3);
	for (size_t i = 0; i < 3; i++)
		desk_put(&desk.list[i], 4, i ? 4 : 0, 3);
	desk_put(&desk.list[2], 38, 1, 2);
	submit(&desk, &batch);
	ck_assert_int_eq(desk_status(&desk, DESK_BATCH_RECORD), 5);
	ck_assert(!desk_status(&desk, 0) && !desk_status(&desk, 1));
	ck_assert_int_eq(desk_status(&desk, 2), 0x12);
	ck_assert(desk_is_copied(&desk, 0) && desk_is_copied(&desk, 1));
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&batch_ends_after_its_children,
					    &batch_by_a_thread,
					    &batch_fence_parts_its_children,
					    &batch_with_a_failure,
					    &batch_stops_at_a_fence_after_a_failure,
					    &batch_list_ends_in_a_fault,
					    &batch_waits_for_a_late_child,
					    &batch_of_silent_children,
					    NULL};
const struct report_group model_dsa_batch_group = {"model_dsa_batch", tests};
