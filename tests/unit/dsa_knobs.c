/* SPDX-License-Identifier: MIT */
/*
 * dsa_knobs.c - the backend dsa on a device that does not do as it is told, or
 * late: each fault at each descriptor, and in pairs.
 *
 * Whatever happens: no byte is wrong once the caller has finished what was left
 * to it, each copy is told at most once, nothing else is written to, and copies
 * that are never told are in flight until settle() says that they are over.
 */
#include <stdio.h>
#include <string.h>

#include "dsa_scene.h"
#include "unit.h"

#define ROUND  24u /* copies */
#define RULES  2u
#define FEW    64u /* pages: there are thousands of scenes */
#define SETTLE 50

/* A device that does not keep to the order of its records gives bytes that cannot be trusted. */
static int is_false(const struct dsa_rule *rules)
{
	return rules[0].knob == DSA_STATUS_FIRST || rules[1].knob == DSA_STATUS_FIRST;
}

static int loses(const struct dsa_rule *rules)
{
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].knob == DSA_LOST || rules[i].knob == DSA_LATE ||
		    rules[i].knob == DSA_HALT)
			return 1;
	return 0;
}

/* Until it is over: by itself, by what was held back, or because the device was stopped. */
static void settle(const struct dsa_rule *rules, const char *what)
{
	int over = bm_backend_dsa.settle(dsa.channels[0]);

	if (over)
		return;
	/* A queue of one entry has none for a drain. */
	ck_assert_msg(loses(rules) || dsa.how.hides_files, "%s: not settled, although it answers",
		      what);
	dsa_release(dsa.device);
	for (int i = 0; !over && i < SETTLE; i++) {
		dsa_run(dsa.device, 100);
		over = bm_backend_dsa.settle(dsa.channels[0]);
	}
	if (!over && !dsa.how.hides_files) {
		dsa_halt(dsa.device);
		dsa.halts = 1;
		over = bm_backend_dsa.settle(dsa.channels[0]);
		ck_assert_msg(over, "%s: not settled, although it has stopped", what);
	}
	/* Nothing tells that it has stopped, and nothing has ended: then that is the answer. */
	ck_assert_msg(over || dsa.how.hides_files, "%s", what);
	if (!over)
		dsa_end_stuck();
}

static void finish(const struct dsa_rule *rules, size_t in_flight, const char *what)
{
	if (in_flight) {
		int lossy = loses(rules) || rules[0].knob == DSA_LOST_RECORD ||
			    rules[1].knob == DSA_LOST_RECORD;

		ck_assert_msg(lossy, "%s: %zu copies are not told", what, in_flight);
		settle(rules, what);
		if (!dsa.device)
			return;
	}
	/* From here on nothing may be written by it: what is wrong later was late. */
	if (is_false(rules))
		dsa_run(dsa.device, 1000);
	dsa_verify(what);
	for (size_t i = 0; i < dsa.work.count; i++)
		if (dsa.work.told[i] != TOLD)
			memset(dsa.work.copies[i].to, LOST_BYTE, dsa.work.copies[i].length);
	dsa_release(dsa.device);
	dsa_run(dsa.device, 1000);
	for (size_t i = 0; i < dsa.work.count; i++) {
		const unsigned char *to = dsa.work.copies[i].to;

		if (dsa.work.told[i] == TOLD)
			continue;
		ck_assert_msg(to[0] == LOST_BYTE && to[dsa.work.copies[i].length - 1] == LOST_BYTE,
			      "%s: written after settle()", what);
	}
	dsa_end();
}

static void try_rules(enum dsa_way way, enum dsa_pace pace, struct dsa_rule *rules)
{
	char what[160];
	size_t in_flight;

	snprintf(what, sizeof(what),
		 "way %d, pace %d, knob %d at %d every %d (%d), knob %d at %d (%d)", (int)way,
		 (int)pace, (int)rules[0].knob, (int)rules[0].at, (int)rules[0].every,
		 (int)rules[0].amount, (int)rules[1].knob, (int)rules[1].at, (int)rules[1].amount);
	dsa_pages = FEW;
	dsa_begin(way, 2, 3, pace);
	dsa_pages = PAGES;
	dsa.env.batch = 5;
	dsa.halts = rules[0].knob == DSA_HALT || rules[1].knob == DSA_HALT;
	dsa_set_rules(dsa.device, rules, RULES);
	dsa_open_all(1);
	dsa_add_copies(ROUND, 4);
	in_flight = dsa_drive(dsa.channels[0], &dsa.work);
	finish(rules, in_flight, what);
}

static uint64_t amount_of(enum dsa_knob knob)
{
	static const uint64_t bytes[] = {0, 1, 4095, 4096, 4097, 8192, 12288};
	static const uint64_t statuses[] = {2, 4, 5, 6, 0x10, 0x11, 0x13, 0x16, 0x1a, 0x20, 0x3f};

	switch (knob) {
	case DSA_DELAY:
		return 1 + rnd() % 20;
	case DSA_FAULT_READ:
	case DSA_FAULT_WRITE:
		return bytes[rnd() % 7];
	case DSA_STATUS:
		return statuses[rnd() % 11];
	case DSA_FAULT_LIST:
		return rnd() % 5;
	case DSA_BUSY:
		return 1 + rnd() % 60;
	case DSA_SHORT_WRITE:
		return 1 + rnd() % 3;
	default:
		return 0;
	}
}

static struct dsa_rule rule_at(enum dsa_knob knob, uint64_t at)
{
	return (struct dsa_rule){.knob = knob, .at = at, .amount = amount_of(knob)};
}

START_TEST(each_fault_at_each_descriptor)
{
	for (int way = 0; way < WAYS; way++) {
		for (int knob = 0; knob < DSA_KNOBS; knob++) {
			uint64_t hits = 0;

			for (uint64_t at = 1; at <= ROUND; at++) {
				struct dsa_rule rules[RULES] = {rule_at((enum dsa_knob)knob, at)};

				try_rules((enum dsa_way)way, at % 2 ? DSA_WHEN_RUN : DSA_AT_ONCE,
					  rules);
				hits += rules[0].hits;
			}
			/* No batch has a list here, no call is a write(2) there. */
			if (knob != DSA_FAULT_LIST && knob != DSA_SHORT_WRITE && knob != DSA_BUSY)
				ck_assert_uint_gt(hits, 0);
		}
	}
}
END_TEST

START_TEST(each_fault_every_few_descriptors)
{
	for (int way = 0; way < WAYS; way++) {
		for (int knob = 0; knob < DSA_KNOBS; knob++) {
			for (uint64_t every = 1; every < 6; every++) {
				struct dsa_rule rules[RULES] = {
					{.knob = (enum dsa_knob)knob,
					 .every = every,
					 .amount = amount_of((enum dsa_knob)knob)}};

				try_rules((enum dsa_way)way, every % 2 ? DSA_AT_ONCE : DSA_WHEN_RUN,
					  rules);
			}
		}
	}
}
END_TEST

START_TEST(faults_in_pairs)
{
	for (int first = 0; first < DSA_KNOBS; first++) {
		for (int second = first; second < DSA_KNOBS; second++) {
			for (int turn = 0; turn < 12; turn++) {
				struct dsa_rule rules[RULES] = {
					rule_at((enum dsa_knob)first, 1 + rnd() % ROUND),
					rule_at((enum dsa_knob)second, 1 + rnd() % ROUND)};

				rules[0].every = turn % 3 ? 0 : 2 + rnd() % 5;
				try_rules((enum dsa_way)(turn % WAYS),
					  turn % 2 ? DSA_AT_ONCE : DSA_WHEN_RUN, rules);
			}
		}
	}
}
END_TEST

/* The rest is copied by the device, and nothing twice. */
START_TEST(faults_are_resumed)
{
	static const enum dsa_knob knobs[] = {DSA_FAULT_READ, DSA_FAULT_WRITE};

	for (int way = 0; way < WAYS; way++) {
		for (size_t k = 0; k < 2; k++) {
			struct dsa_rule rules[RULES] = {
				{.knob = knobs[k], .every = 3, .amount = 4096},
				{.knob = knobs[1 - k], .every = 7, .amount = 8192}};
			uint64_t bytes = 0;

			dsa_begin((enum dsa_way)way, 1, 8, DSA_WHEN_RUN);
			dsa_set_rules(dsa.device, rules, RULES);
			dsa_open_all(1);
			dsa_add_copies(100, 8);
			for (size_t i = 0; i < dsa.work.count; i++)
				bytes += dsa.work.copies[i].length;
			ck_assert_uint_eq(dsa_drive(dsa.channels[0], &dsa.work), 0);
			ck_assert_uint_eq(dsa.work.left, 0);
			ck_assert_uint_eq(dsa_counted().bytes, bytes);
			ck_assert_uint_gt(rules[0].hits, 10);
			ck_assert_uint_gt(rules[1].hits, 5);
			dsa_verify("resumed");
			dsa_end();
		}
	}
}
END_TEST

/* Not for ever: a page that is missing again and again is left to the caller. */
START_TEST(resumes_are_bounded)
{
	static const enum dsa_knob knobs[] = {DSA_FAULT_READ, DSA_FAULT_WRITE};

	for (size_t k = 0; k < 2; k++) {
		struct dsa_rule rules[RULES] = {{.knob = knobs[k], .every = 1, .amount = 0}};

		dsa_begin(PORTAL_DEDICATED, 1, 8, DSA_AT_ONCE);
		dsa_set_rules(dsa.device, rules, RULES);
		dsa_open_all(1);
		dsa_add_copies(50, 4);
		ck_assert_uint_eq(dsa_drive(dsa.channels[0], &dsa.work), 0);
		ck_assert_uint_eq(dsa.work.left, dsa.work.count);
		ck_assert_uint_le(rules[0].hits, 6 * dsa.work.count);
		dsa_verify("bounded");
		dsa_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&each_fault_at_each_descriptor,
					    &each_fault_every_few_descriptors,
					    &faults_in_pairs,
					    &faults_are_resumed,
					    &resumes_are_bounded,
					    NULL};
const struct report_group dsa_knobs_group = {"dsa_knobs", tests};
