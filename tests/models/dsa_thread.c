/* SPDX-License-Identifier: MIT */
/* dsa_thread.c - a thread that works as soon as there is something to be done. */
#include "dsa_device.h"

#include <signal.h>
#include <time.h>

/* Looks again after so long, whoever forgot to wake it. */
#define SLEEP_US 1000

static uint64_t earliest(const struct dsa *dsa, uint64_t until)
{
	for (size_t i = 0; i < dsa->delayed.count; i++)
		if (dsa->delayed.items[i]->due < until)
			until = dsa->delayed.items[i]->due;
	return until;
}

static void sleep_until_due(struct dsa *dsa)
{
	uint64_t until = earliest(dsa, dsa_now_us() + SLEEP_US);
	struct timespec time = {(time_t)(until / 1000000), (long)(until % 1000000) * 1000};

	pthread_cond_timedwait(&dsa->arrived, &dsa->lock, &time);
}

static void *run(void *arg)
{
	struct dsa *dsa = arg;

	pthread_mutex_lock(&dsa->lock);
	while (!dsa->stops) {
		dsa_promote(dsa);
		if (!dsa_work(dsa, NULL))
			sleep_until_due(dsa);
	}
	pthread_mutex_unlock(&dsa->lock);
	return NULL;
}

/* Signals are for the threads of the test. */
int dsa_thread_begin(struct dsa *dsa)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int rc;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&dsa->arrived, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&dsa->thread, NULL, run, dsa);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void dsa_thread_end(struct dsa *dsa)
{
	pthread_mutex_lock(&dsa->lock);
	dsa->stops = 1;
	pthread_cond_signal(&dsa->arrived);
	pthread_mutex_unlock(&dsa->lock);
	pthread_join(dsa->thread, NULL);
	pthread_cond_destroy(&dsa->arrived);
}
