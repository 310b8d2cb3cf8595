/* SPDX-License-Identifier: MIT */
/* device_ends.c - what never ends: lost copies, a device that stops, a process that is killed. */
#include <string.h>

#include "device_support.h"

#define PATIENCE_MS 300
#define SETTLE_MS   10000
#define STALE       0x3c

static struct flow flow;

/* The memory is used for something else: who was late would be seen to write to it. */
static void use_again(void)
{
	flow_finish(&flow);
	ck_assert_uint_eq(flow_wrong(&flow), 0);
	memset(flow.to, STALE, FLOW_PAGES * PAGE);
	memset(flow.expected, STALE, FLOW_PAGES * PAGE);
}

static void check_quiet(void)
{
	uint64_t limit = now_ms() + 300;

	while (now_ms() < limit)
		ck_assert_uint_eq(flow_wrong(&flow), 0);
	flow_close(&flow);
}

static void give_up(void)
{
	ck_assert_int_eq(flow_settles(&flow, SETTLE_MS), 1);
	use_again();
	check_quiet();
}

static void lose(const char *fault, const char *more)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", fault, more, NULL);
	flow_open(&flow, "wq0.0", 0);
	flow_make(&flow, 60, 2);
	ck_assert_int_eq(flow_run(&flow, PATIENCE_MS), 0);
	/* All others have ended. */
	ck_assert_uint_ge(flow.ended, more ? 1 : 59);
}

/* A device that goes on working and never ends a copy may still do so: nobody can know. */
static void never_settles(const char *fault, const char *more)
{
	lose(fault, more);
	ck_assert_int_eq(flow_settles(&flow, PATIENCE_MS), 0);
	ck_assert_uint_ge(flow.warnings, 1);
	device_kill("wq0.0");
	device_stops("wq0.0");
	give_up();
}

START_TEST(one_is_lost)
{
	never_settles("--fault=lost,at=30", NULL);
	never_settles("--fault=late,at=30", NULL);
	never_settles("--fault=lost,at=40", "--batch-by-write");
}
END_TEST

/* The copy was made: what was submitted behind it ends, and tells that. */
START_TEST(only_its_record_is_lost)
{
	lose("--fault=lost_record,at=30", NULL);
	give_up();
	device_end("wq0.0");
}
END_TEST

/* It writes long after nobody waits any more: not after settle() has said that it is over. */
START_TEST(one_is_late)
{
	lose("--fault=delay,at=30,amount=1500000", NULL);
	give_up();
	device_end("wq0.0");
	lose("--fault=delay,at=40,amount=1500000", "--batch-by-write");
	give_up();
	device_end("wq0.0");
}
END_TEST

START_TEST(it_stops)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--fault=halt,at=20", NULL);
	flow_open(&flow, "wq0.0", 0);
	flow_make(&flow, 200, 2);
	ck_assert_int_eq(flow_run(&flow, PATIENCE_MS), 0);
	ck_assert_uint_lt(flow.ended, 40);
	device_stops("wq0.0");
	give_up();
	device_end("wq0.0");
}
END_TEST

/* Its process is killed with copies in flight, at all sorts of moments. */
START_TEST(it_is_killed)
{
	for (size_t after = 0; after < 160; after += 20) {
		device_describe("wq0.0", "shared", 16);
		device_begin("wq0.0", "--fault=delay,every=2,amount=1000", NULL);
		flow_open(&flow, "wq0.0", after % 40 ? 0 : 1);
		flow_make(&flow, 200, 2);
		while (flow.ended < after)
			flow_step(&flow);
		device_kill("wq0.0");
		ck_assert_int_eq(flow_run(&flow, PATIENCE_MS), 0);
		ck_assert_uint_lt(flow.ended, flow.count);
		device_stops("wq0.0");
		give_up();
	}
}
END_TEST

START_TEST(another_goes_on)
{
	device_describe("wq0.0", "shared", 8);
	device_describe("wq0.1", "shared", 8);
	device_begin("wq0.0", "--size=8", NULL);
	device_begin("wq0.1", "--size=8", NULL);
	flow_open(&flow, "wq0.0,wq0.1", 0);
	flow_check(&flow, 200, 2);
	device_kill("wq0.0");
	flow_check(&flow, 200, 2);
	flow_check(&flow, 200, 2);
	flow_close(&flow);
	ck_assert_uint_gt(device_count("wq0.1", "copies"), 400);
	device_end("wq0.1");
}
END_TEST

/* One that is begun again is found by the next engine. */
START_TEST(it_comes_back)
{
	for (int round = 0; round < 2; round++) {
		device_describe("wq0.0", "shared", 16);
		device_begin("wq0.0", NULL);
		flow_open(&flow, "wq0.0", 0);
		flow_check(&flow, 100, 2);
		device_kill("wq0.0");
		flow_make(&flow, 100, 2);
		ck_assert_int_eq(flow_run(&flow, PATIENCE_MS), 0);
		ck_assert_uint_eq(flow.ended, 0);
		flow_close(&flow);
	}
}
END_TEST

static const TTest *const *const tests[] = {
	&one_is_lost,  &only_its_record_is_lost, &one_is_late,   &it_stops,
	&it_is_killed, &another_goes_on,         &it_comes_back, NULL};
const struct report_group device_ends_group = {"device_ends", tests};
