/* SPDX-License-Identifier: MIT */
/*
 * swap_load.h - one thread migrates a range with the mover swap again and
 * again while the test does something to it; what must hold of both.
 */
#ifndef KERNEL_SWAP_LOAD_H
#define KERNEL_SWAP_LOAD_H

#include "swap_support.h"

/*
 * A range and the thread that migrates it. The first half is the test's; the
 * second half is filled at the start and every byte of it compared at the end.
 */
struct load {
	struct swapper swapper;
	struct area area;
	int allowed; /* an errno that a page or a batch may have; pages EBUSY and EACCES anyway */
	pthread_t thread;
	int running;
	atomic_int stop;
	atomic_ulong rounds;
	uint64_t reasons[BM_REASON_SLOTS]; /* sums of all rounds */
	char why[160];                     /* what was wrong first */
};

/* A context of its own and memory of base pages on nodes[0], filled with load_seed. */
void load_new(struct load *load, size_t count);
void load_free(struct load *load);
#define LOAD_SEED 77u

/* Bytes of the half that belongs to the test. */
size_t load_half(const struct load *load);
/* Writes the second half anew, the same bytes: what a child shared is its own again. */
void load_refill(struct load *load);

void load_start(struct load *load);
/* Waits until so many more rounds are done. */
void load_await(struct load *load, unsigned long rounds);
/* Ends the thread, if it runs. */
void load_join(struct load *load);
/*
 * After the thread has ended: asserts that it has been running, that statuses,
 * reasons and reports fitted each other in each round and are true in a last
 * one, and that the bytes of the second half are right.
 */
void load_check(struct load *load);
/* Both, and asserts that pages were swapped, or the reason told why not. */
void load_end(struct load *load);

/* Bytes that belong to their address and to the seed; length a multiple of 8. */
void fill(void *memory, size_t length, uint64_t seed);
size_t wrong_words(const void *memory, size_t length, uint64_t seed);
/* Of memory that was filled, and whose words writers may have counted up since. */
size_t lost_words(const void *memory, size_t length, uint64_t seed);

/*
 * As in_child(), but the body may assert: a failure is a line on standard
 * error and the status 99. A child that hangs is ended by SIGALRM.
 */
pid_t asserting_child(int (*body)(void *arg), void *arg);
int in_asserting_child(int (*body)(void *arg), void *arg);
/*
 * In a child: ends it after so many seconds. Check's own handler of SIGALRM,
 * which children inherit, would kill the whole process group.
 */
void limit_child(unsigned int seconds);
/* Waits for a child; its status as in_child() gives it. */
int await_child(pid_t pid);
/*
 * The same in a child of raw clone(2), -1: it cannot be waited for. An assertion
 * takes a lock of Check, which there may be one that no thread will ever give back.
 */
int end_of_child(pid_t pid);

#endif
