/* SPDX-License-Identifier: MIT */
/*
 * observer.h - a thread that touches the pages of a batch, and what it saw.
 *
 * It has a CPU of its own, and asks the library nothing: it reads and writes the
 * first page of the batch until it can be used at its new place, and from then on
 * all pages of it, at random. That moment is the end of the access that had to
 * wait for the page. What the thread waited for a CPU is not counted.
 *
 * A page may move between two accesses. So it also looks now and then, where the
 * kernel tells it, whether the page is in another frame.
 */
#ifndef BENCH_OBSERVER_H
#define BENCH_OBSERVER_H

#include <stddef.h>

#include "setup.h"

struct observer;

/* Nanoseconds; negative: it saw nothing of that. */
struct sight {
	double first;        /* from the submission to the first page's being usable */
	double out_of_reach; /* the longest time that it waited for a page */
	int by_frame;        /* @first is when it looked and found another frame */
};

/* On the @nth of the CPUs that the process was given. */
struct observer *observer_start(const struct setup *setup, int nth);
/* Begins with these entries: when it returns, the first one has been touched. */
void observer_watch(struct observer *observer, void *const *pages, size_t count);
/* The batch is submitted right now: what was before does not count. */
void observer_submitted(struct observer *observer);
/* The batch is complete. */
struct sight observer_saw(struct observer *observer);
void observer_stop(struct observer *observer);

#endif
