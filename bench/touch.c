/* SPDX-License-Identifier: MIT */
/*
 * touch.c - threads that read and write random pages and time each access.
 *
 * The clock is read right before and right after an access, and all of them are
 * counted. Only after one that took unusually long the kernel is asked (waits.h),
 * within none: also when it was not slow, since its fault must not be taken for one of
 * the next slow access. After a pause between two accesses the kernel is asked, too.
 * What is slow without a fault is counted apart.
 * The time from being woken to running counts as waiting for a CPU.
 */
#include "touch.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "random.h"
#include "team.h"
#include "waits.h"

/* Of so many accesses before anything moves one in so many is unusual. */
#define USUAL 10000
#define RARE  1000
/* What is shorter never is: hardly a fault is, and the pause between two accesses should be. */
#define UNUSUAL_NS 500

struct toucher {
	pthread_t thread;
	struct touchers *group;
	struct waits waits;
	struct touches touches;
	uint64_t random, unusual_ns;
	int cpu;
};

struct touchers {
	struct touch_options options;
	atomic_int counting, stop;
	struct toucher threads[THREADS_MAX];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		die("clock_gettime");
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --------------------------------------------------------------- one access */

/* @then: before it. */
static void count_slow(struct toucher *toucher, const struct waits *then, uint64_t ns)
{
	struct touches *touches = &toucher->touches;
	uint64_t bound_ns = toucher->group->options.bound_ns, net;

	if (toucher->waits.faults == then->faults) {
		histogram_add(touches->other, ns);
		return;
	}
	net = waits_for_page(then, &toucher->waits, ns);
	histogram_add(touches->waited, ns);
	histogram_add(touches->net, net);
	touches->over += bound_ns && net > bound_ns;
}

/* Reads a word and writes the same: nobody else writes, so the data stays what it is. */
static void touch(char *at)
{
	volatile uint64_t *word = (volatile uint64_t *)(void *)at;

	*word = *word;
}

static char *random_page(struct toucher *toucher)
{
	const struct region *region = toucher->group->options.region;

	return region->start + random_below(&toucher->random, region->length / region->page_size) *
				       region->page_size;
}

/* What the kernel counts from now on is of what comes next. Returns when it was asked. */
static uint64_t ask(struct toucher *toucher)
{
	waits_read(&toucher->waits);
	return clock_ns(CLOCK_MONOTONIC);
}

/* @last: when the access before ended. Returns when this one did. */
static uint64_t access_one(struct toucher *toucher, uint64_t last, int counting)
{
	uint64_t slow_ns = toucher->group->options.slow_ns, start, ns;
	struct waits then;
	char *page = random_page(toucher);

	toucher->touches.accesses += counting != 0;
	start = clock_ns(CLOCK_MONOTONIC);
	if (start - last >= toucher->unusual_ns)
		start = ask(toucher);
	touch(page);
	last = clock_ns(CLOCK_MONOTONIC);
	ns = last - start;
	if (counting) {
		toucher->touches.fast += ns < slow_ns;
		histogram_add(toucher->touches.all, ns);
	}
	if (ns < toucher->unusual_ns)
		return last;
	then = toucher->waits;
	last = ask(toucher);
	if (counting && ns >= slow_ns)
		count_slow(toucher, &then, ns);
	return last;
}

/*
 * Nearly all faults take longer than this. It is exceeded seldom enough for asking
 * the kernel, which takes longer than an access, not to slow accesses down. A little
 * more than the quantile, since with a coarse clock many are exactly as long.
 */
static uint64_t find_unusual(struct toucher *toucher)
{
	struct histogram *usual = toucher->touches.all;
	uint64_t slow_ns = toucher->group->options.slow_ns, ns;

	for (int i = 0; i < USUAL; i++) {
		char *page = random_page(toucher);
		uint64_t start = clock_ns(CLOCK_MONOTONIC);

		touch(page);
		histogram_add(usual, clock_ns(CLOCK_MONOTONIC) - start);
	}
	ns = (uint64_t)(1000 * histogram_quantile_us(usual, 0, 1 - 1.0 / RARE));
	histogram_clear(usual);
	ns += ns / 16;
	if (ns < UNUSUAL_NS)
		ns = UNUSUAL_NS;
	return ns < slow_ns ? ns : slow_ns;
}

static void *toucher_main(void *arg)
{
	struct toucher *toucher = arg;
	struct touchers *group = toucher->group;
	uint64_t last;

	pin_to(toucher->cpu);
	toucher->unusual_ns = find_unusual(toucher);
	waits_open(&toucher->waits);
	last = clock_ns(CLOCK_MONOTONIC);
	while (!atomic_load_explicit(&group->stop, memory_order_relaxed))
		last = access_one(toucher, last,
				  atomic_load_explicit(&group->counting, memory_order_relaxed));
	waits_close(&toucher->waits);
	return NULL;
}

/* ------------------------------------------------------------- all of them */

/* Present, so that to count does not fault. */
static struct histogram *new_touched(void)
{
	struct histogram *histogram = histogram_new();

	histogram_clear(histogram);
	return histogram;
}

static void touches_new(struct touches *touches)
{
	*touches = (struct touches){.all = new_touched(),
				    .waited = new_touched(),
				    .net = new_touched(),
				    .other = new_touched(),
				    .delay_told = 1};
}

void touches_free(struct touches *touches)
{
	free(touches->all);
	free(touches->waited);
	free(touches->net);
	free(touches->other);
}

/* The last CPUs first: most interrupts go to the first ones. */
struct touchers *touchers_start(const struct touch_options *options)
{
	struct touchers *group = calloc(1, sizeof(*group));

	if (!group)
		die("memory for the threads");
	group->options = *options;
	for (int i = 0; i < options->count; i++) {
		struct toucher *toucher = &group->threads[i];

		toucher->group = group;
		toucher->cpu = options->cpus - 1 - i % options->cpus;
		toucher->random = UINT64_C(88172645463325252) + (uint64_t)i * 7919;
		touches_new(&toucher->touches);
		if (pthread_create(&toucher->thread, NULL, toucher_main, toucher) != 0)
			die("thread");
	}
	return group;
}

void touchers_count(struct touchers *touchers, int on)
{
	atomic_store(&touchers->counting, on);
}

double touchers_cpu_ns(const struct touchers *touchers)
{
	clockid_t clock;
	double sum = 0;

	for (int i = 0; i < touchers->options.count; i++) {
		if (pthread_getcpuclockid(touchers->threads[i].thread, &clock) != 0)
			die("the clock of a thread");
		sum += (double)clock_ns(clock);
	}
	return sum;
}

static void add(struct touches *to, const struct touches *from)
{
	histogram_merge(to->all, from->all);
	histogram_merge(to->waited, from->waited);
	histogram_merge(to->net, from->net);
	histogram_merge(to->other, from->other);
	to->accesses += from->accesses;
	to->fast += from->fast;
	to->over += from->over;
}

/* A slow access that is lost is what nobody would miss in the other numbers. */
static void check(const struct touches *touches)
{
	uint64_t all = histogram_count(touches->all, 0);
	uint64_t waited = histogram_count(touches->waited, 0);
	uint64_t net = histogram_count(touches->net, 0);
	uint64_t other = histogram_count(touches->other, 0);

	if (all == touches->accesses && all == touches->fast + waited + other && waited == net)
		return;
	fprintf(stderr,
		"accesses were lost or counted twice: %" PRIu64 " made, %" PRIu64 " timed; %" PRIu64
		" fast, %" PRIu64 " (net %" PRIu64 ") waited, %" PRIu64 " paused\n",
		touches->accesses, all, touches->fast, waited, net, other);
	exit(1);
}

void touchers_stop(struct touchers *touchers, struct touches *touches)
{
	atomic_store(&touchers->stop, 1);
	touches_new(touches);
	for (int i = 0; i < touchers->options.count; i++) {
		struct toucher *toucher = &touchers->threads[i];

		pthread_join(toucher->thread, NULL);
		add(touches, &toucher->touches);
		touches->delay_told &= toucher->waits.told;
		touches_free(&toucher->touches);
	}
	check(touches);
	free(touchers);
}
