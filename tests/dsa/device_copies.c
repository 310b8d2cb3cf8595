/* SPDX-License-Identifier: MIT */
/* device_copies.c - the backend copies by write(2) to a file: every kind of queue, every byte. */
#include <pthread.h>
#include <string.h>

#include "device_support.h"

#define ROUNDS 3

static struct flow flow;

static void copy_lists(const char *queues, uint32_t batch)
{
	flow_open(&flow, queues, batch);
	for (int round = 0; round < ROUNDS; round++) {
		flow_check(&flow, 1, 64);
		flow_check(&flow, 40, 4);
		flow_check(&flow, FLOW_MOST, 1);
		ck_assert_uint_eq(flow.partial, 0);
	}
	ck_assert_uint_eq(flow.warnings, 0);
	flow_close(&flow);
}

/* All that it was sent was as it should be. */
static void check_device(const char *name)
{
	ck_assert_uint_eq(device_count(name, "open_now"), 0);
	ck_assert_uint_gt(device_count(name, "copies"), 0);
	ck_assert_uint_eq(device_count(name, "dropped"), 0);
	ck_assert_uint_eq(device_count(name, "refused"), 0);
	ck_assert_uint_eq(device_count(name, "foreign"), 0);
	ck_assert_uint_eq(device_count(name, "gone"), 0);
}

START_TEST(only_its_name_is_known)
{
	device_hide();
	device_begin("wq0.0", "--dedicated", "--size=1", NULL);
	copy_lists("/dev/dsa/wq0.0", 0);
	/* It may be small and dedicated: one at a time, and it was never full. */
	ck_assert_uint_eq(device_count("wq0.0", "most_taken"), 1);
	ck_assert_uint_eq(device_count("wq0.0", "invalid"), 0);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

START_TEST(shared)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", NULL);
	copy_lists("/dev/dsa/wq0.0", 0);
	ck_assert_uint_gt(device_count("wq0.0", "most_taken"), 1);
	/* That batches are refused is found out once. */
	ck_assert_uint_eq(device_count("wq0.0", "invalid"), 1);
	ck_assert_uint_eq(device_count("wq0.0", "batches"), 0);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

START_TEST(shared_with_batches)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--batch-by-write", NULL);
	copy_lists("/dev/dsa/wq0.0", 0);
	ck_assert_uint_eq(device_count("wq0.0", "invalid"), 0);
	ck_assert_uint_gt(device_count("wq0.0", "batches"), 0);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

START_TEST(without_batches)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--batch-by-write", NULL);
	copy_lists("/dev/dsa/wq0.0", 1);
	ck_assert_uint_eq(device_count("wq0.0", "batches"), 0);
	ck_assert_uint_eq(device_count("wq0.0", "invalid"), 0);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

/* More than its size would be lost without a word. */
START_TEST(dedicated)
{
	device_describe("wq0.0", "dedicated", 8);
	device_begin("wq0.0", "--dedicated", "--size=8", NULL);
	copy_lists("/dev/dsa/wq0.0", 0);
	ck_assert_uint_le(device_count("wq0.0", "most_taken"), 8);
	ck_assert_uint_gt(device_count("wq0.0", "most_taken"), 1);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

START_TEST(two_queues)
{
	device_describe("wq0.0", "shared", 4);
	device_describe("wq0.1", "dedicated", 4);
	device_begin("wq0.0", "--size=4", NULL);
	device_begin("wq0.1", "--dedicated", "--size=4", NULL);
	copy_lists("/dev/dsa/wq0.0,wq0.1", 0);
	check_device("wq0.0");
	check_device("wq0.1");
	device_end("wq0.0");
	device_end("wq0.1");
}
END_TEST

static struct flow many[4];

/* NULL: all is well; asserts are for the main thread. */
static void *copy_in_thread(void *arg)
{
	struct flow *mine = arg;

	for (int round = 0; round < ROUNDS; round++) {
		flow_make(mine, 200, 2);
		if (!flow_run(mine, 60000) || flow_wrong(mine))
			return mine;
	}
	return NULL;
}

START_TEST(four_threads)
{
	pthread_t threads[4];
	void *wrong;

	device_describe("wq0.0", "shared", 8);
	device_begin("wq0.0", "--size=8", NULL);
	flow_open(&many[0], "wq0.0", 0);
	for (size_t i = 1; i < 4; i++)
		flow_open_beside(&many[i], &many[0]);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, copy_in_thread, &many[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
	for (size_t i = 4; i-- > 0;)
		flow_close(&many[i]);
	check_device("wq0.0");
	device_end("wq0.0");
}
END_TEST

static const TTest *const *const tests[] = {
	&only_its_name_is_known, &shared,    &shared_with_batches,
	&without_batches,        &dedicated, &two_queues,
	&four_threads,           NULL};
const struct report_group device_copies_group = {"device_copies", tests};
