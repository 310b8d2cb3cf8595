/* SPDX-License-Identifier: MIT */
/*
 * shuttle.h - the memory of a process goes to the other node and back, over and
 * over, until it is told to stop: from inside of the process or from outside.
 */
#ifndef BENCH_SHUTTLE_H
#define BENCH_SHUTTLE_H

#include <batchmig.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MOVER_NAME_MAX 32

struct shuttle {
	/* Told. */
	pid_t pid;                  /* 0: this process */
	char mover[MOVER_NAME_MAX]; /* "move_pages", or with a backend "swap/cpu" */
	int from, to;               /* alike: pages get other memory of that node */
	long pool_mb;
	/* Found. */
	const char *failed; /* what did, or NULL */
	long error;         /* of it: -errno */
	uint64_t batches, bytes_moved, bytes_swapped;
	double seconds; /* in which they were moved */
	uint64_t reasons[BM_REASON_SLOTS];

	/* Its own. */
	pthread_t thread;
	sem_t ready;
	atomic_int stop;
};

/*
 * A thread of its own, and one trip there and back before anything counts: what first
 * use costs is no load's to feel. 0, or an errno: EINTR when a signal came before the
 * end of that trip.
 */
int shuttle_start(struct shuttle *shuttle);
/* Afterwards the memory is on the first node, and the pool is empty. */
void shuttle_stop(struct shuttle *shuttle);
/* " name=pages" for each reason why a page that is there did not move as asked. */
void shuttle_reasons(const struct shuttle *shuttle, char *text, size_t size);

#endif
