/* SPDX-License-Identifier: MIT */
/* model_dsa_order.c - the orders in which the software DSA works: chance, drains, threads, ends. */
#include "desk.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "unit.h"

/* One more is done in each step: which one is told by its record. */
static void order_of(uint32_t seed, size_t *order)
{
	struct desk desk;

	desk_open(&desk, DSA_WHEN_RUN, seed);
	for (size_t i = 0; i < 16; i++)
		desk_submit(&desk, i);
	for (size_t step = 0; step < 16; step++) {
		ck_assert_uint_eq(dsa_run(desk.dsa, 1), 1);
		for (size_t i = 0; i < 16; i++) {
			if (desk_status(&desk, i) != 1)
				continue;
			ck_assert(desk_is_copied(&desk, i));
			order[step] = i;
			desk.records[i][0] = 0xff;
		}
	}
	ck_assert_uint_eq(dsa_run(desk.dsa, 1), 0);
	desk_close(&desk);
}

START_TEST(dsa_order_is_chance_from_the_seed)
{
	size_t first[16], again[16], other[16], sum = 0, ascents = 0;

	order_of(1, first);
	order_of(1, again);
	order_of(2, other);
	ck_assert(!memcmp(first, again, sizeof(first)));
	ck_assert(memcmp(first, other, sizeof(first)));
	for (size_t i = 0; i < 16; i++) {
		sum += first[i];
		ascents += i && first[i] > first[i - 1];
	}
	ck_assert_uint_eq(sum, 120);
	ck_assert(ascents < 15);
}
END_TEST

START_TEST(dsa_thread_completes_out_of_order)
{
	size_t overtaken = 0;

	/* Where the machine is busy, it takes long until this thread and that of the model meet. */
	for (uint32_t round = 0; round < 10000 && !overtaken; round++) {
		struct desk desk;

		desk_open(&desk, DSA_BY_THREAD, round);
		for (size_t i = 0; i < 16; i++)
			desk_submit(&desk, i);
		while (!desk_status(&desk, 0))
			for (size_t i = 15; i > 0; i--)
				overtaken += desk_status(&desk, i) && !desk_status(&desk, 0);
		for (size_t i = 0; i < 16; i++)
			ck_assert(desk_wait(&desk, i) == 1 && desk_is_copied(&desk, i));
		desk_close(&desk);
	}
	ck_assert_uint_gt(overtaken, 0);
}
END_TEST

static void submit_drain(const struct desk *desk, unsigned int queue)
{
	desk_descriptor drain = desk_operation(desk, 2, DESK_WANTED, 20);

	if (queue)
		dsa_movdir64b(desk->dsa, queue, &drain);
	else
		ck_assert_int_eq(dsa_enqcmd(desk->dsa, queue, &drain), 0);
}

START_TEST(dsa_drain_comes_after_all_before_it)
{
	size_t later = 0;

	for (uint32_t seed = 0; seed < 50; seed++) {
		struct desk desk;

		desk_open(&desk, DSA_WHEN_RUN, seed);
		for (size_t i = 0; i < 6; i++)
			desk_submit(&desk, i);
		submit_drain(&desk, 0);
		for (size_t i = 6; i < 12; i++)
			desk_submit(&desk, i);
		while (!desk_status(&desk, 20))
			ck_assert_uint_eq(dsa_run(desk.dsa, 1), 1);
		for (size_t i = 0; i < 6; i++)
			ck_assert_int_eq(desk_status(&desk, i), 1);
		for (size_t i = 6; i < 12; i++)
			later += desk_status(&desk, i) == 0;
		desk_close(&desk);
	}
	ck_assert_uint_gt(later, 0);
}
END_TEST

START_TEST(dsa_drain_is_of_one_queue)
{
	struct dsa_rule lost = {.knob = DSA_LOST, .at = 1};
	struct desk desk;

	desk_open(&desk, DSA_WHEN_RUN, 1);
	dsa_set_rules(desk.dsa, &lost, 1);
	desk_submit(&desk, 0);
	submit_drain(&desk, 1);
	dsa_run(desk.dsa, 100);
	ck_assert_int_eq(desk_status(&desk, 20), 1);
	desk.records[20][0] = 0;
	submit_drain(&desk, 0);
	dsa_run(desk.dsa, 100);
	ck_assert_int_eq(desk_status(&desk, 20), 0);
	desk_close(&desk);
}
END_TEST

START_TEST(dsa_noop_is_done)
{
	struct desk desk;
	desk_descriptor noop;

	desk_open(&desk, DSA_AT_ONCE, 1);
	noop = desk_operation(&desk, 0, DESK_WANTED, 0);
	ck_assert_int_eq(dsa_enqcmd(desk.dsa, 0, &noop), 0);
	ck_assert_int_eq(desk_status(&desk, 0), 1);
	ck_assert_uint_eq(desk_counts(&desk).descriptors, 0);
	desk_close(&desk);
}
END_TEST

/* Delayed, late and plain ones are done by then; what is lost is forgotten. */
START_TEST(dsa_nothing_comes_after_the_close)
{
	struct dsa_rule rules[] = {{.knob = DSA_LATE, .at = 1},
				   {.knob = DSA_DELAY, .at = 2, .amount = 100},
				   {.knob = DSA_LOST, .at = 3}};

	for (unsigned int pace = DSA_AT_ONCE; pace <= DSA_BY_THREAD; pace++) {
		struct desk desk;
		desk_descriptor descriptor;

		desk_open(&desk, pace, 1);
		dsa_set_rules(desk.dsa, rules, 3);
		for (size_t i = 0; i < 4; i++)
			desk_submit(&desk, i);
		descriptor = desk_copy(&desk, 5);
		if (pace == DSA_WHEN_RUN)
			dsa_movdir64b(desk.dsa, 1, &descriptor);
		submit_drain(&desk, 0);
		dsa_close(desk.dsa, 0);
		for (size_t i = 0; i < 4; i++)
			ck_assert_int_eq(desk_status(&desk, i), i != 2);
		ck_assert_int_eq(desk_status(&desk, 20), 0);
		ck_assert_uint_eq(desk_counts(&desk).in_flight, pace == DSA_WHEN_RUN);
		/* Of the other queue nothing was done. */
		ck_assert_int_eq(desk_status(&desk, 5), 0);
		dsa_release(desk.dsa);
		dsa_run(desk.dsa, 100);
		ck_assert(desk_is_untouched(&desk, 2));
		desk_close(&desk);
	}
}
END_TEST

#define THREADS       4
#define THREAD_ROUNDS 200

struct user {
	struct desk *desk;
	size_t number, wrong;
	enum dsa_pace pace;
};

/* Each with a piece of its own, over and over. */
static void *use(void *arg)
{
	struct user *user = arg;
	desk_descriptor descriptor = desk_copy(user->desk, user->number);
	unsigned char *destination = user->desk->destination + DESK_PIECE * user->number;

	for (size_t i = 0; i < THREAD_ROUNDS; i++) {
		memset(user->desk->records[user->number], 0, 32);
		memset(destination, 0, DESK_PIECE);
		while (dsa_enqcmd(user->desk->dsa, 0, &descriptor))
			sched_yield();
		user->wrong += user->pace == DSA_AT_ONCE && !desk_status(user->desk, user->number);
		while (!desk_status(user->desk, user->number))
			sched_yield();
		user->wrong += !desk_is_copied(user->desk, user->number);
	}
	return NULL;
}

START_TEST(dsa_from_many_threads)
{
	struct dsa_queue_config queues[2] = {desk_queues[0], desk_queues[1]};

	queues[0].threshold = 2;
	for (unsigned int pace = DSA_AT_ONCE; pace <= DSA_BY_THREAD; pace += 2) {
		struct user users[THREADS];
		pthread_t threads[THREADS];
		struct desk desk;

		desk_open_with(&desk, queues, pace, 1);
		for (size_t i = 0; i < THREADS; i++) {
			users[i] = (struct user){&desk, i, 0, pace};
			ck_assert_int_eq(pthread_create(&threads[i], NULL, use, &users[i]), 0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			ck_assert_uint_eq(users[i].wrong, 0);
		}
		ck_assert_uint_eq(desk_counts(&desk).descriptors, THREADS * THREAD_ROUNDS);
		ck_assert_uint_le(desk_counts(&desk).most_in_flight, 2);
		desk_close(&desk);
	}
}
END_TEST

static const TTest *const *const tests[] = {&dsa_order_is_chance_from_the_seed,
					    &dsa_thread_completes_out_of_order,
					    &dsa_drain_comes_after_all_before_it,
					    &dsa_drain_is_of_one_queue,
					    &dsa_noop_is_done,
					    &dsa_nothing_comes_after_the_close,
					    &dsa_from_many_threads,
					    NULL};
const struct report_group model_dsa_order_group = {"model_dsa_order", tests};
