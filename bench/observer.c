/* SPDX-License-Identifier: MIT */
/*
 * observer.c - reads the clock right before and right after each access.
 *
 * Only after one that took long the kernel is asked, within none, whether that
 * was a page fault: to ask takes longer than most accesses. After a pause
 * between two accesses it is asked, too, so that the pause is not taken off
 * the next one.
 */
#include "observer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"
#include "random.h"
#include "spread.h"
#include "team.h"
#include "waits.h"

/* A fault takes longer, nearly all other accesses do not: nanoseconds, or so many usual ones. */
#define SLOW_NS  500
#define SLOW     4
#define ACCESSES 101

/* Of its time it looks at frames for so small a part. */
#define LOOKS 10

enum order { REST, WATCH, STOP };

struct observer {
	pthread_t thread;
	int nth, pagemap; /* -1: the kernel does not tell frames */
	size_t page_size;
	_Atomic(enum order) order;
	_Atomic(enum order) obeyed;
	_Atomic(double) submitted; /* 0: not yet */
	void *const *pages;
	size_t count;
	unsigned long frame; /* of the first page before */
	double next_look;
	uint64_t random;
	double slow;
	struct waits waits;
	struct sight sight;
};

/* Reads a word and writes the same: nobody else writes, so the data stays what it is. */
static void touch(void *page)
{
	volatile uint64_t *word = page;

	*word = *word;
}

static void *next_page(struct observer *observer)
{
	if (observer->sight.first < 0)
		return observer->pages[0];
	return observer->pages[random_below(&observer->random, observer->count)];
}

/* Is the first page in another frame? Yes, where that is not told. */
static int has_moved(const struct observer *observer)
{
	unsigned long frame;

	if (!observer->frame)
		return 1;
	frame = frame_of(observer->pagemap, observer->pages[0], observer->page_size);
	return frame && frame != observer->frame;
}

/* An access that ended now took @ns: for a page? */
static void take_slow(struct observer *observer, double now, double ns)
{
	double submitted = atomic_load_explicit(&observer->submitted, memory_order_acquire);
	struct sight *sight = &observer->sight;
	struct waits then = observer->waits;
	double waited, end;

	waits_read(&observer->waits);
	waited = (double)waits_for_page(&then, &observer->waits, (uint64_t)ns);
	end = now - ns + waited;
	if (waited <= 0 || submitted <= 0 || end < submitted)
		return;
	if (sight->first < 0 && has_moved(observer))
		sight->first = end - submitted;
	if (waited > sight->out_of_reach)
		sight->out_of_reach = waited;
}

static void look(struct observer *observer)
{
	double submitted = atomic_load_explicit(&observer->submitted, memory_order_acquire);
	double start = now_ns(), now;

	if (submitted > 0 && has_moved(observer)) {
		observer->sight.first = now_ns() - submitted;
		observer->sight.by_frame = 1;
	}
	waits_read(&observer->waits);
	now = now_ns();
	observer->next_look = now + LOOKS * (now - start);
}

static int wants_look(const struct observer *observer, double now)
{
	return observer->frame && observer->sight.first < 0 && now >= observer->next_look;
}

/* One access; returns when it ended, or what had to be found out about it. */
static double observe(struct observer *observer, double last)
{
	void *page = next_page(observer);
	double start = now_ns();

	if (start - last >= observer->slow) {
		waits_read(&observer->waits);
		start = now_ns();
	}
	touch(page);
	last = now_ns();
	if (last - start >= observer->slow) {
		take_slow(observer, last, last - start);
		last = now_ns();
	}
	if (!wants_look(observer, last))
		return last;
	look(observer);
	return now_ns();
}

static void watch(struct observer *observer)
{
	double last;

	if (observer->pagemap >= 0)
		observer->frame =
			frame_of(observer->pagemap, observer->pages[0], observer->page_size);
	waits_read(&observer->waits);
	last = now_ns();
	while (atomic_load_explicit(&observer->order, memory_order_acquire) == WATCH) {
		last = observe(observer, last);
		atomic_store_explicit(&observer->obeyed, WATCH, memory_order_release);
	}
}

/* In an emulated machine, and where to read the clock is a system call, all is slower. */
static double slow_here(void)
{
	double times[ACCESSES], slow;
	uint64_t word = 0;

	for (int i = 0; i < ACCESSES; i++) {
		double start = now_ns();

		touch(&word);
		times[i] = now_ns() - start;
	}
	slow = SLOW * spread_of(times, ACCESSES).median;
	return slow > SLOW_NS ? slow : SLOW_NS;
}

static void *observer_main(void *arg)
{
	struct observer *observer = arg;
	enum order order;

	pin_to(observer->nth);
	observer->slow = slow_here();
	waits_open(&observer->waits);
	while ((order = atomic_load(&observer->order)) != STOP) {
		if (order == WATCH)
			watch(observer);
		/* Without sched_yield(2): who yields gets the CPU back late where others want it. */
		atomic_store(&observer->obeyed, REST);
	}
	waits_close(&observer->waits);
	atomic_store(&observer->obeyed, STOP);
	return NULL;
}

static void give_order(struct observer *observer, enum order order)
{
	atomic_store(&observer->order, order);
	while (atomic_load(&observer->obeyed) != order)
		sched_yield();
}

struct observer *observer_start(const struct setup *setup, int nth)
{
	struct observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		die("memory for the observer");
	observer->nth = nth;
	observer->page_size = setup->page_size;
	observer->pagemap =
		setup->frames_seen ? open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) : -1;
	observer->random = UINT64_C(88172645463325252);
	observer->obeyed = STOP;
	if (pthread_create(&observer->thread, NULL, observer_main, observer) != 0)
		die("thread");
	give_order(observer, REST);
	return observer;
}

void observer_watch(struct observer *observer, void *const *pages, size_t count)
{
	observer->pages = pages;
	observer->count = count;
	observer->sight = (struct sight){.first = -1, .out_of_reach = -1};
	atomic_store(&observer->submitted, 0);
	give_order(observer, WATCH);
}

void observer_submitted(struct observer *observer)
{
	atomic_store(&observer->submitted, now_ns());
}

struct sight observer_saw(struct observer *observer)
{
	give_order(observer, REST);
	return observer->sight;
}

void observer_stop(struct observer *observer)
{
	give_order(observer, STOP);
	pthread_join(observer->thread, NULL);
	if (observer->pagemap >= 0)
		close(observer->pagemap);
	free(observer);
}
