/* SPDX-License-Identifier: MIT */
/* dsa_settle.c - copies that nobody waits for any more: when they can write no more. */
#include <errno.h>
#include <string.h>

#include "dsa/abi.h"
#include "dsa_scene.h"
#include "unit.h"

#define FIRST  dsa.channels[0]
#define SECOND dsa.channels[1]

static struct bm_copied copied[COPIES];
static int (*model_unmap)(uint64_t addr, size_t length);
static int unmapped;

static int counting_unmap(uint64_t addr, size_t length)
{
	unmapped++;
	return model_unmap(addr, length);
}

/* Two channels and ten copies; the first `count` are in flight in the first channel. */
static void begin(enum dsa_way way, unsigned int queues, struct dsa_rule *rule, int count)
{
	dsa_begin(way, queues, 16, DSA_WHEN_RUN);
	dsa.env.batch = 4;
	model_unmap = dsa.sys.unmap;
	dsa.sys.unmap = counting_unmap;
	unmapped = 0;
	dsa_set_rules(dsa.device, rule, rule != NULL);
	dsa_open_all(2);
	for (size_t i = 0; i < 10; i++)
		dsa_add_copy(i, i + 20, 1);
	ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies, (size_t)count), count);
}

static void expect_reaped(struct bm_channel *channel, int count)
{
	dsa_run(dsa.device, 1000);
	ck_assert_int_eq(bm_backend_dsa.reap(channel, copied, COPIES), count);
}

static void poison(void)
{
	memset(dsa.to, LOST_BYTE, PAGES * PAGE);
}

static void expect_untouched(void)
{
	dsa_release(dsa.device);
	dsa_run(dsa.device, 1000);
	ck_assert(dsa.to[0] == LOST_BYTE && memcmp(dsa.to, dsa.to + 1, PAGES * PAGE - 1) == 0);
}

START_TEST(late_writes_are_waited_for)
{
	for (int way = 0; way < WRITE_BLIND; way++) {
		struct dsa_rule rule = {.knob = DSA_LATE, .at = 3};

		begin((enum dsa_way)way, 1, &rule, 4);
		ck_assert_int_eq(bm_backend_dsa.submit(SECOND, dsa.work.copies + 4, 2), 2);
		dsa_run(dsa.device, 1000);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
		/* Given up is given up, whatever comes. */
		ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, COPIES), 0);
		expect_reaped(SECOND, 2);
		ck_assert_int_eq(bm_backend_dsa.submit(SECOND, dsa.work.copies + 6, 2), -ENODEV);
		ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies + 6, 2), -ENODEV);
		ck_assert_ptr_nonnull(strstr(dsa.lines, "does not answer"));
		dsa_release(dsa.device);
		ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
		ck_assert_int_eq(bm_backend_dsa.settle(SECOND), 1);
		poison();
		expect_untouched();
		dsa_end();
	}
}
END_TEST

/* The queue is closed by the last one that gives up, not under another one. */
START_TEST(a_halted_device_is_closed)
{
	for (int way = 0; way < WRITE_BLIND; way++) {
		begin((enum dsa_way)way, 1, NULL, 4);
		dsa.halts = 1;
		ck_assert_int_eq(bm_backend_dsa.submit(SECOND, dsa.work.copies + 4, 3), 3);
		dsa_halt(dsa.device);
		ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, COPIES), 0);
		ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
		ck_assert_int_eq(unmapped, 0);
		ck_assert_int_eq(bm_backend_dsa.settle(SECOND), 1);
		ck_assert_int_eq(unmapped, way == PORTAL_DEDICATED || way == PORTAL_SHARED);
		ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
		ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies, 1), -ENODEV);
		poison();
		expect_untouched();
		dsa_end();
	}
}
END_TEST

/* The queue goes on, and its entries come back. */
START_TEST(lost_records_are_drained)
{
	for (int way = 0; way < WRITE_BLIND; way++) {
		struct dsa_rule rule = {.knob = DSA_LOST_RECORD, .every = 3};

		begin((enum dsa_way)way, 1, &rule, 4);
		for (int i = 0; i < 40; i++) {
			int took;

			dsa_run(dsa.device, 100);
			ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
			took = bm_backend_dsa.submit(FIRST, dsa.work.copies, 4);
			ck_assert_int_eq(took, 4);
			took = bm_backend_dsa.submit(SECOND, dsa.work.copies + 4, 1);
			ck_assert_int_eq(took, 1);
			dsa_run(dsa.device, 100);
			if (!bm_backend_dsa.reap(SECOND, copied, 1))
				ck_assert_int_eq(bm_backend_dsa.settle(SECOND), 1);
		}
		ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
		ck_assert_ptr_null(strstr(dsa.lines, "does not answer"));
		dsa_end();
	}
}
END_TEST

/* One queue stops, the other one works: what is there comes back, what is not is given up. */
START_TEST(other_queues_go_on)
{
	struct dsa_rule rule = {.knob = DSA_LATE, .at = 1};

	begin(PORTAL_SHARED, 2, &rule, 4);
	dsa_run(dsa.device, 100);
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(bm_backend_dsa.submit(SECOND, dsa.work.copies + 4, 6), 6);
		expect_reaped(SECOND, 6);
		/* The channel that waits for the other queue may be used, too. */
		ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies + 4, 6), 6);
		expect_reaped(FIRST, 6);
	}
	dsa_release(dsa.device);
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
	dsa_end();
}
END_TEST

/* What was reaped in part, or waits to be submitted again, is over as well. */
START_TEST(nothing_in_flight_is_settled)
{
	struct dsa_rule rule = {.knob = DSA_FAULT_READ, .every = 2, .amount = 0};

	begin(PORTAL_DEDICATED, 1, &rule, 8);
	ck_assert_int_eq(bm_backend_dsa.settle(SECOND), 1);
	dsa_run(dsa.device, 1000);
	ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, 1), 1);
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
	ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, COPIES), 0);
	ck_assert_uint_eq(dsa_counted().in_flight, 0);
	dsa_end();
}
END_TEST

static unsigned int drain_status;
static uint64_t drain_record, batch_record;

/* Copies are lost, drains end at once, with that status. */
static void only_drains(uint64_t portal, const void *descriptor)
{
	const struct bm_dsa_desc *desc = descriptor;

	(void)portal;
	if (desc->command >> 24 == BM_DSA_BATCH)
		batch_record = desc->record;
	if (desc->command >> 24 != BM_DSA_DRAIN)
		return;
	drain_record = desc->record;
	*(volatile uint8_t *)(uintptr_t)drain_record = (uint8_t)drain_status;
}

/* The record of the drain is a write like any other: its memory is not given back before. */
START_TEST(drains_are_waited_for)
{
	begin(PORTAL_DEDICATED, 1, NULL, 1);
	dsa_run(dsa.device, 100);
	ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, 1), 1);
	dsa.sys.movdir64b = only_drains;
	ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies, 4), 4);
	drain_status = 0;
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
	*(volatile uint8_t *)(uintptr_t)batch_record = BM_DSA_SUCCESS;
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
	*(volatile uint8_t *)(uintptr_t)drain_record = BM_DSA_SUCCESS;
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
	dsa_end();
}
END_TEST

/* Only of a drain that did what it is for. */
START_TEST(drains_that_fail_tell_nothing)
{
	begin(PORTAL_DEDICATED, 1, NULL, 1);
	dsa_run(dsa.device, 100);
	ck_assert_int_eq(bm_backend_dsa.reap(FIRST, copied, 1), 1);
	dsa.sys.movdir64b = only_drains;
	ck_assert_int_eq(bm_backend_dsa.submit(FIRST, dsa.work.copies, 5), 5);
	drain_status = BM_DSA_BAD_OPCODE;
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 0);
	ck_assert_int_eq(unmapped, 0);
	drain_status = BM_DSA_SUCCESS;
	ck_assert_int_eq(bm_backend_dsa.settle(FIRST), 1);
	dsa_end();
}
END_TEST

static void *go_on(void *arg)
{
	struct bm_channel *channel = arg;
	struct bm_copied own[32];
	struct bm_copy copy = dsa.work.copies[5];
	int took = 0;

	for (int idle = 0; took != -ENODEV && idle < 20000; idle++) {
		took = bm_backend_dsa.submit(channel, &copy, 1);
		if (bm_backend_dsa.reap(channel, own, 32) <= 0)
			bm_backend_dsa.wait(channel);
	}
	while (!bm_backend_dsa.settle(channel))
		;
	return NULL;
}

/* One gives up while the other submits: nobody uses a queue that is closed. */
START_TEST(threads_may_be_in_the_queue)
{
	for (int way = 0; way < WRITE_BLIND; way++) {
		struct dsa_rule rule = {.knob = DSA_HALT, .at = 40};
		pthread_t thread;

		dsa_begin((enum dsa_way)way, 2, 8, DSA_BY_THREAD);
		dsa.halts = 1;
		dsa_set_rules(dsa.device, &rule, 1);
		dsa_open_all(2);
		for (size_t i = 0; i < 10; i++)
			dsa_add_copy(i, i + 20, 1);
		pthread_create(&thread, NULL, go_on, SECOND);
		dsa_drive(FIRST, &dsa.work);
		for (int i = 0; i < 20000 && !dsa_counted().descriptors; i++)
			bm_sys_linux.sleep_us(10);
		bm_backend_dsa.submit(FIRST, dsa.work.copies, 3);
		while (!bm_backend_dsa.settle(FIRST))
			;
		pthread_join(thread, NULL);
		dsa_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&late_writes_are_waited_for,
					    &a_halted_device_is_closed,
					    &lost_records_are_drained,
					    &other_queues_go_on,
					    &nothing_in_flight_is_settled,
					    &drains_are_waited_for,
					    &drains_that_fail_tell_nothing,
					    &threads_may_be_in_the_queue,
					    NULL};
const struct report_group dsa_settle_group = {"dsa_settle", tests};
