/* SPDX-License-Identifier: MIT */
/* async_cancel.c - batches cancelled at any point, under threads that write: nothing is lost. */
#include "async_support.h"

#include <semaphore.h>

#define UNITS 1 /* of base pages, and as much in huge pages */

/* Sleeps are too coarse for some microseconds. */
static void pause_us(unsigned int us)
{
	uint64_t end = now_ns() + us * 1000ull;

	if (us > 200)
		usleep(us - 100);
	while (now_ns() < end)
		;
}

/* A thread that cancels what it is given. */
static struct canceller {
	pthread_t thread;
	sem_t given, done;
	struct bm_batch *batch; /* NULL: the end */
	unsigned int us;
	int rc;
} other;

static void *cancel_for_another(void *arg)
{
	(void)arg;
	for (;;) {
		sem_wait(&other.given);
		if (!other.batch)
			return NULL;
		pause_us(other.us);
		other.rc = bm_batch_cancel(other.batch);
		sem_post(&other.done);
	}
}

static struct points {
	struct bm_context *context;
	struct flight memory[2]; /* base pages, huge pages */
	struct writers writers[2];
	unsigned int seed;
	unsigned long before, midway, never; /* batches, by when they were cancelled */
} points;

static void huge_flight_new(struct flight *flight)
{
	struct area huge;

	area_new_huge(&huge, UNITS, nodes[0]);
	flight_over(flight, huge.start, huge.count);
	flight->area.length = huge.length;
	huge.length = 0;
	area_free(&huge);
}

static void points_start(void)
{
	memset(&points, 0, sizeof(points));
	points.seed = 11;
	points.context = context_of(2);
	flight_new(&points.memory[0], UNITS);
	huge_flight_new(&points.memory[1]);
	for (int i = 0; i < 2; i++) {
		struct area *area = &points.memory[i].area;

		fill(area->start, area->length, LOAD_SEED);
		points.writers[i] =
			(struct writers){.start = area->start, .count = area->count, .threads = 1};
		writers_start(&points.writers[i]);
	}
	ck_assert_int_eq(sem_init(&other.given, 0, 0), 0);
	ck_assert_int_eq(sem_init(&other.done, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&other.thread, NULL, cancel_for_another, NULL), 0);
}

static void points_end(void)
{
	other.batch = NULL;
	sem_post(&other.given);
	pthread_join(other.thread, NULL);
	for (int i = 0; i < 2; i++)
		writers_end(&points.writers[i]);
	ck_assert_int_eq(bm_context_free(points.context), 0);
	for (int i = 0; i < 2; i++)
		flight_free(&points.memory[i]);
}

static unsigned int below(unsigned int most)
{
	return (unsigned int)rand_r(&points.seed) % most;
}

/* By this thread, by the other one, or by both. */
static void cancel_somehow(struct bm_batch *batch, unsigned int us)
{
	int who = (int)below(3);

	if (who > 0) {
		other.batch = batch;
		other.us = us;
		sem_post(&other.given);
	}
	if (who != 1) {
		pause_us(us);
		ck_assert_int_eq(bm_batch_cancel(batch), 0);
	}
	if (who > 0) {
		while (sem_wait(&other.done) != 0)
			;
		ck_assert_int_eq(other.rc, 0);
	}
}

/* Delays of all sizes: none, some microseconds, as long as a batch takes. */
static unsigned int delay_us(void)
{
	unsigned int most[] = {1, 30, 300, 1500};

	return below(most[below(4)]);
}

static void count_canceled(const struct flight *flight, size_t canceled)
{
	if (flight->result == -ECANCELED)
		points.before++;
	else if (canceled > 0)
		points.midway++;
	else
		points.never++;
}

static void one_point(int round)
{
	struct flight *memory = &points.memory[below(2)], flight;
	size_t all = memory->area.count, from = below((unsigned int)all);
	size_t count = 1 + below((unsigned int)(all - from));

	/* Large ones more often: small ones are complete too soon. */
	if (below(2))
		from = 0, count = all - below(64);
	flight_over(&flight, memory->area.start + from * PAGE, count);
	area_target(&flight.area, node_of_round(round));
	flight.request.priority = (int)below(3) - 1;
	flight_start(&flight, points.context);
	/* How fast the machine is does not matter to some. */
	if (below(20) == 0)
		bm_batch_wait(flight.batch, BM_FOREVER);
	cancel_somehow(flight.batch, delay_us());
	flight_wait(&flight);
	ck_assert_int_eq(flight_progress(&flight).canceled, 1);
	count_canceled(&flight, flight_check(&flight));
	ck_assert_uint_eq(lost_words(memory->area.start, memory->area.length, LOAD_SEED), 0);
	flight_free(&flight);
}

START_TEST(at_any_point)
{
	const char *full = getenv("BM_TEST_FULL");
	int all = full && strcmp(full, "1") == 0, rounds = all ? 100000 : 2000;
	uint64_t end = now_ns() + 25000000000ull;

	NEED_MOVES();
	watchdog_start("async_cancel/at_any_point");
	/* It would move on what the writers are far from. */
	setting("/proc/sys/kernel/numa_balancing", "0");
	points_start();
	/* An emulated machine does what it can in the time. */
	for (int round = 0; round < rounds && (all || round < 200 || now_ns() < end); round++)
		one_point(round);
	points_end();
	ck_assert_msg(points.before > 0 && points.midway > 0 && points.never > 0,
		      "cancelled before it began %lu, midway %lu, too late %lu", points.before,
		      points.midway, points.never);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&at_any_point, NULL};
const struct report_group async_cancel_group = {"async_cancel", tests};
