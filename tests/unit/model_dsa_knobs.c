/* SPDX-License-Identifier: MIT */
/* model_dsa_knobs.c - what goes wrong with the software DSA at the word of a rule. */
#include "desk.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void open_with(struct desk *desk, enum dsa_pace pace, struct dsa_rule *rules, size_t count)
{
	desk_open(desk, pace, 7);
	dsa_set_rules(desk->dsa, rules, count);
}

/* Descriptors 2, 4, 5, 6 of seven are lost: by number, and each second one. */
START_TEST(knob_by_number_and_each)
{
	struct dsa_rule rules[] = {{.knob = DSA_LOST_RECORD, .at = 5},
				   {.knob = DSA_LOST_RECORD, .every = 2}};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, rules, 2);
	for (size_t i = 0; i < 7; i++) {
		int silent = i == 4 || i % 2 == 1;

		desk_submit(&desk, i);
		ck_assert_int_eq(desk_status(&desk, i), !silent);
		ck_assert(desk_is_copied(&desk, i));
	}
	ck_assert_uint_eq(rules[0].hits, 1);
	ck_assert_uint_eq(rules[1].hits, 3);
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
	desk_close(&desk);
}
END_TEST

START_TEST(knob_lost_keeps_the_entry)
{
	struct dsa_rule rule = {.knob = DSA_LOST, .at = 1};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, &rule, 1);
	desk_submit(&desk, 0);
	desk_submit(&desk, 1);
	dsa_release(desk.dsa);
	dsa_run(desk.dsa, 10);
	ck_assert(!desk_status(&desk, 0) && desk_is_untouched(&desk, 0));
	ck_assert(desk_status(&desk, 1) == 1);
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 1);
	desk_close(&desk);
}
END_TEST

/* In steps of the test, or microseconds of the thread. */
START_TEST(knob_delay)
{
	for (uint64_t delay = 1; delay < 5; delay++) {
		struct dsa_rule rule = {.knob = DSA_DELAY, .at = 1, .amount = delay};
		struct desk desk;

		open_with(&desk, DSA_AT_ONCE, &rule, 1);
		desk_submit(&desk, 0);
		for (uint64_t step = 0; step < delay; step++) {
			ck_assert(!desk_status(&desk, 0) && desk_is_untouched(&desk, 0));
			ck_assert_uint_eq(dsa_run(desk.dsa, 1), 1);
		}
		ck_assert(desk_status(&desk, 0) == 1 && desk_is_copied(&desk, 0));
		ck_assert_uint_eq(dsa_run(desk.dsa, 1), 0);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(knob_delay_of_the_thread)
{
	struct dsa_rule rule = {.knob = DSA_DELAY, .at = 1, .amount = 200000};
	struct desk desk;

	open_with(&desk, DSA_BY_THREAD, &rule, 1);
	desk_submit(&desk, 0);
	desk_submit(&desk, 1);
	ck_assert_int_eq(desk_wait(&desk, 1), 1);
	ck_assert_int_eq(desk_status(&desk, 0), 0);
	ck_assert_int_eq(desk_wait(&desk, 0), 1);
	desk_close(&desk);
}
END_TEST

/* What the source holds by then comes to the destination, which may be somebody else's by then. */
START_TEST(knob_late_copies_late)
{
	struct dsa_rule rule = {.knob = DSA_LATE, .at = 1};

	for (unsigned int pace = DSA_AT_ONCE; pace <= DSA_BY_THREAD; pace++) {
		struct desk desk;

		open_with(&desk, pace, &rule, 1);
		desk_submit(&desk, 0);
		desk_submit(&desk, 1);
		dsa_run(desk.dsa, 10);
		ck_assert_int_eq(desk_wait(&desk, 1), 1);
		ck_assert(!desk_status(&desk, 0) && desk_is_untouched(&desk, 0));
		/* The thread may have this one in hand still: it is not held back before that. */
		while (pace == DSA_BY_THREAD && !desk_status(&desk, 0))
			dsa_release(desk.dsa);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, pace != DSA_BY_THREAD);
		desk.source[5] ^= 1;
		dsa_release(desk.dsa);
		ck_assert_int_eq(desk_status(&desk, 0), 1);
		ck_assert_int_eq(desk_is_copied(&desk, 0), pace != DSA_BY_THREAD);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
		desk_close(&desk);
	}
}
END_TEST

/* Bytes done, page and direction; and on from there as software resumes. */
static void check_fault(enum dsa_knob knob, size_t after)
{
	struct dsa_rule rule = {.knob = knob, .at = 1, .amount = after};
	uint8_t expected = knob == DSA_FAULT_WRITE ? 0x83 : 0x03;
	const unsigned char *base;
	desk_descriptor rest;
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, &rule, 1);
	base = knob == DSA_FAULT_WRITE ? desk.destination : desk.source;
	desk_submit(&desk, 0);
	ck_assert_int_eq(desk_status(&desk, 0), expected);
	ck_assert_uint_eq(desk_get(desk.records[0], 1, 1), 0);
	ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), after);
	ck_assert_uint_eq(desk_get(desk.records[0], 8, 8),
			  desk_address(base + after) & ~(uint64_t)4095);
	ck_assert(!memcmp(desk.source, desk.destination, after));
	for (size_t i = after; i < DESK_PIECE; i++)
		ck_assert_uint_eq(desk.destination[i], 0);
	ck_assert_uint_eq(desk_counts(&desk).bytes, after);
	memset(desk.records[0], 0, 32);
	rest = desk_copy(&desk, 0);
	desk_put(&rest, 16, desk_address(desk.source + after), 8);
	desk_put(&rest, 24, desk_address(desk.destination + after), 8);
	desk_put(&rest, 32, DESK_PIECE - after, 4);
	dsa_enqcmd(desk.dsa, 0, &rest);
	ck_assert(desk_status(&desk, 0) == 1 && desk_is_copied(&desk, 0));
	ck_assert_uint_eq(rule.hits, 1);
	desk_close(&desk);
}

START_TEST(knob_faults)
{
	static const size_t after[] = {0, 1, 4095, 4096, 4097, 8191};

	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		check_fault(DSA_FAULT_READ, after[i]);
		check_fault(DSA_FAULT_WRITE, after[i]);
	}
}
END_TEST

/* From the end: only the size shrinks when software resumes. */
START_TEST(knob_fault_backwards)
{
	static const size_t after[] = {0, 1, 4000, 4096, 8191};

	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct dsa_rule rule = {.knob = DSA_FAULT_READ, .at = 1, .amount = after[i]};
		unsigned char expected[DESK_PIECE + 64];
		desk_descriptor descriptor;
		struct desk desk;

		open_with(&desk, DSA_AT_ONCE, &rule, 1);
		memcpy(expected, desk.source, 64);
		memcpy(expected + 64, desk.source, DESK_PIECE);
		descriptor = desk_copy(&desk, 0);
		desk_put(&descriptor, 24, desk_address(desk.source + 64), 8);
		dsa_enqcmd(desk.dsa, 0, &descriptor);
		ck_assert_int_eq(desk_status(&desk, 0), 3);
		ck_assert_uint_eq(desk_get(desk.records[0], 1, 1), 1);
		ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), after[i]);
		ck_assert_uint_eq(desk_get(desk.records[0], 8, 8),
				  desk_address(desk.source + DESK_PIECE - 1 - after[i]) &
					  ~(uint64_t)4095);
		desk_put(&descriptor, 32, DESK_PIECE - after[i], 4);
		memset(desk.records[0], 0, 32);
		dsa_enqcmd(desk.dsa, 0, &descriptor);
		ck_assert_int_eq(desk_status(&desk, 0), 1);
		ck_assert(!memcmp(expected, desk.source, sizeof(expected)));
		desk_close(&desk);
	}
}
END_TEST

/* The nearer of two faults; behind the end there is none; and one that comes late. */
START_TEST(knob_faults_together)
{
	struct dsa_rule rules[] = {{.knob = DSA_FAULT_READ, .at = 1, .amount = 5000},
				   {.knob = DSA_FAULT_WRITE, .at = 1, .amount = 4500},
				   {.knob = DSA_FAULT_READ, .at = 2, .amount = DESK_PIECE},
				   {.knob = DSA_FAULT_READ, .at = 3, .amount = 0},
				   {.knob = DSA_LATE, .at = 3},
				   {.knob = DSA_DELAY, .at = 3, .amount = 2}};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, rules, 6);
	for (size_t i = 0; i < 3; i++)
		desk_submit(&desk, i);
	ck_assert_int_eq(desk_status(&desk, 0), 0x83);
	ck_assert_uint_eq(desk_get(desk.records[0], 4, 4), 4500);
	ck_assert(desk_status(&desk, 1) == 1 && rules[2].hits == 0);
	dsa_run(desk.dsa, 5);
	ck_assert_int_eq(desk_status(&desk, 2), 0);
	dsa_release(desk.dsa);
	dsa_run(desk.dsa, 5);
	ck_assert_int_eq(desk_status(&desk, 2), 3);
	ck_assert(rules[3].hits == 1 && rules[4].hits == 1 && rules[5].hits == 1);
	desk_close(&desk);
}
END_TEST

START_TEST(knob_status)
{
	struct dsa_rule rules[] = {{.knob = DSA_STATUS, .at = 1, .amount = 0x20},
				   {.knob = DSA_STATUS, .at = 2, .amount = 1}};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, rules, 2);
	for (size_t i = 0; i < 3; i++)
		desk_submit(&desk, i);
	ck_assert(desk_status(&desk, 0) == 0x20 && desk_is_untouched(&desk, 0));
	/* A device that lies. */
	ck_assert(desk_status(&desk, 1) == 1 && desk_is_untouched(&desk, 1));
	ck_assert(desk_status(&desk, 2) == 1 && desk_is_copied(&desk, 2));
	desk_close(&desk);
}
END_TEST

/* Steps between the status and the rest; what was read too early is not what comes. */
START_TEST(knob_status_first)
{
	struct dsa_rule rules[] = {{.knob = DSA_STATUS_FIRST, .every = 1},
				   {.knob = DSA_FAULT_WRITE, .at = 2, .amount = 4096}};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, rules, 2);
	memset(desk.records[1] + 1, 0xaa, 31);
	desk_submit(&desk, 0);
	desk_submit(&desk, 1);
	ck_assert(desk_status(&desk, 0) == 1 && desk_is_untouched(&desk, 0));
	ck_assert(desk_status(&desk, 1) == 0x83 && desk_is_untouched(&desk, 1));
	ck_assert_uint_eq(desk_get(desk.records[1], 4, 4), 0xaaaaaaaa);
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
	dsa_run(desk.dsa, 2);
	ck_assert(desk_is_copied(&desk, 0));
	ck_assert_uint_eq(desk_get(desk.records[1], 4, 4), 4096);
	ck_assert_uint_eq(desk_get(desk.records[1], 8, 8), desk_address(desk.destination + 12288));
	ck_assert_int_eq(desk_status(&desk, 1), 0x83);
	desk_close(&desk);
}
END_TEST

/* There is a race, and it is meant. */
__attribute__((no_sanitize("thread"))) static int last_byte_lags(const struct desk *desk)
{
	return *(volatile unsigned char *)&desk->destination[DESK_PIECE - 1] !=
	       desk->source[DESK_PIECE - 1];
}

START_TEST(knob_status_first_of_the_thread)
{
	size_t early = 0;

	for (size_t round = 0; round < 100 && !early; round++) {
		struct dsa_rule rule = {.knob = DSA_STATUS_FIRST, .at = 1};
		struct desk desk;

		open_with(&desk, DSA_BY_THREAD, &rule, 1);
		desk_submit(&desk, 0);
		while (!desk_status(&desk, 0))
			;
		early += (size_t)last_byte_lags(&desk);
		dsa_close(desk.dsa, 0);
		ck_assert(desk_is_copied(&desk, 0));
		desk_close(&desk);
	}
	ck_assert_uint_gt(early, 0);
}
END_TEST

/* Calls of both kinds are counted; each refusal uses up one of those that are due. */
START_TEST(knob_busy)
{
	struct dsa_rule rules[] = {{.knob = DSA_BUSY, .at = 2, .amount = 2},
				   {.knob = DSA_BUSY, .at = 6}};
	struct desk desk;
	desk_descriptor descriptor;

	open_with(&desk, DSA_AT_ONCE, rules, 2);
	for (size_t call = 1; call <= 8; call++) {
		int refused = call == 2 || call == 3 || call == 6;

		descriptor = desk_copy(&desk, call);
		if (call % 2)
			ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &descriptor), refused);
		else
			ck_assert_int_eq(dsa_write(desk.dsa, 0, &descriptor, 64),
					 refused ? -EAGAIN : 64);
		ck_assert_int_eq(desk_status(&desk, call), !refused);
	}
	ck_assert(rules[0].hits == 1 && rules[1].hits == 1);
	desk_close(&desk);
}
END_TEST

START_TEST(knob_short_write)
{
	struct dsa_rule rules[] = {{.knob = DSA_SHORT_WRITE, .at = 2, .amount = 3},
				   {.knob = DSA_SHORT_WRITE, .at = 3, .amount = 0}};
	struct desk desk;

	open_with(&desk, DSA_AT_ONCE, rules, 2);
	desk_batch(&desk, 5);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 320), 320);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 320), 192);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 320), -EAGAIN);
	ck_assert_int_eq(dsa_write(desk.dsa, 0, desk.list, 320), 320);
	ck_assert_uint_eq(desk_counts(&desk).descriptors, 13);
	desk_close(&desk);
}
END_TEST

static void check_halted(const struct desk *desk)
{
	desk_descriptor descriptor = desk_copy(desk, 9);

	ck_assert_int_eq(dsa_write(desk->dsa, 0, &descriptor, 64), -ENXIO);
	ck_assert_int_eq(dsa_enqcmd(desk->dsa, 0, &descriptor), 1);
	dsa_movdir64b(desk->dsa, 1, &descriptor);
	dsa_run(desk->dsa, 100);
	ck_assert_int_eq(desk_status(desk, 9), 0);
	ck_assert_uint_eq(desk_counts(desk).dropped, 1);
}

START_TEST(knob_halt)
{
	struct dsa_rule rule = {.knob = DSA_HALT, .at = 3};
	struct desk desk;
	size_t done = 0;

	open_with(&desk, DSA_WHEN_RUN, &rule, 1);
	for (size_t i = 0; i < 6; i++)
		desk_submit(&desk, i);
	dsa_run(desk.dsa, 100);
	for (size_t i = 0; i < 6; i++)
		done += desk_status(&desk, i) != 0;
	ck_assert(done < 6 && !desk_status(&desk, 2) && desk_is_untouched(&desk, 2));
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 6 - done);
	check_halted(&desk);
	dsa_close(desk.dsa, 0);
	ck_assert(!desk_status(&desk, 2) && desk_is_untouched(&desk, 2));
	ck_assert_uint_eq(desk_counts(&desk).in_flight, 0);
	desk_close(&desk);
}
END_TEST

START_TEST(knob_halted_by_hand)
{
	struct desk desk;

	open_with(&desk, DSA_WHEN_RUN, NULL, 0);
	desk_submit(&desk, 0);
	dsa_halt(desk.dsa);
	check_halted(&desk);
	ck_assert(!desk_status(&desk, 0) && desk_is_untouched(&desk, 0));
	desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&knob_by_number_and_each,
					    &knob_lost_keeps_the_entry,
					    &knob_delay,
					    &knob_delay_of_the_thread,
					    &knob_late_copies_late,
					    &knob_faults,
					    &knob_fault_backwards,
					    &knob_faults_together,
					    &knob_status,
					    &knob_status_first,
					    &knob_status_first_of_the_thread,
					    &knob_busy,
					    &knob_short_write,
					    &knob_halt,
					    &knob_halted_by_hand,
					    NULL};
const struct report_group model_dsa_knobs_group = {"model_dsa_knobs", tests};
