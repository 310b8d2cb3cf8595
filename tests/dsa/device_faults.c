/* SPDX-License-Identifier: MIT */
/* device_faults.c - page faults, a queue that takes little, copies that end late or badly. */
#include "device_support.h"

#define ROUNDS 3

static struct flow flow;

/* The backend does it all by itself: nothing is left for the caller. */
static void copies_all(const char *fault, const char *more, size_t longest)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", fault, more, NULL);
	flow_open(&flow, "wq0.0", 0);
	for (int round = 0; round < ROUNDS; round++) {
		flow_check(&flow, 200, longest);
		ck_assert_uint_eq(flow.partial, 0);
	}
	flow_close(&flow);
	ck_assert_uint_gt(device_count("wq0.0", "hits"), 0);
	device_end("wq0.0");
}

START_TEST(page_faults_are_resumed)
{
	copies_all("--fault=fault_read,every=3,amount=4096", NULL, 4);
	copies_all("--fault=fault_write,every=3,amount=8192", NULL, 4);
	copies_all("--fault=fault_read,every=5,amount=100", "--fault=fault_write,every=7,amount=60",
		   2);
	/* Nothing was copied before it; twice in a row would be the same page again. */
	copies_all("--fault=fault_read,at=40,amount=0", "--fault=fault_write,at=90,amount=0", 2);
}
END_TEST

START_TEST(page_faults_in_batches)
{
	copies_all("--fault=fault_read,every=3,amount=4096", "--batch-by-write", 4);
	copies_all("--fault=fault_list,every=2,amount=3", "--batch-by-write", 1);
}
END_TEST

START_TEST(full_now_and_then)
{
	copies_all("--fault=busy,every=5,amount=3", NULL, 2);
	copies_all("--fault=busy,every=5,amount=3", "--batch-by-write", 2);
}
END_TEST

START_TEST(writes_are_cut_short)
{
	copies_all("--fault=short_write,every=1,amount=1", NULL, 2);
	copies_all("--fault=short_write,every=2,amount=3", "--fault=busy,every=5,amount=1", 2);
}
END_TEST

START_TEST(late_and_in_any_order)
{
	copies_all("--fault=delay,every=7,amount=20000", NULL, 2);
	copies_all("--fault=delay,every=3,amount=3000", "--batch-by-write", 2);
}
END_TEST

/* An error of the hardware for one copy: the caller makes it, and is told. */
START_TEST(one_fails)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--fault=status,at=20,amount=0x1a", NULL);
	flow_open(&flow, "wq0.0", 0);
	flow_check(&flow, 200, 2);
	ck_assert_uint_eq(flow.partial, 1);
	flow_check(&flow, 200, 2);
	ck_assert_uint_eq(flow.partial, 0);
	flow_close(&flow);
	device_end("wq0.0");
}
END_TEST

static const TTest *const *const tests[] = {&page_faults_are_resumed,
					    &page_faults_in_batches,
					    &full_now_and_then,
					    &writes_are_cut_short,
					    &late_and_in_any_order,
					    &one_fails,
					    NULL};
const struct report_group device_faults_group = {"device_faults", tests};
