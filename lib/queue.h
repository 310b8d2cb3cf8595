/* SPDX-License-Identifier: MIT */
/*
 * queue.h - the batches in flight of a context: which one is next, and the
 * threads that work them off.
 *
 * A task is a batch as far as its turn goes. Its life:
 *
 *      queued ── runs ── ended ── told (the callback has returned)
 *
 * Tasks whose footprints meet run in the order of their submission. Of each
 * priority only so many run at once; of lower ones than the highest that runs
 * all are held.
 */
#ifndef BM_QUEUE_H
#define BM_QUEUE_H

#include "footprint.h"
#include "pace.h"

enum bm_task_state { BM_TASK_QUEUED, BM_TASK_RUNS, BM_TASK_ENDED };

struct bm_task {
	struct bm_task *earlier, *later; /* of those that have not ended */
	struct bm_footprint footprint;
	struct bm_pace *pace;
	int own_priority;      /* enum bm_priority, as it was asked for */
	int priority;          /* lifted to that of who waits for it */
	unsigned int blockers; /* earlier ones whose footprint meets its own */
	unsigned int lift;     /* the last lift that has met it */
	uint64_t number;       /* of its submission */
	uint64_t ns_submitted, ns_begun, ns_ended;
	_Atomic uint32_t state; /* enum bm_task_state; a futex */
	/* Both in a thread of the queue. The second may free the task. */
	void (*run)(struct bm_task *task);
	void (*tell)(struct bm_task *task);
	int tells_nobody; /* the second comes back at once: it waits for nothing of the caller */
};

struct bm_runner;

struct bm_queue {
	const struct bm_sys *sys;
	pthread_mutex_t lock; /* of all but the futexes */
	struct bm_task *first, *last;
	struct bm_runner *runners; /* those that call back */
	unsigned int threads, idle;
	unsigned int returning; /* threads about to look for a task, whose last one tells nobody */
	pthread_t gone;         /* the last one that the close has ended, not joined yet */
	int has_gone;
	unsigned int untold; /* tasks that were submitted and are not told */
	unsigned int lifts;
	uint64_t submitted; /* so far */
	int closed;
	bm_futex work;    /* counts what threads without a task wait for */
	bm_futex changes; /* counts tasks that have ended or were told */
};

/* @queue is zeroed. */
void bm_queue_init(struct bm_queue *queue, const struct bm_sys *sys);
void bm_queue_end(struct bm_queue *queue);

/* 0; -EAGAIN no thread can be had; -ESHUTDOWN closed. */
int bm_queue_submit(struct bm_queue *queue, struct bm_task *task);

/* Waits: 0; -ETIMEDOUT; -EDEADLK in a callback. @timeout_us: -1 without limit. */
int bm_queue_wait(struct bm_queue *queue, struct bm_task *task, int64_t timeout_us);

/* Waits for all tasks that were submitted and meet the footprint: 0 or -EDEADLK. */
int bm_queue_wait_for(struct bm_queue *queue, const struct bm_footprint *footprint);

/* 1 when no task is in flight: then nothing need be waited for. */
int bm_queue_is_empty(struct bm_queue *queue);

/* How far a task is, and for how long; nanoseconds. */
struct bm_task_times {
	uint32_t state;
	uint64_t ns_queued, ns_running;
};
void bm_queue_times(struct bm_queue *queue, const struct bm_task *task,
		    struct bm_task_times *times);

/* What was cancelled need not wait for its turn. */
void bm_queue_cancel(struct bm_queue *queue, struct bm_task *task);

/* Takes no more, and waits until all tasks were told and all threads have ended: 0 or -EDEADLK. */
int bm_queue_close(struct bm_queue *queue);

#endif
