/* SPDX-License-Identifier: MIT */
/* swap_ends.c - processes and threads that end while they migrate: exec, SIGKILL, cancellation. */
#include "swap_load.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#define COUNT 1024

static struct load load;

static void pause_us(long us)
{
	struct timespec time = {0, us * 1000};

	nanosleep(&time, NULL);
}

/* Evenly spread, and the same in each run. */
static unsigned long next_random(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 11;
}

/* A range, a thread that migrates it, two that write it; returns when all are at it. */
static void begin_all(struct writers *writers)
{
	load_new(&load, COUNT);
	*writers = (struct writers){.start = load.area.start, .count = COUNT / 2, .threads = 2};
	writers_start(writers);
	load_start(&load);
	load_await(&load, 2);
	while (atomic_load(&writers->rounds) == 0)
		pause_us(50);
	ck_assert_msg(!load.why[0], "%s", load.why);
	check_any_swapped(&load.swapper);
}

static int exec_in_the_middle(void *arg)
{
	static char name[] = "true";
	static char *const arguments[] = {name, NULL};
	static struct writers writers;

	begin_all(&writers);
	pause_us(*(long *)arg);
	execv("/bin/true", arguments);
	return 127;
}

START_TEST(exec_while_migrating)
{
	for (int i = 0; i < 20; i++) {
		long us = (long)(next_random() % 5000);

		ck_assert_int_eq(in_asserting_child(exec_in_the_middle, &us), 0);
	}
}
END_TEST

static int migrate_until_killed(void *arg)
{
	static struct writers writers;

	begin_all(&writers);
	(void)!write(*(int *)arg, "", 1);
	while (1)
		pause();
	return 0;
}

static long free_kb(void)
{
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");
	long kb = -1;

	ck_assert_ptr_nonnull(file);
	while (kb < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %ld", &kb);
	fclose(file);
	return kb;
}

static void kill_one(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = asserting_child(migrate_until_killed, &ready[1]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	pause_us((long)(next_random() % 20000));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(await_child(pid), 128 + SIGKILL);
}

#define BATCHES 5
#define KILLS   10

/*
 * Each has more than 4 MiB; were they not freed they would be missed after
 * each batch. What others on the machine take is missed after some only.
 */
START_TEST(killed_while_migrating)
{
	long most = KILLS * COUNT * 4 / 2;
	int missed = 0;

	kill_one();
	for (int batch = 0; batch < BATCHES; batch++) {
		long before = free_kb();

		for (int i = 0; i < KILLS; i++)
			kill_one();
		for (int i = 0; i < 20 && before - free_kb() > most; i++)
			pause_us(100000);
		missed += before - free_kb() > most;
	}
	ck_assert_int_lt(missed, BATCHES);
}
END_TEST

/* A thread that migrates until it is cancelled. */
struct victim {
	struct area area;
	int type; /* PTHREAD_CANCEL_DEFERRED or _ASYNCHRONOUS */
	atomic_ulong rounds;
};

/* It holds nothing that a cancellation would have to clean up. */
static void *migrate_until_cancelled(void *arg)
{
	struct victim *victim = arg;
	struct area *area = &victim->area;

	pthread_setcanceltype(victim->type, NULL);
	for (int round = 0;; round++) {
		area_target(area, node_of_round(round));
		bm_migrate_batch(load.swapper.context, area->count, area->pages, area->targets,
				 area->status, SWAP_FLAGS);
		atomic_fetch_add(&victim->rounds, 1);
		pthread_testcancel();
	}
	return NULL;
}

static void cancel_one(struct victim *victim, struct pulse *pulse)
{
	uint64_t *before;
	pthread_t thread;
	void *result;

	atomic_store(&victim->rounds, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, migrate_until_cancelled, victim), 0);
	while (atomic_load(&victim->rounds) == 0)
		pause_us(50);
	pause_us((long)(next_random() % 5000));
	ck_assert_int_eq(pthread_cancel(thread), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	pulse_beat(pulse);
	/* Another thread goes on where that one stopped. */
	before = frames_of(&load.area);
	ck_assert_int_eq(swapper_round(&load.swapper, &load.area, 0), 0);
	check_swapped(&load.swapper, &load.area, before);
	free(before);
	pulse_beat(pulse);
}

static void cancel_often(const char *test, int type)
{
	static struct victim victim;
	static struct writers writers;
	struct pulse *pulse;

	victim = (struct victim){.type = type};
	writers = (struct writers){.count = COUNT / 2, .threads = 1};
	watchdog_start(test);
	load_new(&load, COUNT);
	area_over(&victim.area, load.area.start, COUNT, PAGE);
	writers.start = load.area.start;
	writers_start(&writers);
	pulse = pulse_new("the cancellations");
	for (int i = 0; i < 30; i++)
		cancel_one(&victim, pulse);
	pulse_end(pulse);
	writers_end(&writers);
	ck_assert_uint_eq(
		wrong_words(load.area.start + load_half(&load), load_half(&load), LOAD_SEED), 0);
	watchdog_stop();
	area_free(&victim.area);
	load_free(&load);
}

START_TEST(cancelled_deferred)
{
	cancel_often("swap_ends/cancelled_deferred", PTHREAD_CANCEL_DEFERRED);
}
END_TEST

START_TEST(cancelled_asynchronously)
{
	cancel_often("swap_ends/cancelled_asynchronously", PTHREAD_CANCEL_ASYNCHRONOUS);
}
END_TEST

static const TTest *const *const tests[] = {&exec_while_migrating, &killed_while_migrating,
					    &cancelled_deferred, &cancelled_asynchronously, NULL};
const struct report_group swap_ends_group = {"swap_ends", tests};
