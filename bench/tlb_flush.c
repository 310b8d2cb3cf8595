/* SPDX-License-Identifier: MIT */
/*
 * tlb_flush.c - what one flush of the TLB costs on this machine, with and
 * without another thread of the process running: what the kernel movers save
 * where a plain call flushes once for each page that need not move.
 *
 * A page is taken its write permission away, which must flush; the time of
 * the mprotect(2) alone and beside a spinning thread differ by the interrupt
 * to the other CPU. Times, so not for the rig.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5
#define TIMES  10001

static atomic_int stop;

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Pins the thread to the @nth of the @allowed CPUs; 0 when there is none. */
static int pin(const cpu_set_t *allowed, int nth)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, allowed) && !nth--) {
			CPU_SET(cpu, &one);
			return !sched_setaffinity(0, sizeof(one), &one);
		}
	}
	return 0;
}

static void *spin(void *unused)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		;
	return unused;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, char *page, size_t length)
{
	static int64_t times[TIMES];

	for (int i = 0; i < TIMES; i++) {
		int64_t start;

		mprotect(page, length, PROT_READ | PROT_WRITE);
		*(volatile char *)page = 1; /* so that a TLB holds it */
		start = now();
		mprotect(page, length, PROT_READ);
		times[i] = now() - start;
	}
	qsort(times, TIMES, sizeof(times[0]), ascending);
	printf("| %s | %lld | %lld | %lld |\n", name, (long long)times[TIMES / 10],
	       (long long)times[TIMES / 2], (long long)times[TIMES / 10 * 9]);
}

int main(void)
{
	size_t length = (size_t)sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_set_t allowed;
	pthread_t sibling;

	if (page == MAP_FAILED || sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	if (CPU_COUNT(&allowed) < 2) {
		fprintf(stderr, "one CPU only: nothing to compare with\n");
		return 1;
	}
	printf("| mprotect of one page, ns | p10 | p50 | p90 |\n| --- | --- | --- | --- |\n");
	for (int round = 0; round < ROUNDS; round++) {
		/* Both on one CPU would measure nothing. */
		if (!pin(&allowed, 0))
			return 1;
		measure("alone", page, length);
		atomic_store(&stop, 0);
		/* For the sibling, which inherits it. */
		if (!pin(&allowed, 1) || pthread_create(&sibling, NULL, spin, NULL) ||
		    !pin(&allowed, 0))
			return 1;
		measure("beside a running thread", page, length);
		atomic_store(&stop, 1);
		pthread_join(sibling, NULL);
	}
	munmap(page, length);
	return 0;
}
