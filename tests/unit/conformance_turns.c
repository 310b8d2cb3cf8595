/* SPDX-License-Identifier: MIT */
/* conformance_turns.c - submit, reap, wait and settle in every order, and tags. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conformance.h"

#define PAUSE_NS UINT64_C(2000000000) /* no pause is that long, however busy the machine is */

static struct conformance_flow flow;

static void opened(struct conformance *run)
{
	conformance_flow_open(run, &flow, 0);
	flow.run = run;
}

static void closed(void)
{
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

static void check(const char *what)
{
	conformance_assert(flow.run, !flow.wrong[0], "%s: %s", what, flow.wrong);
}

/* ---------------------------------------------------------------- tags */

static void equal_tags(struct conformance *run)
{
	static const uint32_t tags[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xdeadbeef};

	opened(run);
	for (size_t kind = 0; kind < 12; kind++) {
		conformance_begin(&flow);
		conformance_add_random(&flow);
		flow.equal_tags = 1;
		for (size_t i = 0; i < flow.count; i++)
			flow.copies[i].tag = tags[kind < 6 ? kind : i % (kind - 5)];
		conformance_run(&flow, "equal tags");
	}
	closed();
}

START_TEST(tags_are_the_callers)
{
	conformance_each(equal_tags);
}
END_TEST

/* ---------------------------------------------------------------- empty and full */

static void empty(struct conformance *run)
{
	opened(run);
	for (int round = 0; round < 100; round++) {
		struct bm_copied copied = {.tag = 4711};
		int took;

		ck_assert_int_eq(conformance_reap(&flow, 0), 0);
		ck_assert_int_eq(conformance_reap(&flow, 32), 0);
		/* Nobody asks that, and nothing must come of it. */
		took = run->backend->submit(flow.channel, flow.copies, 0);
		conformance_assert(run, took <= 0, "submit() of none gave %d", took);
		ck_assert_int_eq(run->backend->reap(flow.channel, &copied, 1), 0);
		ck_assert_uint_eq(copied.tag, 4711);
		conformance_pause(&flow);
		check("nothing in flight");
	}
	conformance_add_scattered(&flow, 20);
	conformance_run(&flow, "after submit() and reap() of none");
	closed();
}

START_TEST(nothing_in_flight)
{
	conformance_each(empty);
}
END_TEST

/* Fills it without reaping; the device may empty it meanwhile, but tells of it only later. */
static void fill(void)
{
	uint64_t start = bm_sys_linux.now_ns();

	while (flow.sent < flow.count && !flow.wrong[0]) {
		int took = conformance_submit(&flow, flow.count);

		if (took == -EAGAIN && flow.sent > flow.told)
			break;
		ck_assert(bm_sys_linux.now_ns() - start < 5 * PAUSE_NS);
	}
	check("filled");
}

static void full(struct conformance *run)
{
	opened(run);
	for (size_t take = 0; take < 40; take = 2 * take + 1) {
		conformance_begin(&flow);
		conformance_add_scattered(&flow, CONFORMANCE_ARENA);
		fill();
		/* It says so again and again, and what is in flight is not harmed. */
		for (int i = 0; i < 10 && flow.sent < flow.count; i++)
			conformance_submit(&flow, 1);
		flow.take = take;
		conformance_run(&flow, "after it was full");
	}
	closed();
}

START_TEST(full_and_on)
{
	conformance_each(full);
}
END_TEST

/* In turns of all sizes, so that what is in flight goes up and down. */
static void turns(struct conformance *run)
{
	static const size_t sizes[] = {1, 2, 3, 7, 8, 31, 32, 33, 64, CONFORMANCE_ARENA};

	opened(run);
	for (size_t give = 0; give < 10; give++) {
		for (size_t take = 0; take < 10; take += 3) {
			conformance_begin(&flow);
			conformance_add_scattered(&flow, 400);
			flow.give = sizes[give];
			flow.take = sizes[take];
			conformance_run(&flow, "in turns");
		}
	}
	closed();
}

START_TEST(turns_of_all_sizes)
{
	conformance_each(turns);
}
END_TEST

/* A call that asks for nothing takes nothing back. */
static void reap_none(struct conformance *run)
{
	opened(run);
	conformance_add_scattered(&flow, 20);
	fill();
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(conformance_reap(&flow, 0), 0);
	check("reap() of none");
	flow.take = 1;
	conformance_run(&flow, "after reap() of none");
	closed();
}

START_TEST(reap_of_none)
{
	conformance_each(reap_none);
}
END_TEST

/* ---------------------------------------------------------------- wait */

static void pause_once(const char *what)
{
	uint64_t start = bm_sys_linux.now_ns();

	conformance_pause(&flow);
	conformance_assert(flow.run, bm_sys_linux.now_ns() - start < PAUSE_NS, "%s: too long",
			   what);
	check(what);
}

static void pauses(struct conformance *run)
{
	if (!run->backend->wait)
		return;
	opened(run);
	for (int round = 0; round < 20; round++) {
		pause_once("wait() for nothing");
		conformance_begin(&flow);
		conformance_add_scattered(&flow, 30);
		fill();
		for (int i = 0; i < 5; i++)
			pause_once("wait() for something");
		conformance_run(&flow, "after wait()");
	}
	closed();
}

/* With every kind of waiting: the engine is opened anew. */
static void all_pauses(struct conformance *run)
{
	static const enum bm_engine_wait kinds[] = {BM_WAIT_AUTO, BM_WAIT_POLL, BM_WAIT_UMWAIT,
						    BM_WAIT_YIELD};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int rc;

		run->env.wait = kinds[i];
		rc = run->backend->open(&run->env, &run->engine);
		/* What this CPU cannot do may be refused. */
		if (rc < 0 && kinds[i] == BM_WAIT_UMWAIT)
			continue;
		conformance_assert(run, rc == 0, "open() gave %d", rc);
		pauses(run);
		conformance_close(run);
	}
}

START_TEST(pauses_end)
{
	conformance_each_closed(all_pauses);
}
END_TEST

/* ---------------------------------------------------------------- settle */

static void settle(struct conformance *run)
{
	uint64_t start = bm_sys_linux.now_ns();

	while (run->backend->settle(flow.channel) != 1) {
		if (run->which->progress)
			run->which->progress(run);
		conformance_assert(run, bm_sys_linux.now_ns() - start < 10 * PAUSE_NS,
				   "settle() never says that it is over");
	}
}

static void settle_empty(struct conformance *run)
{
	if (!run->backend->settle)
		return;
	opened(run);
	conformance_assert(run, run->backend->settle(flow.channel) == 1,
			   "settle() knows of something, with nothing in flight");
	closed();
	opened(run);
	conformance_add_scattered(&flow, 100);
	conformance_run(&flow, "before settle()");
	conformance_assert(run, run->backend->settle(flow.channel) == 1,
			   "settle() knows of something, with all told");
	closed();
}

/* Once it has said so, nothing is written; the contents of the targets may be anything. */
static void settle_given_up(struct conformance *run)
{
	unsigned char *expected = run->expected;

	if (!run->backend->settle)
		return;
	for (int round = 0; round < 2; round++) {
		opened(run);
		conformance_add_scattered(&flow, 100);
		fill();
		run->gave_up = 1;
		conformance_unpin(&flow);
		settle(run);
		/* Given up is told, as far as pins go. */
		flow.told = flow.sent;
		conformance_check_free(&flow, "although it is settled");
		for (size_t i = 0; i < flow.count; i++)
			memset(flow.copies[i].to, 0x3c, CONFORMANCE_PAGE);
		for (size_t i = 0; i < flow.count; i++)
			memset(expected + ((unsigned char *)flow.copies[i].to - run->to), 0x3c,
			       CONFORMANCE_PAGE);
		for (int i = 0; i < 50 && run->which->progress; i++)
			run->which->progress(run);
		usleep(2000);
		conformance_compare(&flow);
		check("after settle()");
		closed();
		conformance_close(run);
		conformance_open(run);
	}
}

START_TEST(settled_with_nothing)
{
	conformance_each(settle_empty);
}
END_TEST

START_TEST(settled_when_given_up)
{
	conformance_each(settle_given_up);
}
END_TEST

/* ---------------------------------------------------------------- as in a window */

static void no_signals(struct conformance *run)
{
	uint64_t before;

	opened(run);
	run->sys.signals_block(&before);
	for (int round = 0; round < 10 && !flow.wrong[0]; round++) {
		conformance_begin(&flow);
		conformance_add_random(&flow);
		conformance_go(&flow);
	}
	run->sys.signals_restore(&before);
	conformance_compare(&flow);
	check("with all signals blocked");
	closed();
}

START_TEST(without_signals)
{
	conformance_each(no_signals);
}
END_TEST

static const TTest *const *const tests[] = {&tags_are_the_callers, &nothing_in_flight,
					    &full_and_on,          &turns_of_all_sizes,
					    &reap_of_none,         &pauses_end,
					    &settled_with_nothing, &settled_when_given_up,
					    &without_signals,      NULL};
const struct report_group conformance_turns_group = {"conformance_turns", tests};
