/* SPDX-License-Identifier: MIT */
/* team.c - the clock, and threads that start together, each on a CPU of its own. */
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cpus.h"
#include "setup.h"

double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void run_on(const cpu_set_t *cpus)
{
	if (sched_setaffinity(0, sizeof(*cpus), cpus) < 0)
		die("sched_setaffinity");
}

void pin_to(int nth)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpus_nth(nth), &one);
	run_on(&one);
}

void keep_off(int nth)
{
	cpu_set_t others = *cpus_given();

	CPU_CLR(cpus_nth(nth), &others);
	run_on(&others);
}

/* Threads of the library are made by this one, and shall have all CPUs. */
static void unpin(void)
{
	run_on(cpus_given());
}

struct team {
	void (*work)(void *arg, int index, int count);
	void *arg;
	int count;
	atomic_int ready, go, done;
};

struct member {
	struct team *team;
	pthread_t thread;
	int index;
};

static void *member_main(void *arg)
{
	struct member *member = arg;
	struct team *team = member->team;

	pin_to(member->index);
	atomic_fetch_add(&team->ready, 1);
	while (!atomic_load(&team->go))
		sched_yield();
	team->work(team->arg, member->index, team->count);
	atomic_fetch_add(&team->done, 1);
	return NULL;
}

/* The others wait spinning, so that no wake-up is in the time. */
double in_threads(void (*work)(void *arg, int index, int count), void *arg, int count)
{
	struct team team = {.work = work, .arg = arg, .count = count};
	struct member members[THREADS_MAX];
	double start, end;

	pin_to(0);
	for (int i = 1; i < count; i++) {
		members[i] = (struct member){.team = &team, .index = i};
		if (pthread_create(&members[i].thread, NULL, member_main, &members[i]) != 0)
			die("thread");
	}
	while (atomic_load(&team.ready) < count - 1)
		sched_yield();
	start = now_ns();
	atomic_store(&team.go, 1);
	work(arg, 0, count);
	while (atomic_load(&team.done) < count - 1)
		sched_yield();
	end = now_ns();
	for (int i = 1; i < count; i++)
		pthread_join(members[i].thread, NULL);
	unpin();
	return end - start;
}
