/* SPDX-License-Identifier: MIT */
/*
 * stall_touch.c - threads that read and write random pages and time each access.
 *
 * The clock is read right before and right after an access, and all of them are
 * counted. Only after one that took long the kernel is asked, within none:
 * whether the thread had a page fault since the last time (ru_minflt), since
 * nothing else waits for a page, and how long it waited for a CPU
 * (/proc/thread-self/schedstat; where that says nothing, whether a slice ended,
 * ru_nivcsw). What takes long without a fault is a slice of somebody else, an
 * interrupt or the hypervisor, and is counted apart. After a pause between two
 * accesses the kernel is asked, too, so that it is not taken off the next one.
 * The time from being woken to running counts as waiting for a CPU.
 */
#include "stall.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* What the kernel counts for a thread, as it was when it was asked last. */
struct kernel_counts {
	int file;        /* schedstat; -1: not to be had */
	int told;        /* its numbers mean something */
	uint64_t waited; /* nanoseconds; where they are not told: slices that ended early */
	uint64_t faults;
};

struct toucher {
	pthread_t thread;
	struct touchers *group;
	struct kernel_counts counts;
	struct histogram *raw, *net, *other;
	uint64_t over, random;
};

struct touchers {
	const struct region *region;
	uint64_t slow_ns, bound_ns;
	atomic_int counting, stop;
	int count;
	struct toucher threads[THREADS_MAX];
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* "TIME-ON-CPU TIME-ON-RUN-QUEUE TIMES"; all 0 in a kernel that does not count. */
static int read_schedstat(int file, uint64_t *delay)
{
	unsigned long long on, waited, times;
	char line[80];
	ssize_t got = file < 0 ? -1 : pread(file, line, sizeof(line) - 1, 0);

	if (got <= 0)
		return 0;
	line[got] = '\0';
	if (sscanf(line, "%llu %llu %llu", &on, &waited, &times) != 3 || !times)
		return 0;
	*delay = waited;
	return 1;
}

static void counts_read(struct kernel_counts *counts)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) < 0)
		die("getrusage");
	counts->faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
	if (counts->told)
		read_schedstat(counts->file, &counts->waited);
	else
		counts->waited = (uint64_t)usage.ru_nivcsw;
}

static void counts_open(struct kernel_counts *counts)
{
	uint64_t waited;

	counts->file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	counts->told = read_schedstat(counts->file, &waited);
	counts_read(counts);
}

/* Without what it waited for a CPU; where only slices are told: 0 if one ended. */
static uint64_t net_of(const struct kernel_counts *then, const struct kernel_counts *now,
		       uint64_t ns)
{
	uint64_t waited = now->waited - then->waited;

	if (!now->told)
		return waited ? 0 : ns;
	return ns > waited ? ns - waited : 0;
}

static void take_slow(struct toucher *toucher, uint64_t ns, int counting)
{
	struct kernel_counts then = toucher->counts;
	uint64_t net;

	counts_read(&toucher->counts);
	if (!counting)
		return;
	if (toucher->counts.faults == then.faults) {
		histogram_add(toucher->other, ns);
		return;
	}
	net = net_of(&then, &toucher->counts, ns);
	histogram_add(toucher->raw, ns);
	histogram_add(toucher->net, net);
	toucher->over += toucher->group->bound_ns && net > toucher->group->bound_ns;
}

/* Reads a word and writes the same: nobody else writes, so the data stays what it is. */
static void touch(char *at)
{
	volatile uint64_t *word = (volatile uint64_t *)(void *)at;

	*word = *word;
}

static char *random_page(struct toucher *toucher)
{
	const struct region *region = toucher->group->region;

	toucher->random ^= toucher->random << 13;
	toucher->random ^= toucher->random >> 7;
	toucher->random ^= toucher->random << 17;
	return region->start +
	       toucher->random % (region->length / region->page_size) * region->page_size;
}

static void *toucher_main(void *arg)
{
	struct toucher *toucher = arg;
	struct touchers *group = toucher->group;
	uint64_t start, last;

	counts_open(&toucher->counts);
	last = clock_ns();
	while (!atomic_load_explicit(&group->stop, memory_order_relaxed)) {
		int counting = atomic_load_explicit(&group->counting, memory_order_relaxed);
		char *page = random_page(toucher);

		start = clock_ns();
		if (start - last >= group->slow_ns) {
			counts_read(&toucher->counts);
			start = clock_ns();
		}
		touch(page);
		last = clock_ns();
		if (last - start >= group->slow_ns) {
			take_slow(toucher, last - start, counting);
			last = clock_ns();
		} else if (counting) {
			histogram_add(toucher->raw, last - start);
			histogram_add(toucher->net, last - start);
		}
	}
	if (toucher->counts.file >= 0)
		close(toucher->counts.file);
	return NULL;
}

/* Present, so that to count does not fault. */
static struct histogram *new_touched(void)
{
	struct histogram *histogram = histogram_new();

	histogram_clear(histogram);
	return histogram;
}

struct touchers *touchers_start(const struct stall *stall, const struct region *region,
				int64_t bound_us)
{
	struct touchers *group = calloc(1, sizeof(*group));

	if (!group)
		die("memory for the threads");
	group->region = region;
	group->slow_ns = stall->slow_ns;
	group->bound_ns = (uint64_t)bound_us * 1000;
	group->count = stall->threads;
	for (int i = 0; i < group->count; i++) {
		struct toucher *toucher = &group->threads[i];

		toucher->group = group;
		toucher->raw = new_touched();
		toucher->net = new_touched();
		toucher->other = new_touched();
		toucher->random = UINT64_C(88172645463325252) + (uint64_t)i * 7919;
		if (pthread_create(&toucher->thread, NULL, toucher_main, toucher) != 0)
			die("thread");
	}
	return group;
}

void touchers_count(struct touchers *touchers, int on)
{
	atomic_store(&touchers->counting, on);
}

void touchers_stop(struct touchers *touchers, struct touches *touches)
{
	atomic_store(&touchers->stop, 1);
	touches->over = 0;
	touches->delay_told = 1;
	for (int i = 0; i < touchers->count; i++) {
		struct toucher *toucher = &touchers->threads[i];

		pthread_join(toucher->thread, NULL);
		histogram_merge(touches->raw, toucher->raw);
		histogram_merge(touches->net, toucher->net);
		histogram_merge(touches->other, toucher->other);
		touches->over += toucher->over;
		touches->delay_told &= toucher->counts.told;
		free(toucher->raw);
		free(toucher->net);
		free(toucher->other);
	}
	free(touchers);
}
