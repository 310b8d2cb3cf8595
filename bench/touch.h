/* SPDX-License-Identifier: MIT */
/*
 * touch.h - threads that read and write random pages of memory, as those of a server
 * do, and time every access.
 *
 * An access is *slow* when it takes longer than one that need not wait. A slow one
 * with a page fault has *waited* for its page; *net* is its time without what the
 * thread waited for a CPU. A slow one without is a pause of the machine.
 */
#ifndef BENCH_TOUCH_H
#define BENCH_TOUCH_H

#include <stdint.h>

#include "histogram.h"
#include "memory.h"

struct touch_options {
	const struct region *region;
	int count;         /* threads, each on a CPU of its own where there are so many */
	int cpus;          /* that the process may use */
	uint64_t slow_ns;  /* an access that takes as long is slow */
	uint64_t bound_ns; /* 0: none */
};

/* What all threads saw while they counted. */
struct touches {
	struct histogram *all;          /* accesses, as the clock says */
	struct histogram *waited, *net; /* slow ones with a fault */
	struct histogram *other;        /* slow ones without */
	uint64_t accesses, fast;        /* counted beside the histograms, to check these */
	uint64_t over;                  /* net longer than the bound */
	int delay_told;                 /* the kernel tells how long a thread waited for a CPU */
};

struct touchers;

/* The threads begin to touch; they count nothing yet. */
struct touchers *touchers_start(const struct touch_options *options);
void touchers_count(struct touchers *touchers, int on);
/* CPU time of all of them so far, nanoseconds. */
double touchers_cpu_ns(const struct touchers *touchers);
/*
 * Ends the threads; @touches is what they saw, for touches_free(). Ends the program
 * when an access was lost or counted twice.
 */
void touchers_stop(struct touchers *touchers, struct touches *touches);
void touches_free(struct touches *touches);

#endif
