/* SPDX-License-Identifier: MIT */
/*
 * swap_flights.c - batches in flight on the real kernel, where each call in
 * turn fails once: in submit, in the threads of the library, while it waits.
 *
 * Whatever failed: a batch that was refused has touched nothing; one that was
 * taken ends, tells of every page, calls back once and signals once. No byte,
 * thread, descriptor or mapping is lost, and the context goes on.
 */
#include <errno.h>

#include "flights.h"
#include "uffd.h"
#include "unit.h"

#define MOST 3000 /* calls of one kind */
/* The one that flies when all is over. */
#define LAST (FLIGHTS - 1)

/* Call number n fails; the same, and a batch is cancelled; all from number n on. */
enum { ONE, CANCELS, ALL_FROM };

/* One that overlaps, in the thread that calls. */
static void migrate_here(void)
{
	static int status[FLIGHT_PAGES];
	long rc;

	for (size_t i = 0; i < FLIGHT_PAGES; i++)
		status[i] = FLIGHT_UNSET;
	rc = bm_migrate_batch(world.context, FLIGHT_PAGES, flights[2].pages, world.nodes, status,
			      FLIGHT_PROMISE);
	ck_assert_msg(flight_may_give(&flights[2], rc), "%s: synchronous %ld", failing_text(), rc);
	for (size_t i = 0; i < FLIGHT_PAGES; i++)
		ck_assert_msg((status[i] == FLIGHT_UNSET) == (rc < 0),
			      "%s: synchronous %ld, status %d", failing_text(), rc, status[i]);
}

/* ---------------------------------------------------------------- the tests */

/* Two that overlap, of which the second one lifts the first; and one that is cancelled. */
static void fly(int cancels)
{
	flight_new(0, 0)->request.priority = BM_PRIORITY_LOW;
	flights[0].request.max_bytes_per_s = INT64_C(2000000000);
	flight_as_range(flight_new(1, 0), 0);
	flights[1].request.priority = BM_PRIORITY_HIGH;
	flight_new(2, 1);
	for (size_t k = 0; k < LAST; k++)
		flight_submit(&flights[k]);
	if (cancels && flights[2].batch)
		ck_assert_int_eq(bm_batch_cancel(flights[2].batch), 0);
	migrate_here();
	for (size_t k = 0; k < LAST; k++)
		flight_wait(&flights[k]);
	for (size_t k = 0; k < LAST; k++)
		flight_check(&flights[k]);
}

/* What failed before is over: all pages are swapped. */
static void fly_on(void)
{
	struct flight *flight = flight_new(LAST, 0);
	struct bm_report report;

	flight_submit(flight);
	ck_assert_msg(flight->refused == 0, "%s: afterwards %d", failing_text(), flight->refused);
	flight_wait(flight);
	bm_batch_report(flight->batch, &report, sizeof(report));
	ck_assert_msg(report.bytes_swapped == (FLIGHT_PAGES - flights_holes()) * 4096,
		      "%s: afterwards %d KiB are swapped", failing_text(),
		      (int)(report.bytes_swapped >> 10));
	flight_check(flight);
}

/* 0 when the call did not come so often. */
static int fly_with(enum failing_call call, unsigned long at, int error, int way)
{
	struct failing_held before = failing_held();
	struct bm_options options;
	int hit;

	bm_options_init(&options, sizeof(options));
	/* Nothing here is about what is measured. */
	options.copy_loop = "memcpy";
	options.mover = "swap";
	failing_arm(FAILING_NONE, 0, 0);
	ck_assert_int_eq(bm_context_create(&failing_sys, &options, &world.context), 0);
	if (way == ALL_FROM)
		failing_arm_ever(call, at, error);
	else
		failing_arm(call, at, error);
	fly(way == CANCELS);
	hit = failing_disarm();
	fly_on();
	flights_check();
	ck_assert_int_eq(bm_context_free(world.context), 0);
	for (size_t k = 0; k < FLIGHTS; k++)
		flight_check_told(&flights[k]);
	bm_uffd_quiesce(&failing_sys);
	failing_check(&before);
	return hit;
}

static void fail_each(enum failing_call call, int error)
{
	for (int way = ONE; way <= CANCELS; way++) {
		unsigned long at = 1;

		while (fly_with(call, at, error, way))
			ck_assert_uint_lt(++at, MOST);
		ck_assert_msg(at > 1, "%s: it is never called", failing_text());
	}
}

static void each_of(const enum failing_call *calls, size_t count, int error)
{
	if (!flights_usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	flights_new();
	for (size_t i = 0; i < count; i++)
		fail_each(calls[i], error);
	flights_free();
}

START_TEST(each_acquisition)
{
	static const enum failing_call calls[] = {FAILING_ALLOC, FAILING_MAP, FAILING_MADVISE,
						  FAILING_KEEP, FAILING_READ};

	each_of(calls, sizeof(calls) / sizeof(calls[0]), -ENOMEM);
}
END_TEST

START_TEST(each_thread)
{
	static const enum failing_call calls[] = {FAILING_THREAD};

	each_of(calls, 1, -EAGAIN);
}
END_TEST

/* Those that are there do the work of all. */
START_TEST(no_more_threads)
{
	unsigned long at = 1;

	if (!flights_usable())
		skip_test("no userfaultfd with UFFDIO_MOVE for this process");
	flights_new();
	while (fly_with(FAILING_THREAD, at, -EAGAIN, ALL_FROM))
		ck_assert_uint_lt(++at, MOST);
	ck_assert_uint_gt(at, 1);
	flights_free();
}
END_TEST

START_TEST(each_descriptor)
{
	static const enum failing_call calls[] = {FAILING_OPEN, FAILING_UFFD, FAILING_EVENT};

	each_of(calls, sizeof(calls) / sizeof(calls[0]), -EMFILE);
}
END_TEST

START_TEST(each_question)
{
	static const enum failing_call calls[] = {FAILING_QUERY};

	each_of(calls, 1, -EPERM);
	each_of(calls, 1, -ENOMEM);
}
END_TEST

START_TEST(each_ioctl)
{
	static const enum failing_call calls[] = {FAILING_IOCTL};

	each_of(calls, 1, -EAGAIN);
}
END_TEST

/* A signal, or somebody else's wake at the same address. */
START_TEST(each_wait)
{
	static const enum failing_call calls[] = {FAILING_FUTEX};

	each_of(calls, 1, -EINTR);
	each_of(calls, 1, 0);
}
END_TEST

/* A virtual machine that stood still for a minute. */
START_TEST(each_look_at_the_clock)
{
	static const enum failing_call calls[] = {FAILING_CLOCK};

	each_of(calls, 1, 60000);
}
END_TEST

static const TTest *const *const tests[] = {&each_acquisition,
					    &each_thread,
					    &no_more_threads,
					    &each_descriptor,
					    &each_question,
					    &each_ioctl,
					    &each_wait,
					    &each_look_at_the_clock,
					    NULL};
const struct report_group swap_flights_group = {"swap_flights", tests};
