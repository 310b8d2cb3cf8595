/* SPDX-License-Identifier: MIT */
/*
 * ptdma_thread.c - the thread that watches the registers of all functions.
 *
 * It touches no private memory of the process but the caller's rules: that could
 * be out of reach, and the model has to go on meanwhile. Its stack is shared memory.
 */
#include "ptdma_device.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define STACK_SIZE    (2u << 20) /* a sanitizer needs much */
#define SPINS         64         /* rounds without work, then others come first */
#define SPIN_YIELDS   2000       /* then it sleeps in between, the longer the longer it is idle */
#define SLEEP_LEAST   10000      /* ns */
#define SLEEP_MOST    1000000    /* ns */
#define LOOK_AFTER_US 1000       /* a page for odd writes, so often */
#define PAGE          4096u

uint64_t ptdma_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int work_on(struct ptdma_function *function)
{
	int worked = 0;

	for (size_t i = 0; i < function->queues_count; i++) {
		ptdma_lock(function->ptdma);
		worked |= ptdma_work(&function->queues[i]);
		ptdma_unlock(function->ptdma);
	}
	return worked;
}

static void look_further(struct ptdma_function *function)
{
	size_t from = function->next_page;

	ptdma_lock(function->ptdma);
	ptdma_look_through(function, from, from + PAGE);
	ptdma_unlock(function->ptdma);
	function->next_page = (from + PAGE) % function->kind->size;
}

/* A core is needed by those who wait for the device, too. */
static void rest(unsigned int idle)
{
	struct timespec time = {0, SLEEP_LEAST};

	if (idle < SPINS)
		return;
	if (idle < SPIN_YIELDS) {
		sched_yield();
		return;
	}
	if ((long)(idle - SPIN_YIELDS) * 100 > SLEEP_LEAST)
		time.tv_nsec = (long)(idle - SPIN_YIELDS) * 100;
	if (time.tv_nsec > SLEEP_MOST)
		time.tv_nsec = SLEEP_MOST;
	nanosleep(&time, NULL);
}

static void *run(void *arg)
{
	struct ptdma *ptdma = arg;
	uint64_t looked = 0, now;
	unsigned int idle = 0;
	int worked;

	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	while (!ptdma->stops) {
		worked = 0;
		now = ptdma_now_us();
		for (size_t i = 0; i < ptdma->functions_count; i++) {
			worked |= work_on(&ptdma->functions[i]);
			if (now - looked >= LOOK_AFTER_US)
				look_further(&ptdma->functions[i]);
		}
		if (now - looked >= LOOK_AFTER_US)
			looked = now;
		idle = worked ? 0 : idle < 1u << 20 ? idle + 1 : idle;
		rest(idle);
	}
	return NULL;
}

/* Signals are for the threads of the test. */
int ptdma_thread_begin(struct ptdma *ptdma)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int rc;

	ptdma->stack =
		mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ptdma->stack == MAP_FAILED)
		return -1;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, ptdma->stack, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&ptdma->thread, &attributes, run, ptdma);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return rc;
}

void ptdma_thread_end(struct ptdma *ptdma)
{
	ptdma->stops = 1;
	pthread_join(ptdma->thread, NULL);
	munmap(ptdma->stack, STACK_SIZE);
}
