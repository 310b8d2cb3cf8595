/* SPDX-License-Identifier: MIT */
/* dsa_open.c - opening the backend dsa: queues that cannot be had, what is logged, and waiting. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dsa/channel.h"
#include "dsa_scene.h"
#include "unit.h"

static int (*model_open)(const char *path, int flags);
static ssize_t (*model_write)(int fd, const void *buffer, size_t size);
static const char *refused_path;
static int refused_with, invalid, calls;
static uint64_t portals[64];
static struct bm_copied copied[COPIES];

static int refusing_open(const char *path, int flags)
{
	if (refused_path && strstr(path, refused_path) && !strstr(path, "/sys"))
		return refused_with;
	return model_open(path, flags);
}

static size_t count_lines(const char *part)
{
	size_t count = 0;

	for (const char *at = dsa.lines; (at = strstr(at, part)); at++)
		count++;
	return count;
}

START_TEST(queues_that_cannot_be_opened)
{
	static const int errors[] = {-EBUSY, -EACCES, -ENXIO, -EMFILE};

	for (size_t i = 0; i < 4; i++) {
		dsa_begin(PORTAL_SHARED, 3, 8, DSA_AT_ONCE);
		model_open = dsa.sys.open;
		dsa.sys.open = refusing_open;
		refused_with = errors[i];
		refused_path = "/dev/dsa/wq0.1";
		dsa_open_all(1);
		ck_assert_uint_eq(count_lines("wq0.1 is not used"), 1);
		ck_assert_uint_eq(count_lines("is not used"), 1);
		ck_assert_uint_eq(dsa.engine->queue_count, 2);
		dsa_add_copies(100, 3);
		ck_assert_uint_eq(dsa_drive(dsa.channels[0], &dsa.work), 0);
		dsa_verify("two of three");
		dsa_end();

		dsa_begin(PORTAL_SHARED, 3, 8, DSA_AT_ONCE);
		dsa.sys.open = refusing_open;
		refused_path = "/dev/dsa/";
		ck_assert_int_eq(bm_backend_dsa.open(&dsa.env, &dsa.engine), -ENODEV);
		ck_assert_uint_eq(count_lines("is not used"), 3);
		ck_assert_uint_eq(count_lines("no queue that can be used"), 1);
		dsa_end();
	}
}
END_TEST

START_TEST(no_memory_for_it)
{
	for (int at = 1; at <= 3; at++) {
		dsa_begin(PORTAL_SHARED, 2, 8, DSA_AT_ONCE);
		dsa.fail_at = at;
		if (at < 3) {
			ck_assert_int_eq(bm_backend_dsa.open(&dsa.env, &dsa.engine), -ENOMEM);
			ck_assert_uint_eq(count_lines("no memory"), 1);
		} else {
			ck_assert_int_eq(bm_backend_dsa.open(&dsa.env, &dsa.engine), 0);
			ck_assert_int_eq(bm_backend_dsa.chan_open(dsa.engine, 0, &dsa.channels[0]),
					 -ENOMEM);
		}
		dsa_end();
	}
}
END_TEST

/* Once for all channels; and not where memory is pinned. */
START_TEST(records_that_may_be_lost_are_told_of)
{
	int pinned;

	dsa_begin(PORTAL_SHARED, 1, 8, DSA_AT_ONCE);
	dsa_open_all(3);
	ck_assert_uint_eq(count_lines("cannot be pinned"), 1);
	dsa_end();
	dsa_begin(PORTAL_SHARED, 1, 8, DSA_AT_ONCE);
	dsa.sys.pin = bm_sys_linux.pin;
	dsa_open_all(1);
	pinned = dsa.channels[0]->pin >= 0;
	ck_assert_uint_eq(count_lines("cannot be pinned"), !pinned);
	dsa_end();
	if (!pinned)
		skip_test("no io_uring here, or RLIMIT_MEMLOCK is too low");
}
END_TEST

static ssize_t counting_write(int fd, const void *buffer, size_t size)
{
	ssize_t took = model_write(fd, buffer, size);

	calls++;
	invalid += took == -EINVAL;
	return took;
}

/* A batch is tried once for each queue, then never again; singles go in arrays. */
START_TEST(refused_batches_are_remembered)
{
	dsa_begin(WRITE_SHARED, 2, 40, DSA_AT_ONCE);
	model_write = dsa.sys.write_raw;
	dsa.sys.write_raw = counting_write;
	invalid = calls = 0;
	dsa_open_all(2);
	for (int turn = 0; turn < 4; turn++) {
		for (int i = 0; i < 2; i++) {
			dsa.work.count = 0;
			for (size_t k = 0; k < 64; k++)
				dsa_add_copy(k, k + 9, 1);
			ck_assert_int_eq(
				bm_backend_dsa.submit(dsa.channels[i], dsa.work.copies, 64), 64);
			ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[i], copied, 64), 64);
		}
	}
	ck_assert_int_eq(invalid, 2);
	ck_assert_int_eq(calls, 2 + 16);
	dsa_end();
}
END_TEST

static void keep_portal(uint64_t portal, const void *descriptor)
{
	const struct bm_dsa_desc *desc = descriptor;
	struct bm_dsa_fields *fields = (struct bm_dsa_fields *)(uintptr_t)desc->record;

	portals[calls++] = portal;
	atomic_store(&fields->status, BM_DSA_SUCCESS);
}

/* Each queue has as many batches, from its own place of the portal on. */
START_TEST(batches_go_round)
{
	unsigned int times[4] = {0};

	dsa_begin(PORTAL_DEDICATED, 4, 16, DSA_AT_ONCE);
	dsa.sys.movdir64b = keep_portal;
	calls = 0;
	dsa_open_all(1);
	for (size_t k = 0; k < 512; k++)
		dsa_add_copy(k, k, 1);
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 512), 512);
	ck_assert_int_eq(calls, 16);
	for (int i = 0; i < 16; i++) {
		for (size_t k = 0; k < 4; k++)
			times[k] += portals[i] / PAGE == dsa.engine->queues[k].portal / PAGE;
		for (int k = 0; k < i; k++)
			ck_assert_uint_ne(portals[i] % PAGE, portals[k] % PAGE);
	}
	for (size_t k = 0; k < 4; k++)
		ck_assert_uint_eq(times[k], 4);
	ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], copied, COPIES), 512);
	dsa_end();
}
END_TEST

static int monitors, yields;
static const volatile void *watched;

static void counting_umwait(const volatile void *line, uint64_t cycles)
{
	ck_assert_uint_le(cycles, 100000);
	watched = line;
	monitors++;
}

static void counting_yield(void)
{
	yields++;
}

static void expect_waits(enum bm_engine_wait how, unsigned int facts, int monitored, int yielded)
{
	dsa_begin(PORTAL_DEDICATED, 1, 8, DSA_WHEN_RUN);
	dsa.how.cpu_facts |= facts;
	dsa_sys_use(&dsa.sys, dsa.device, &dsa.how);
	dsa.sys.umwait = counting_umwait;
	dsa.sys.yield = counting_yield;
	dsa.env.wait = how;
	monitors = yields = 0;
	dsa_open_all(1);
	bm_backend_dsa.wait(dsa.channels[0]);
	ck_assert_int_eq(monitors, 0);
	dsa_add_copies(8, 1);
	yields = 0;
	ck_assert_int_eq(bm_backend_dsa.submit(dsa.channels[0], dsa.work.copies, 8), 8);
	for (int i = 0; i < 100; i++)
		bm_backend_dsa.wait(dsa.channels[0]);
	ck_assert_int_eq(monitors > 0, monitored);
	ck_assert_int_eq(yields > 0, yielded);
	/* The one of the batch: that of a copy in it says nothing. */
	if (monitored)
		ck_assert_ptr_eq((const void *)(uintptr_t)watched, dsa.channels[0]->area.batches);
	dsa_run(dsa.device, 100);
	ck_assert_int_eq(bm_backend_dsa.reap(dsa.channels[0], copied, COPIES), 8);
	dsa_end();
}

START_TEST(ways_to_wait)
{
	expect_waits(BM_WAIT_AUTO, BM_CPU_WAITPKG, 1, 0);
	expect_waits(BM_WAIT_AUTO, 0, 0, 1);
	expect_waits(BM_WAIT_POLL, BM_CPU_WAITPKG, 0, 0);
	expect_waits(BM_WAIT_UMWAIT, BM_CPU_WAITPKG, 1, 0);
	expect_waits(BM_WAIT_UMWAIT, 0, 0, 1);
	expect_waits(BM_WAIT_YIELD, BM_CPU_WAITPKG, 0, 1);
}
END_TEST

static const TTest *const *const tests[] = {&queues_that_cannot_be_opened,
					    &no_memory_for_it,
					    &records_that_may_be_lost_are_told_of,
					    &refused_batches_are_remembered,
					    &batches_go_round,
					    &ways_to_wait,
					    NULL};
const struct report_group dsa_open_group = {"dsa_open", tests};
