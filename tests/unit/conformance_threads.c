/* SPDX-License-Identifier: MIT */
/* conformance_threads.c - channels of one engine in several threads; the device case. */
#include <pthread.h>
#include <stdlib.h>

#include "conformance.h"

#define THREADS 3
#define SHARE   (CONFORMANCE_ARENA / THREADS)

static struct conformance_flow flows[THREADS];

/* Asserts belong to the first thread: what is wrong stays in the flow. */
static void *work(void *arg)
{
	struct conformance_flow *flow = arg;

	for (unsigned int round = 0; round < 25 && !flow->wrong[0]; round++) {
		conformance_begin(flow);
		conformance_add_random(flow);
		flow->late = round % 5 == 4;
		flow->aims = round % 2 == 1;
		if (!conformance_go(flow))
			conformance_compare(flow);
	}
	conformance_begin(flow);
	return NULL;
}

static void threads(struct conformance *run)
{
	pthread_t ids[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		conformance_flow_open(run, &flows[i], (int)i - 1 > 0 ? 0 : (int)i - 1);
		flows[i].first = i * SHARE;
		flows[i].pages = SHARE;
		flows[i].random += i;
	}
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, work, &flows[i]), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	for (size_t i = 0; i < THREADS; i++) {
		conformance_assert(run, !flows[i].wrong[0], "thread %zu: %s", i, flows[i].wrong);
		conformance_flow_close(&flows[i]);
	}
}

START_TEST(a_channel_each)
{
	conformance_each(threads);
}
END_TEST

/* One thread opens, another uses, a third closes: one at a time is all that is asked. */
static void handed_on(struct conformance *run)
{
	pthread_t id;

	conformance_flow_open(run, &flows[0], 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(pthread_create(&id, NULL, work, &flows[0]), 0);
		pthread_join(id, NULL);
		conformance_assert(run, !flows[0].wrong[0], "%s", flows[0].wrong);
	}
	conformance_flow_close(&flows[0]);
}

START_TEST(a_channel_goes_from_thread_to_thread)
{
	conformance_each(handed_on);
}
END_TEST

static const TTest *const *const tests[] = {&a_channel_each, &a_channel_goes_from_thread_to_thread,
					    NULL};
const struct report_group conformance_threads_group = {"conformance_threads", tests};
