/* SPDX-License-Identifier: MIT */
/* async_process.c - batches in flight while the process forks, ends, and starts and ends threads. */
#include "async_support.h"

#define UNITS 1
#define MANY  6

static struct flight flights[MANY];

/* Some that last, some that end soon, one that has to wait; in `context`. */
static void set_off(struct bm_context *context)
{
	for (int i = 0; i < MANY; i++) {
		flight_new(&flights[i], UNITS);
		flights[i].request.done = flight_called;
		flights[i].request.priority = i % 3 - 1;
		if (i < 3)
			flight_lasts(&flights[i], 300);
	}
	flights[1].request.pages = flights[0].area.pages;
	for (int i = 0; i < MANY; i++)
		flight_start(&flights[i], context);
}

static size_t all_wrong(void)
{
	size_t wrong = 0;

	for (int i = 0; i < MANY; i++)
		wrong += flight_wrong(&flights[i]);
	return wrong;
}

static void land(void)
{
	for (int i = 0; i < MANY; i++)
		flight_free(&flights[i]);
}

/* ---------------------------------------------------------------- fork */

static void expect_stale(struct bm_batch *batch)
{
	struct bm_progress progress;
	struct bm_report report;

	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), -ESTALE);
	ck_assert_int_eq(bm_batch_wait(batch, 0), -ESTALE);
	ck_assert_int_eq(bm_batch_cancel(batch), -ESTALE);
	ck_assert_int_eq(bm_batch_progress(batch, &progress, sizeof(progress)), -ESTALE);
	ck_assert_int_eq(bm_batch_report(batch, &report, sizeof(report)), -ESTALE);
	ck_assert_int_eq(bm_batch_free(batch), 0);
}

/* Batches in flight of the child's own, in a new context or the default one. */
static void works(struct bm_context *context)
{
	struct flight flight;

	flight_new(&flight, UNITS);
	flight.request.done = flight_called;
	flight_whole(&flight, context);
	AWAIT(atomic_load(&flight.calls) == 1);
	ck_assert_int_eq(flight.strange, 0);
	ck_assert_uint_eq(flight_wrong(&flight), 0);
	ck_assert_int_eq(bm_migrate_batch(context, 8, flight.area.pages, flight.area.targets,
					  flight.area.status, SWAP_FLAGS),
			 0);
	flight_free(&flight);
}

static int in_the_child(void *arg)
{
	struct bm_context *old = arg, *context;

	ck_assert_uint_eq(all_wrong(), 0);
	for (int i = 0; i < MANY; i++) {
		expect_stale(flights[i].batch);
		flights[i].batch = NULL;
	}
	ck_assert_int_eq(flight_submit(&flights[0], old), -ESTALE);
	ck_assert_int_eq(bm_context_free(old), 0);
	context = context_of(2);
	works(context);
	works(NULL);
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_uint_eq(all_wrong(), 0);
	return 0;
}

/* Every page has its node or a reason why it could not move: a child shares it. */
static void check_parents(void)
{
	for (int i = 0; i < MANY; i++) {
		struct flight *flight = &flights[i];
		long misplaced = 0;

		ck_assert_int_ge(flight_wait(flight), 0);
		for (size_t k = 0; k < flight->area.count; k++) {
			int status = flight->area.status[k];

			ck_assert_msg(status == flight->area.targets[k] || status == -EACCES ||
					      status == -EBUSY,
				      "page %zu: status %d", k, status);
			misplaced += status != flight->area.targets[k];
		}
		ck_assert_int_eq(flight->result, misplaced);
	}
	ck_assert_uint_eq(all_wrong(), 0);
}

/* The child looks at once, and until after the batches of the parent are complete. */
START_TEST(forks)
{
	watchdog_start("async_process/forks");
	for (unsigned int us = 0; us < 100000; us += 20000) {
		struct bm_context *context = context_of(2);
		pid_t pid;

		set_off(context);
		usleep(us);
		pid = asserting_child(in_the_child, context);
		check_parents();
		ck_assert_int_eq(await_child(pid), 0);
		watchdog_beat();
		/* Nobody shares what is written anew. */
		works(context);
		for (int i = 0; i < MANY; i++)
			flight_drop(&flights[i]);
		ck_assert_int_eq(bm_context_free(context), 0);
		for (int i = 0; i < MANY; i++)
			ck_assert_int_eq(atomic_load(&flights[i].calls), 1);
		land();
	}
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- exit */

static atomic_int in_callback;

static void stay(void *user, struct bm_batch *batch, long result)
{
	(void)user;
	(void)batch;
	(void)result;
	atomic_store(&in_callback, 1);
	sleep(60);
}

/* Of the default context where arg says so; with a callback that does not return. */
static int exits(void *arg)
{
	const int *round = arg;
	struct bm_context *context = *round % 2 ? NULL : context_of(2);

	limit_child(60);
	flight_new(&flights[0], UNITS);
	flight_new(&flights[1], UNITS);
	flight_holds(&flights[0]);
	flight_start(&flights[0], context);
	if (*round % 4 >= 2) {
		flights[1].request.done = stay;
		flight_start(&flights[1], context);
		AWAIT(atomic_load(&in_callback));
	}
	usleep((unsigned int)*round * 500);
	exit(7);
}

START_TEST(ends_with_batches_in_flight)
{
	NEED_MOVES();
	watchdog_start("async_process/ends_with_batches_in_flight");
	for (int round = 0; round < 12; round++) {
		uint64_t begin = now_ns();

		ck_assert_int_eq(in_asserting_child(exits, &round), 7);
		ck_assert_uint_lt(now_ns() - begin, 20000000000ull);
		watchdog_beat();
	}
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- threads */

static void *submit_and_end(void *arg)
{
	struct bm_context *context = arg;

	for (int i = 0; i < MANY; i++) {
		if (flights[i].batch ||
		    bm_submit(context, &flights[i].request, &flights[i].batch) != 0)
			return arg;
	}
	return NULL;
}

START_TEST(submitting_thread_ends)
{
	struct bm_context *context = context_of(2);
	pthread_t thread;
	void *bad;

	watchdog_start("async_process/submitting_thread_ends");
	for (int i = 0; i < MANY; i++) {
		flight_new(&flights[i], UNITS);
		flight_lasts(&flights[i], 200);
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, submit_and_end, context), 0);
	ck_assert_int_eq(pthread_join(thread, &bad), 0);
	ck_assert_ptr_null(bad);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(flight_wait(&flights[i]), 0);
		ck_assert_uint_eq(flight_check(&flights[i]), 0);
	}
	ck_assert_uint_eq(all_wrong(), 0);
	ck_assert_int_eq(bm_context_free(context), 0);
	land();
	watchdog_stop();
}
END_TEST

static size_t tasks(void)
{
	return count_entries("/proc/self/task");
}

/* The two of the mover swap may stay; of the context's none. */
START_TEST(threads_end_after_the_last_batch)
{
	struct bm_context *context = context_of(4);
	size_t before;

	watchdog_start("async_process/threads_end_after_the_last_batch");
	works(context);
	sleep(1);
	before = tasks();
	for (int round = 0; round < 3; round++) {
		size_t most = 0;

		set_off(context);
		for (int i = 0; i < MANY; i++) {
			most = tasks() > most ? tasks() : most;
			ck_assert_int_eq(flight_wait(&flights[i]), 0);
		}
		ck_assert_uint_gt(most, before);
		sleep(1);
		ck_assert_uint_le(tasks(), before);
		ck_assert_uint_eq(all_wrong(), 0);
		land();
	}
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_uint_le(tasks(), before);
	watchdog_stop();
}
END_TEST

/* One of the threads that submit at once into one context. */
#define SUBMITTERS 8
struct submitter {
	pthread_t thread;
	struct bm_context *context;
	struct flight flights[2];
	long bad;
	unsigned int rounds;
};

static void *submit_often(void *arg)
{
	struct submitter *submitter = arg;
	struct bm_batch *batches[2];
	struct box box;

	box_start(&box, "a submitting thread");
	for (int round = 0; submitter->bad == 0 && box_open(&box); round++) {
		for (int i = 0; i < 2; i++) {
			struct flight *flight = &submitter->flights[i];

			area_target(&flight->area, node_of_round(round));
			submitter->bad +=
				bm_submit(submitter->context, &flight->request, &batches[i]) != 0;
		}
		for (int i = 0; i < 2 && submitter->bad == 0; i++) {
			submitter->bad += bm_batch_wait(batches[i], BM_FOREVER) != 0;
			/* Its callback still asks it. */
			while (i == 0 && (unsigned int)atomic_load(&submitter->flights[0].calls) <=
						 submitter->rounds)
				usleep(20);
			submitter->bad += bm_batch_free(batches[i]) != 0;
		}
		submitter->rounds++;
		watchdog_beat(); /* The test itself waits for this thread. */
	}
	pulse_end(box.pulse);
	return NULL;
}

START_TEST(threads_submit_at_once)
{
	static struct submitter submitters[SUBMITTERS];
	struct bm_context *context = context_of(4);
	struct bm_stats stats;
	uint64_t rounds = 0;

	watchdog_start("async_process/threads_submit_at_once");
	for (int i = 0; i < SUBMITTERS; i++) {
		struct submitter *submitter = &submitters[i];

		submitter->context = context;
		flight_new(&submitter->flights[0], UNITS);
		flight_new(&submitter->flights[1], UNITS);
		submitter->flights[0].request.count = 64;
		submitter->flights[0].request.priority = i % 3 - 1;
		submitter->flights[0].request.done = flight_called;
	}
	for (int i = 0; i < SUBMITTERS; i++)
		ck_assert_int_eq(
			pthread_create(&submitters[i].thread, NULL, submit_often, &submitters[i]),
			0);
	for (int i = 0; i < SUBMITTERS; i++) {
		pthread_join(submitters[i].thread, NULL);
		ck_assert_int_eq(submitters[i].bad, 0);
		ck_assert_uint_eq(flight_wrong(&submitters[i].flights[0]), 0);
		ck_assert_uint_eq(flight_wrong(&submitters[i].flights[1]), 0);
		rounds += submitters[i].rounds;
	}
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats)), 0);
	ck_assert_uint_eq(stats.calls, 2 * rounds);
	ck_assert_int_eq(bm_context_free(context), 0);
	for (int i = 0; i < SUBMITTERS; i++) {
		ck_assert_int_eq(submitters[i].flights[0].strange, 0);
		ck_assert_uint_eq((unsigned int)atomic_load(&submitters[i].flights[0].calls),
				  submitters[i].rounds);
		flight_free(&submitters[i].flights[0]);
		flight_free(&submitters[i].flights[1]);
	}
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&forks,
					    &ends_with_batches_in_flight,
					    &submitting_thread_ends,
					    &threads_end_after_the_last_batch,
					    &threads_submit_at_once,
					    NULL};
const struct report_group async_process_group = {"async_process", tests};
