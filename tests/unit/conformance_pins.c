/* SPDX-License-Identifier: MIT */
/*
 * conformance_pins.c - pin() and unpin(): pages stay while a device uses them, and
 * no longer. Elsewhere in the suite, too, every list is pinned.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "conformance.h"

#define FEW    40u
#define THREAD 100u /* pages of one */
#define LONG   4u   /* pages of a copy that is cut */

static struct conformance_flow flow, other;

static void check(struct conformance_flow *of, const char *what)
{
	conformance_assert(of->run, !of->wrong[0], "%s: %s", what, of->wrong);
}

static void has_calls(struct conformance *run)
{
	int fact = (run->backend->facts & BM_BACKEND_PINS) != 0;

	conformance_assert(run, (run->backend->pin != NULL) == fact, "BM_BACKEND_PINS and pin()");
	conformance_assert(run, (run->backend->unpin != NULL) == fact,
			   "BM_BACKEND_PINS and unpin()");
	/* Copies that are given up are unpinned before anybody asks what they still write. */
	conformance_assert(run, !fact || run->backend->settle, "it pins, and has no settle()");
}

START_TEST(fact_and_calls)
{
	conformance_each_closed(has_calls);
}
END_TEST

static void add_apart(struct conformance_flow *of, size_t count)
{
	conformance_begin(of);
	conformance_add_scattered(of, count);
}

/* ---------------------------------------------------------------- from pin() to unpin() */

static void expect_pinned(const struct bm_copy *copy, int pinned, const char *when)
{
	const struct conformance *run = flow.run;

	for (size_t at = 0; run->which->is_pinned && at < copy->length; at += CONFORMANCE_PAGE) {
		int from = run->which->is_pinned((const char *)copy->from + at, CONFORMANCE_PAGE);
		int to = run->which->is_pinned((char *)copy->to + at, CONFORMANCE_PAGE);

		conformance_assert(
			run, from == pinned && to == pinned, "%s: page %zu is %s, from: %d, to: %d",
			when, at / CONFORMANCE_PAGE, pinned ? "not pinned" : "pinned", from, to);
	}
}

static void expect_all(int pinned, const char *when)
{
	for (size_t i = 0; i < flow.count; i++)
		expect_pinned(&flow.copies[i], pinned, when);
}

static void go_to(size_t told)
{
	uint64_t start = bm_sys_linux.now_ns();

	while (flow.told < told && !flow.wrong[0]) {
		conformance_assert(flow.run,
				   bm_sys_linux.now_ns() - start <
					   CONFORMANCE_EVER_S * UINT64_C(1000000000),
				   "nothing comes");
		if (flow.sent < told)
			conformance_submit(&flow, told - flow.sent);
		if (conformance_reap(&flow, 1 + flow.told % 5) == 0)
			conformance_pause(&flow);
	}
	check(&flow, "between pin() and unpin()");
}

static void stay(struct conformance *run)
{
	if (!run->backend->pin)
		return;
	conformance_flow_open(run, &flow, -1);
	for (size_t count = 1; count <= FEW; count += 13) {
		add_apart(&flow, count);
		expect_all(0, "before pin()");
		ck_assert_int_eq(conformance_pin(&flow, flow.copies, count), 0);
		flow.ready = count;
		expect_all(1, "after pin()");
		for (size_t told = 1; told <= count; told += 4) {
			go_to(told);
			expect_all(1, "in between");
		}
		go_to(count);
		expect_all(1, "when all was told");
		ck_assert_int_eq(conformance_unpin(&flow), 0);
		expect_all(0, "after unpin()");
		conformance_compare(&flow);
		check(&flow, "a list that is pinned");
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(pages_stay_until_unpin)
{
	conformance_each(stay);
}
END_TEST

/* Nobody has to submit what was pinned: all of it, a part, nothing. */
static void unused(struct conformance *run)
{
	if (!run->backend->pin)
		return;
	conformance_flow_open(run, &flow, -1);
	for (size_t used = 0; used < FEW; used += 7) {
		add_apart(&flow, FEW);
		ck_assert_int_eq(conformance_pin(&flow, flow.copies, FEW), 0);
		flow.ready = FEW;
		go_to(used);
		ck_assert_int_eq(conformance_unpin(&flow), 0);
		expect_all(0, "after unpin()");
		for (size_t i = used; i < FEW; i++)
			memset(run->expected + ((unsigned char *)flow.copies[i].to - run->to),
			       CONFORMANCE_STALE, CONFORMANCE_PAGE);
		conformance_compare(&flow);
		check(&flow, "pinned, and submitted in part");
	}
	add_apart(&flow, FEW);
	conformance_run(&flow, "after lists that were not used");
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(what_is_pinned_may_be_left)
{
	conformance_each(unused);
}
END_TEST

/* Limits are those of submit(): what is pinned as one copy goes there in pieces, in any order. */
static void cut(struct conformance *run)
{
	struct bm_copy whole[FEW / LONG];

	if (!run->backend->pin)
		return;
	conformance_flow_open(run, &flow, -1);
	for (int round = 0; round < 6; round++) {
		conformance_begin(&flow);
		for (size_t i = 0; i < FEW / LONG; i++) {
			size_t to = 1 + 7 * i, from = 3 + 5 * (FEW / LONG - 1 - i);

			for (size_t page = 0; page < LONG; page++)
				conformance_add(&flow, to + page, from + page, 1);
			whole[i] = flow.copies[i * LONG];
			whole[i].length = LONG * (size_t)CONFORMANCE_PAGE;
		}
		for (size_t i = flow.count - 1; i > 0; i--) {
			size_t with = conformance_random(&flow, (uint32_t)i + 1);
			struct bm_copy copy = flow.copies[i];

			flow.copies[i] = flow.copies[with];
			flow.copies[with] = copy;
		}
		ck_assert_int_eq(conformance_pin(&flow, whole, FEW / LONG), 0);
		flow.ready = flow.count;
		conformance_run(&flow, "pieces of what was pinned");
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(pieces_of_pinned_copies)
{
	conformance_each(cut);
}
END_TEST

/* ---------------------------------------------------------------- failing */

/* Each call that pin() makes; 1: there was one. */
static int pin_without(struct conformance *run, unsigned long at, int error)
{
	int rc, hit;

	add_apart(&flow, FEW);
	conformance_arm(at, error);
	rc = conformance_pin(&flow, flow.copies, FEW);
	hit = conformance_disarm();
	conformance_assert(run, rc == 0 || hit, "pin() gave %d, and nothing failed", rc);
	check(&flow, "pin()");
	flow.ready = FEW;
	if (rc) {
		expect_all(0, "after pin() has failed");
		for (size_t i = 0; i < FEW; i++)
			memset(run->expected + ((unsigned char *)flow.copies[i].to - run->to),
			       CONFORMANCE_STALE, CONFORMANCE_PAGE);
		conformance_compare(&flow);
		check(&flow, "after pin() has failed");
		add_apart(&flow, FEW);
	}
	conformance_run(&flow, rc ? "after pin() has failed" : "pinned all the same");
	return hit;
}

static void pin_fails(struct conformance *run)
{
	static const int errors[] = {-ENOMEM, -EFAULT, -EPERM};

	if (!run->backend->pin)
		return;
	conformance_flow_open(run, &flow, -1);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned long at = 1;

		while (pin_without(run, at, errors[i]))
			at++;
		ck_assert_uint_lt(at, 1000);
	}
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

START_TEST(pin_fails_and_nothing_is_pinned)
{
	conformance_each(pin_fails);
}
END_TEST

/* Nothing is known of the pages then, but that they are free once the engine is closed. */
static void unpin_fails(struct conformance *run)
{
	int hit = 1;

	if (!run->backend->pin)
		return;
	run->poor = 1;
	for (unsigned long at = 1; hit; at++) {
		int rc;

		conformance_open(run);
		conformance_flow_open(run, &flow, -1);
		add_apart(&flow, FEW);
		ck_assert_int_eq(conformance_pin(&flow, flow.copies, FEW), 0);
		flow.ready = FEW;
		go_to(FEW);
		conformance_arm(at, -EIO);
		rc = conformance_unpin(&flow);
		hit = conformance_disarm();
		conformance_assert(run, rc == 0 || hit, "unpin() gave %d, and nothing failed", rc);
		conformance_compare(&flow);
		conformance_flow_close(&flow);
		conformance_close(run);
		expect_all(0, "after the engine was closed");
		flow.run = run;
		check(&flow, "unpin() that fails");
		conformance_assert(run, at < 1000, "no end of calls");
		conformance_begin(&flow);
	}
}

START_TEST(unpin_fails_and_the_engine_is_closed)
{
	conformance_each_closed(unpin_fails);
}
END_TEST

/* A channel is closed, and what it has pinned is free: nobody called unpin(). */
static void closed(struct conformance *run)
{
	if (!run->backend->pin)
		return;
	for (int round = 0; round < 3; round++) {
		conformance_flow_open(run, &flow, -1);
		add_apart(&flow, FEW);
		ck_assert_int_eq(conformance_pin(&flow, flow.copies, FEW), 0);
		flow.ready = FEW;
		go_to(round ? FEW : 0);
		run->backend->chan_close(flow.channel);
		flow.is_pinned = 0;
		expect_all(0, "after the channel was closed");
		conformance_begin(&flow);
	}
}

START_TEST(a_channel_that_is_closed_pins_nothing)
{
	conformance_each(closed);
}
END_TEST

/* ---------------------------------------------------------------- several channels */

/* Every second page is the other's, in the same huge page. */
static void add_every_second(struct conformance_flow *of, size_t first)
{
	conformance_begin(of);
	for (size_t i = 0; i < FEW; i++)
		conformance_add(of, 2 * i + first, 2 * i + first, 1);
}

static void side_by_side(struct conformance *run)
{
	if (!run->backend->pin)
		return;
	conformance_flow_open(run, &flow, -1);
	conformance_flow_open(run, &other, 0);
	for (size_t round = 0; round < 4; round++) {
		add_every_second(&flow, round % 2);
		add_every_second(&other, 1 - round % 2);
		ck_assert_int_eq(conformance_pin(&flow, flow.copies, FEW), 0);
		ck_assert_int_eq(run->backend->pin(other.channel, other.copies, FEW), 0);
		expect_all(1, "with the neighbours");
		ck_assert_int_eq(run->backend->unpin(other.channel), 0);
		expect_all(1, "when the neighbours are free");
		flow.ready = FEW;
		go_to(FEW);
		ck_assert_int_eq(conformance_unpin(&flow), 0);
		expect_all(0, "after unpin()");
	}
	conformance_begin(&flow);
	conformance_begin(&other);
	conformance_flow_close(&flow);
	conformance_flow_close(&other);
}

START_TEST(neighbours_of_two_channels)
{
	conformance_each(side_by_side);
}
END_TEST

static pthread_barrier_t together;

static void *pin_often(void *arg)
{
	struct conformance_flow *of = arg;

	for (int round = 0; round < 30; round++) {
		pthread_barrier_wait(&together);
		if (of->wrong[0])
			continue;
		conformance_begin(of);
		conformance_add_scattered(of, 1 + conformance_random(of, THREAD - 1));
		if (!conformance_go(of))
			conformance_compare(of);
	}
	return NULL;
}

static void threads(struct conformance *run)
{
	struct conformance_flow *flows[] = {&flow, &other};
	pthread_t ids[2];

	if (!run->backend->pin)
		return;
	pthread_barrier_init(&together, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		conformance_flow_open(run, flows[i], -1);
		flows[i]->first = i * THREAD;
		flows[i]->pages = THREAD;
		flows[i]->random += i;
	}
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, pin_often, flows[i]), 0);
	for (size_t i = 0; i < 2; i++)
		pthread_join(ids[i], NULL);
	for (size_t i = 0; i < 2; i++) {
		check(flows[i], "two threads that pin");
		conformance_begin(flows[i]);
		conformance_flow_close(flows[i]);
	}
}

START_TEST(threads_pin_at_the_same_time)
{
	conformance_each(threads);
}
END_TEST

static const TTest *const *const tests[] = {&fact_and_calls,
					    &pages_stay_until_unpin,
					    &what_is_pinned_may_be_left,
					    &pieces_of_pinned_copies,
					    &pin_fails_and_nothing_is_pinned,
					    &unpin_fails_and_the_engine_is_closed,
					    &a_channel_that_is_closed_pins_nothing,
					    &neighbours_of_two_channels,
					    &threads_pin_at_the_same_time,
					    NULL};
const struct report_group conformance_pins_group = {"conformance_pins", tests};
