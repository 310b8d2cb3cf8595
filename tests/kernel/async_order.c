/* SPDX-License-Identifier: MIT */
/* async_order.c - batches that overlap are worked off in the order of submission, calls too. */
#include "async_support.h"

#include <stdio.h>

#define UNITS 1

/* ---------------------------------------------------------------- overlaps */

#define BATCHES   120
#define UNITS_ALL 3 /* of the memory that they share */
#define THREADS   4

/* Batches with footprints of their own kind in the same memory, in order of submission. */
static struct ordered {
	struct flight memory;
	struct flight flights[BATCHES];
	struct bm_context *context;
	pthread_mutex_t lock;
	int submitted;
	atomic_int called;
	atomic_int early; /* batches that ended, or began, before one that they have to wait for */
	char first[80];
} ordered = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int overlap(const struct flight *one, const struct flight *other)
{
	uintptr_t a = (uintptr_t)one->area.start, b = (uintptr_t)other->area.start;
	uintptr_t a_end = a + one->area.count * PAGE, b_end = b + other->area.count * PAGE;

	return a / HUGE <= (b_end - 1) / HUGE && b / HUGE <= (a_end - 1) / HUGE;
}

/* Of a batch that is worked on, or was: those before it are complete. */
static void judge_order(int number, const char *what)
{
	for (int i = 0; i < number; i++) {
		if (!overlap(&ordered.flights[i], &ordered.flights[number]) ||
		    flight_complete(&ordered.flights[i]))
			continue;
		if (atomic_fetch_add(&ordered.early, 1) == 0)
			snprintf(ordered.first, sizeof(ordered.first), "batch %d %s before %d",
				 number, what, i);
	}
}

static void called_in_order(void *user, struct bm_batch *batch, long result)
{
	int number = (int)((struct flight *)user - ordered.flights);

	judge_order(number, "ended");
	flight_called(user, batch, result);
	atomic_fetch_add(&ordered.called, 1);
}

static void ordered_new(void)
{
	unsigned int seed = 5;

	ordered.submitted = 0;
	atomic_store(&ordered.called, 0);
	atomic_store(&ordered.early, 0);
	ordered.context = context_of(1);
	flight_new(&ordered.memory, UNITS_ALL);
	for (int i = 0; i < BATCHES; i++) {
		struct flight *flight = &ordered.flights[i];
		size_t from = (size_t)rand_r(&seed) % (UNITS_ALL * HUGE_PAGES - 1);
		size_t most = UNITS_ALL * HUGE_PAGES - from;

		most = most > 400 ? 400 : most;
		flight_over(flight, ordered.memory.area.start + from * PAGE,
			    1 + (size_t)rand_r(&seed) % most);
		flight->request.priority = (int)(rand_r(&seed) % 3) - 1;
		flight->request.done = called_in_order;
	}
}

/* The next one; its target is that of its place in the order. */
static int submit_next(void)
{
	int number, rc = -ENOENT;

	pthread_mutex_lock(&ordered.lock);
	number = ordered.submitted;
	if (number < BATCHES) {
		struct flight *flight = &ordered.flights[number];

		area_target(&flight->area, node_of_round(number));
		rc = bm_submit(ordered.context, &flight->request, &flight->batch);
		ordered.submitted++;
	}
	pthread_mutex_unlock(&ordered.lock);
	return rc;
}

static void *submit_all(void *arg)
{
	long bad = 0;

	(void)arg;
	for (int rc = 0; rc != -ENOENT;) {
		rc = submit_next();
		bad += rc != 0 && rc != -ENOENT;
	}
	return (void *)bad;
}

/* What runs now has to be alone in its memory with what ended before. */
static void watch_order(void)
{
	while (atomic_load(&ordered.called) < BATCHES) {
		for (int i = 0; i < BATCHES; i++) {
			if (flight_state(&ordered.flights[i]) == BM_BATCH_RUNNING)
				judge_order(i, "began");
		}
		watchdog_beat();
		usleep(100);
	}
}

static void check_ordered(void)
{
	size_t kept = 0;

	ck_assert_msg(atomic_load(&ordered.early) == 0, "%d times; first %s",
		      atomic_load(&ordered.early), ordered.first);
	for (int i = 0; i < BATCHES; i++) {
		struct flight *flight = &ordered.flights[i];

		/* As of its own end, before a later one moved the pages on. */
		ck_assert_int_eq(flight_wait(flight), 0);
		ck_assert_int_eq(flight->strange, 0);
		for (size_t k = 0; k < flight->area.count; k++)
			ck_assert_int_eq(flight->area.status[k], flight->area.targets[k]);
	}
	/* The last one that names a page decides. */
	for (size_t k = 0; k < ordered.memory.area.count; k++) {
		const char *page = ordered.memory.area.pages[k];
		int node = nodes[0];

		for (int i = 0; i < BATCHES; i++) {
			const struct area *area = &ordered.flights[i].area;

			if (page >= area->start && page < area->start + area->count * PAGE)
				node = area->targets[0];
		}
		kept += node_of(page) == node;
	}
	ck_assert_uint_eq(kept, ordered.memory.area.count);
	ck_assert_uint_eq(flight_wrong(&ordered.memory), 0);
}

static void ordered_free(void)
{
	ck_assert_int_eq(bm_context_free(ordered.context), 0);
	for (int i = 0; i < BATCHES; i++) {
		ck_assert_int_eq(atomic_load(&ordered.flights[i].calls), 1);
		flight_free(&ordered.flights[i]);
	}
	flight_free(&ordered.memory);
}

static void run_ordered(const char *test, int threads)
{
	pthread_t submitters[THREADS];
	void *bad;

	watchdog_start(test);
	ordered_new();
	for (int i = 0; i < threads; i++)
		ck_assert_int_eq(pthread_create(&submitters[i], NULL, submit_all, NULL), 0);
	for (int i = 0; i < threads; i++) {
		ck_assert_int_eq(pthread_join(submitters[i], &bad), 0);
		ck_assert_ptr_null(bad);
	}
	watch_order();
	check_ordered();
	ordered_free();
	watchdog_stop();
}

START_TEST(overlaps_in_order)
{
	run_ordered("async_order/overlaps_in_order", 1);
}
END_TEST

START_TEST(overlaps_of_threads_in_order)
{
	run_ordered("async_order/overlaps_of_threads_in_order", THREADS);
}
END_TEST

/* ---------------------------------------------------------------- synchronous calls */

static long call_batch(struct bm_context *context, struct flight *flight)
{
	return bm_migrate_batch(context, 8, flight->area.pages, flight->area.targets,
				flight->area.status, SWAP_FLAGS);
}

static long call_ranges(struct bm_context *context, struct flight *flight)
{
	struct bm_range range = {
		.addr = flight->area.start, .length = PAGE, .node = node_of_round(0)};

	return bm_migrate_ranges(context, 1, &range, sizeof(range), SWAP_FLAGS);
}

static void expect_call_waits(long (*call)(struct bm_context *, struct flight *))
{
	struct bm_context *context = context_of(1);
	static struct flight before, over, apart;

	flight_new(&before, UNITS);
	flight_new(&apart, UNITS);
	flight_lasts(&before, 400);
	before.request.pages += 8;
	before.request.count -= 8;
	flight_start(&before, context);
	AWAIT(flight_state(&before) == BM_BATCH_RUNNING);
	/* Elsewhere at once, though others are in flight. */
	ck_assert_int_eq(call(context, &apart), 0);
	ck_assert_int_eq(flight_complete(&before), 0);
	/* The same 2 MiB, but none of its pages. */
	flight_over(&over, before.area.start, 8);
	ck_assert_int_eq(call(context, &over), 0);
	ck_assert_int_eq(flight_complete(&before), 1);
	flight_free(&over);
	flight_free(&apart);
	ck_assert_uint_eq(flight_wrong(&before), 0);
	flight_free(&before);
	ck_assert_int_eq(bm_context_free(context), 0);
}

START_TEST(calls_wait_for_what_they_overlap)
{
	NEED_MOVES();
	watchdog_start("async_order/calls_wait_for_what_they_overlap");
	expect_call_waits(call_batch);
	expect_call_waits(call_ranges);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&overlaps_in_order, &overlaps_of_threads_in_order,
					    &calls_wait_for_what_they_overlap, NULL};
const struct report_group async_order_group = {"async_order", tests};
