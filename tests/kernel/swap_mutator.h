/* SPDX-License-Identifier: MIT */
/* swap_mutator.h - a thread that changes mappings and knows what every byte has to be. */
#ifndef KERNEL_SWAP_MUTATOR_H
#define KERNEL_SWAP_MUTATOR_H

#include "swap_support.h"

/* Its pages; and how far from them, in bytes, memory must be free for a while. */
#define MUTATOR_PAGES 1500
#define MUTATOR_AWAY  (6 * HUGE)

struct mutator {
	char *start;
	int huge; /* what it maps anew is of huge pages */
	/* Changes the part of its pages from at; tells what was wrong, or NULL. */
	const char *(*step)(struct mutator *mutator);
	size_t at, count;
	uint64_t made[MUTATOR_PAGES]; /* 0: the page is all zeros; else of this generation */
	uint64_t generation;
	uint64_t seed;
	const char *wrong;
	char message[128];
	unsigned long refused; /* mremap(2) that had to be repeated */
	atomic_int stop;
	atomic_ulong rounds;
	atomic_ulong batches; /* that have ended: the test counts them, until it sets stop */
	pthread_t thread;
};

/* Fill in start, huge and step first, the rest is 0. */
void mutator_start(struct mutator *mutator);
/* Ends it and asserts that nothing was wrong, then or now. */
void mutator_end(struct mutator *mutator);
/* Asserts that every byte is as it was left. */
void mutator_check(struct mutator *mutator);

/* For the steps. Any number below the limit; the place of the part. */
size_t mutator_any(struct mutator *mutator, size_t limit);
char *mutator_part(const struct mutator *mutator);
/* Writes every byte of the part, which lies at `place` now. */
void mutator_fill(struct mutator *mutator, char *place);
/* Reads every byte of it; zeros may be: pages may have become all zeros. What was wrong, or NULL. */
const char *mutator_look(struct mutator *mutator, const char *place, int zeros_may_be);
/* The part is all zeros from now on. */
void mutator_zeros(struct mutator *mutator);
/* What is to be told of a call that has failed, with errno. */
const char *mutator_failed(struct mutator *mutator, const char *call);

const char *step_munmap(struct mutator *mutator);
const char *step_munmap_mmap(struct mutator *mutator);
const char *step_remap(struct mutator *mutator);
const char *step_dontunmap(struct mutator *mutator);
const char *step_grow_locked(struct mutator *mutator);
const char *step_grow_over(struct mutator *mutator);
const char *step_resize(struct mutator *mutator);
const char *step_dontneed(struct mutator *mutator);
const char *step_free(struct mutator *mutator);
const char *step_pageout(struct mutator *mutator);
const char *step_protect(struct mutator *mutator);
const char *step_mlock(struct mutator *mutator);
const char *step_mlockall(struct mutator *mutator);
const char *step_hugepage(struct mutator *mutator);
const char *step_guard(struct mutator *mutator); /* does nothing before Linux 6.13 */
const char *step_dontfork(struct mutator *mutator);

#endif
