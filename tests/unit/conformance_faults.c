/* SPDX-License-Identifier: MIT */
/*
 * conformance_faults.c - every fault of the software device at every copy, alone
 * and in pairs, below the driver of the library: what is said to be done is
 * done, and what is lost may be written late, and nothing else.
 *
 * Not DSA_STATUS_FIRST: bytes behind the word that they are there cannot be seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_dsa.h"
#include "copy.h"
#include "scene.h"

#define COPIES      24u
#define SLOT        5u /* pages of a copy and behind it */
#define SLOTS_BYTES ((size_t)COPIES * SLOT * CONFORMANCE_PAGE)
#define RULES       2
#define TICK_NS     20000u
#define PATIENCE_NS 10000000u
#define OWN         0x3c /* what the owner of a page writes when it is his again */

struct kind {
	enum dsa_knob knob;
	uint64_t amount;
	int loses; /* what it does is never told */
};

static const struct kind kinds[] = {
	{DSA_DELAY, 7, 0},          {DSA_LOST_RECORD, 0, 1}, {DSA_LOST, 0, 1},
	{DSA_LATE, 0, 1},           {DSA_FAULT_READ, 0, 0},  {DSA_FAULT_READ, 4095, 0},
	{DSA_FAULT_READ, 4096, 0},  {DSA_FAULT_WRITE, 0, 0}, {DSA_FAULT_WRITE, 100, 0},
	{DSA_FAULT_WRITE, 8192, 0}, {DSA_FAULT_LIST, 0, 0},  {DSA_FAULT_LIST, 1, 0},
	{DSA_FAULT_LIST, 3, 0},     {DSA_STATUS, 0x13, 0},   {DSA_STATUS, 0x1a, 0},
	{DSA_STATUS, 0x20, 0},      {DSA_STATUS, 0x04, 0},   {DSA_BUSY, 5, 0},
	{DSA_SHORT_WRITE, 0, 0},    {DSA_SHORT_WRITE, 1, 0}, {DSA_HALT, 0, 1},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct {
	struct dsa *device;
	struct dsa_rule rules[RULES];
	struct bm_copy copies[COPIES];
	unsigned char ends[COPIES];
	uint64_t clock, hits[DSA_KNOBS];
	int loses, halts;
} scene;

/* The device works while somebody looks at the clock: every run is the same. */
static uint64_t clock_ns(void)
{
	dsa_run(scene.device, 8);
	return scene.clock += TICK_NS;
}

static void sleep_us(uint64_t us)
{
	dsa_run(scene.device, 8);
	scene.clock += us * 1000;
}

static void describe(struct conformance *run)
{
	const struct dsa_rule *rules = scene.rules;

	snprintf(run->what, sizeof(run->what),
		 "knob %d (%lu) at %lu every %lu, knob %d (%lu) at %lu every %lu",
		 (int)rules[0].knob, (unsigned long)rules[0].amount, (unsigned long)rules[0].at,
		 (unsigned long)rules[0].every, (int)rules[1].knob, (unsigned long)rules[1].amount,
		 (unsigned long)rules[1].at, (unsigned long)rules[1].every);
}

static void begin(struct conformance *run)
{
	conformance_dsa_renew(run);
	scene.device = conformance_dsa_device(run);
	dsa_set_rules(scene.device, scene.rules, RULES);
	run->sys.now_ns = clock_ns;
	run->sys.sleep_us = sleep_us;
	describe(run);
	memset(run->to, CONFORMANCE_STALE, SLOTS_BYTES);
	memset(run->expected, CONFORMANCE_STALE, SLOTS_BYTES);
}

static void make_copies(struct conformance *run, size_t longest)
{
	longest = longest < SLOT - 1 ? longest : SLOT - 1;
	for (size_t i = 0; i < COPIES; i++) {
		size_t to = i * SLOT * CONFORMANCE_PAGE;
		size_t from = (i * 7 + 3) % COPIES * SLOT * CONFORMANCE_PAGE;
		size_t length = (1 + rnd() % longest) * CONFORMANCE_PAGE;

		scene.copies[i] = (struct bm_copy){
			.to = run->to + to, .from = run->from + from, .length = length};
		memcpy(run->expected + to, run->from + from, length);
	}
}

static size_t slot_of(const struct conformance *run, size_t index)
{
	return (size_t)((unsigned char *)scene.copies[index].to - run->to);
}

/* Where a copy is lost anything may be; all else is as expected. */
static void compare(struct conformance *run, const char *when)
{
	for (size_t i = 0; i < COPIES; i++) {
		size_t at = slot_of(run, i), length = SLOT * CONFORMANCE_PAGE;

		if (scene.ends[i] == BM_COPY_LOST) {
			length -= scene.copies[i].length;
			at += scene.copies[i].length;
		}
		conformance_assert(run, memcmp(run->to + at, run->expected + at, length) == 0,
				   "copy %zu, %s, is %s, and bytes are wrong", i, when,
				   scene.ends[i] == BM_COPY_LOST ? "lost" : "done");
	}
	conformance_assert(run, memcmp(run->from, run->kept, SLOTS_BYTES) == 0,
			   "a source was written");
}

/* What was done is its owner's again, who writes to it. */
static void take_over(struct conformance *run, int all)
{
	for (size_t i = 0; i < COPIES; i++) {
		if (!all && scene.ends[i] == BM_COPY_LOST)
			continue;
		memset(scene.copies[i].to, OWN, scene.copies[i].length);
		memset(run->expected + slot_of(run, i), OWN, scene.copies[i].length);
		if (all)
			scene.ends[i] = BM_COPY_DONE;
	}
}

/* 1: it knows that nothing of the channel is written any more. */
static int settle(struct conformance *run, struct bm_channel *channel)
{
	for (int tries = 0; tries < 3; tries++) {
		if (run->backend->settle(channel) == 1)
			return 1;
		clock_ns();
	}
	return 0;
}

static void check_counts(struct conformance *run)
{
	struct dsa_counts counts;

	dsa_count(scene.device, &counts);
	/* One that has stopped drops all. */
	conformance_assert(run, counts.dropped == 0 || scene.halts, "%lu were dropped",
			   (unsigned long)counts.dropped);
	conformance_assert(run, counts.refused == 0, "%lu were refused",
			   (unsigned long)counts.refused);
	for (size_t i = 0; i < RULES; i++)
		scene.hits[scene.rules[i].knob] += scene.rules[i].hits;
}

static void copy_all(struct conformance *run, struct bm_channel *channel)
{
	struct bm_copier copier = {.sys = &run->sys,
				   .backend = run->backend,
				   .channel = channel,
				   .patience_ns = PATIENCE_NS};
	size_t lost = bm_copy_all(&copier, scene.copies, COPIES, scene.ends);

	conformance_assert(run, scene.loses || lost == 0, "%zu copies are lost", lost);
	for (size_t i = 0; i < COPIES; i++) {
		lost -= scene.ends[i] == BM_COPY_LOST;
		conformance_assert(run,
				   scene.ends[i] == BM_COPY_LOST || scene.ends[i] == BM_COPY_DONE,
				   "copy %zu has no end", i);
	}
	conformance_assert(run, lost == 0, "the lost are not counted right");
}

/* It may be long until that is known: not before what is late has come, or the device has stopped. */
static void end_all(struct conformance *run, struct bm_channel *channel)
{
	int settled = rnd() % 2 && settle(run, channel);

	if (settled)
		take_over(run, 1);
	dsa_release(scene.device);
	dsa_run(scene.device, 1000);
	compare(run, "after what was late");
	if (!settled && !settle(run, channel)) {
		dsa_halt(scene.device);
		conformance_assert(run, settle(run, channel),
				   "settle() never says that it is over");
	}
	take_over(run, 1);
	dsa_release(scene.device);
	dsa_run(scene.device, 1000);
	compare(run, "once it is settled");
}

static void try_rules(struct conformance *run)
{
	struct bm_channel *channel;
	struct bm_limits limits = {0};

	begin(run);
	conformance_open(run);
	ck_assert_int_eq(run->backend->chan_open(run->engine, -1, &channel), 0);
	run->backend->limits(channel, &limits);
	make_copies(run, limits.piece ? limits.piece / CONFORMANCE_PAGE : SLOT);
	copy_all(run, channel);
	compare(run, "at once");
	take_over(run, 0);
	end_all(run, channel);
	run->backend->chan_close(channel);
	conformance_close(run);
	dsa_run(scene.device, 1000);
	compare(run, "at the end");
	check_counts(run);
	conformance_assert(run, conformance_blocks() == 0, "memory is left");
}

static void set_rule(size_t index, const struct kind *kind, uint64_t at, uint64_t every)
{
	scene.rules[index] = (struct dsa_rule){
		.knob = kind->knob, .at = at, .every = every, .amount = kind->amount};
	if (index == 0)
		scene.loses = scene.halts = 0;
	scene.loses |= kind->loses;
	scene.halts |= kind->knob == DSA_HALT;
}

/* ---------------------------------------------------------------- alone and in pairs */

static void alone(struct conformance *run)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		memset(scene.rules, 0, sizeof(scene.rules));
		for (uint64_t at = 1; at <= COPIES; at += CONFORMANCE_STEP) {
			set_rule(0, &kinds[kind], at, 0);
			try_rules(run);
		}
		for (uint64_t every = 1; every <= 5; every++) {
			/* Refused or busy each time, it would be so for ever. */
			if (every <= kinds[kind].amount && kinds[kind].knob == DSA_BUSY)
				continue;
			set_rule(0, &kinds[kind], 0, every);
			try_rules(run);
		}
	}
}

static void pairs(struct conformance *run)
{
	for (size_t first = 0; first < KINDS; first++) {
		for (size_t second = first % CONFORMANCE_STEP; second < KINDS;
		     second += CONFORMANCE_STEP) {
			for (int round = 0; round < 2; round++) {
				set_rule(0, &kinds[first], 1 + rnd() % COPIES, 0);
				set_rule(1, &kinds[second], 1 + rnd() % COPIES, 0);
				try_rules(run);
			}
		}
	}
}

/* What never came true has not been tried. */
static void check_hits(void)
{
	for (size_t knob = 0; knob < DSA_KNOBS; knob++)
		ck_assert_msg(scene.hits[knob] > 0 || knob == DSA_STATUS_FIRST,
			      "knob %zu never came true", knob);
}

static void (*tried)(struct conformance *run);

/* A new device behind it: what was done to one with faults is no mistake. */
static void with_device(struct conformance *run)
{
	if (!conformance_dsa_device(run))
		return;
	tried(run);
	conformance_dsa_renew(run);
}

static void with_every_device(void (*subject)(struct conformance *run))
{
	memset(&scene, 0, sizeof(scene));
	tried = subject;
	conformance_each_closed(with_device);
	if (scene.device && !getenv("BM_TEST_CONFORMANCE"))
		check_hits();
}

START_TEST(each_fault_at_each_copy)
{
	with_every_device(alone);
}
END_TEST

START_TEST(faults_in_pairs)
{
	with_every_device(pairs);
}
END_TEST

static const TTest *const *const tests[] = {&each_fault_at_each_copy, &faults_in_pairs, NULL};
const struct report_group conformance_faults_group = {"conformance_faults", tests};
