/* SPDX-License-Identifier: MIT */
/* queue.c - one list and one lock; what is decided here is rare beside what runs. */
#include "queue.h"

#include <errno.h>

#include "turns.h"

/* Starting a thread costs 20 us, waking one 5: a code that submits often keeps it. */
#define LINGER_US 200000
/* Those that work, and some more whose callbacks take long. */
#define THREADS_MOST (3u * BM_TURNS_AT_ONCE + 20u)

/* On the stack of a thread while it calls back. */
struct bm_runner {
	struct bm_runner *next;
	pthread_t thread;
};

void bm_queue_init(struct bm_queue *queue, const struct bm_sys *sys)
{
	queue->sys = sys;
	pthread_mutex_init(&queue->lock, NULL);
}

void bm_queue_end(struct bm_queue *queue)
{
	pthread_mutex_destroy(&queue->lock);
}

/* With the lock. */
static int is_callback(const struct bm_queue *queue)
{
	const struct bm_runner *runner = queue->runners;

	while (runner && !pthread_equal(runner->thread, pthread_self()))
		runner = runner->next;
	return runner != NULL;
}

static void tell_change(struct bm_queue *queue)
{
	atomic_fetch_add(&queue->changes, 1);
	queue->sys->futex_wake(&queue->changes);
}

/* ---------------------------------------------------------------- threads */

static void call_back(struct bm_queue *queue, struct bm_task *task)
{
	struct bm_runner here = {.thread = pthread_self()}, **at;
	unsigned int returns = task->tells_nobody != 0;

	here.next = queue->runners;
	queue->runners = &here;
	queue->returning += returns;
	pthread_mutex_unlock(&queue->lock);
	task->tell(task);
	pthread_mutex_lock(&queue->lock);
	queue->returning -= returns;
	for (at = &queue->runners; *at != &here;)
		at = &(*at)->next;
	*at = here.next;
	queue->untold--;
	tell_change(queue);
}

static void end(struct bm_queue *queue, struct bm_task *task)
{
	bm_turns_leave(queue, task);
	task->ns_ended = queue->sys->now_ns();
	/* Its owner, and who waits to work on what it was about, may go on from here. */
	atomic_store(&task->state, BM_TASK_ENDED);
	queue->sys->futex_wake(&task->state);
	bm_turns_hold(queue);
	tell_change(queue);
}

static void *runner_main(void *arg);

/* With the lock, where a task can run: sees that a thread takes it. */
static void summon(struct bm_queue *queue)
{
	pthread_t thread;

	if (queue->idle > 0) {
		/* All of them; who finds nothing goes back. */
		atomic_fetch_add(&queue->work, 1);
		queue->sys->futex_wake(&queue->work);
		return;
	}
	/*
	 * Who waits for each batch submits the next one before the thread of the last one is back.
	 * If that had one started, too, there would be more and more, and each task wakes all.
	 */
	if (queue->returning > 0 || queue->threads >= THREADS_MOST)
		return;
	queue->threads += queue->sys->thread_start(&thread, runner_main, queue) == 0;
}

static void run(struct bm_queue *queue, struct bm_task *task)
{
	task->ns_begun = queue->sys->now_ns();
	atomic_store(&task->state, BM_TASK_RUNS);
	bm_turns_hold(queue);
	if (bm_turns_next(queue))
		summon(queue);
	pthread_mutex_unlock(&queue->lock);
	task->run(task);
	pthread_mutex_lock(&queue->lock);
	end(queue, task);
	if (bm_turns_next(queue))
		summon(queue);
	call_back(queue, task);
}

/* 1 when there was nothing to do for so long that the thread may end. */
static int linger(struct bm_queue *queue)
{
	uint32_t seen = atomic_load(&queue->work);
	int rc;

	queue->idle++;
	pthread_mutex_unlock(&queue->lock);
	rc = queue->sys->futex_wait(&queue->work, seen, LINGER_US);
	pthread_mutex_lock(&queue->lock);
	queue->idle--;
	return rc == -ETIMEDOUT;
}

/*
 * Who has nothing left to do goes alone: nobody may ever close the queue. At
 * the close each joins the one that has left before it, bm_queue_close() the last.
 */
static void leave(struct bm_queue *queue)
{
	pthread_t before = queue->gone;
	int joins = queue->closed && queue->has_gone;

	if (queue->closed) {
		queue->gone = pthread_self();
		queue->has_gone = 1;
	} else {
		pthread_detach(pthread_self());
	}
	queue->threads--;
	tell_change(queue);
	pthread_mutex_unlock(&queue->lock);
	if (joins)
		pthread_join(before, NULL);
}

static void *runner_main(void *arg)
{
	struct bm_queue *queue = arg;
	int over = 0;

	pthread_setname_np(pthread_self(), "batchmig-batch");
	pthread_mutex_lock(&queue->lock);
	for (;;) {
		struct bm_task *task = bm_turns_next(queue);

		if (task)
			run(queue, task);
		else if (queue->closed || over)
			break;
		over = !task && linger(queue);
	}
	leave(queue);
	return NULL;
}

/* ---------------------------------------------------------------- callers */

int bm_queue_submit(struct bm_queue *queue, struct bm_task *task)
{
	int rc = 0;

	task->ns_submitted = queue->sys->now_ns();
	pthread_mutex_lock(&queue->lock);
	if (queue->closed) {
		rc = -ESHUTDOWN;
	} else {
		queue->submitted++;
		bm_turns_enter(queue, task);
		if (bm_turns_next(queue))
			summon(queue);
		/* Otherwise there is a thread, and it comes back. */
		if (queue->threads == 0) {
			bm_turns_leave(queue, task);
			rc = -EAGAIN;
		}
	}
	queue->untold += rc == 0;
	pthread_mutex_unlock(&queue->lock);
	return rc;
}

static int calls_back(struct bm_queue *queue)
{
	int is;

	pthread_mutex_lock(&queue->lock);
	is = is_callback(queue);
	pthread_mutex_unlock(&queue->lock);
	return is;
}

int bm_queue_wait(struct bm_queue *queue, struct bm_task *task, int64_t timeout_us)
{
	uint64_t begin = queue->sys->now_ns(), passed = 0;
	uint32_t state = atomic_load(&task->state);

	if (state != BM_TASK_ENDED && timeout_us != 0 && calls_back(queue))
		return -EDEADLK;
	while (state != BM_TASK_ENDED) {
		if (timeout_us >= 0 && passed >= (uint64_t)timeout_us)
			return -ETIMEDOUT;
		queue->sys->futex_wait(&task->state, state,
				       timeout_us < 0 ? -1 : timeout_us - (int64_t)passed);
		passed = (queue->sys->now_ns() - begin) / 1000;
		state = atomic_load(&task->state);
	}
	return 0;
}

int bm_queue_is_empty(struct bm_queue *queue)
{
	int is;

	pthread_mutex_lock(&queue->lock);
	is = queue->first == NULL;
	pthread_mutex_unlock(&queue->lock);
	return is;
}

int bm_queue_wait_for(struct bm_queue *queue, const struct bm_footprint *footprint)
{
	uint64_t last;
	int rc = 0;

	pthread_mutex_lock(&queue->lock);
	for (last = queue->submitted; rc == 0 && bm_turns_meets(queue, footprint, last);) {
		uint32_t seen = atomic_load(&queue->changes);

		if (is_callback(queue)) {
			rc = -EDEADLK;
			break;
		}
		pthread_mutex_unlock(&queue->lock);
		queue->sys->futex_wait(&queue->changes, seen, -1);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return rc;
}

void bm_queue_times(struct bm_queue *queue, const struct bm_task *task, struct bm_task_times *times)
{
	uint64_t now = queue->sys->now_ns();

	pthread_mutex_lock(&queue->lock);
	times->state = atomic_load(&task->state);
	times->ns_queued =
		(times->state == BM_TASK_QUEUED ? now : task->ns_begun) - task->ns_submitted;
	times->ns_running = 0;
	if (times->state == BM_TASK_ENDED)
		times->ns_running = task->ns_ended - task->ns_begun;
	else if (times->state == BM_TASK_RUNS && now > task->ns_begun)
		times->ns_running = now - task->ns_begun;
	pthread_mutex_unlock(&queue->lock);
}

void bm_queue_cancel(struct bm_queue *queue, struct bm_task *task)
{
	bm_pace_cancel(task->pace);
	pthread_mutex_lock(&queue->lock);
	if (atomic_load(&task->state) == BM_TASK_QUEUED)
		summon(queue);
	pthread_mutex_unlock(&queue->lock);
}

/* With the lock, which is let go meanwhile. */
static void wait_for_all(struct bm_queue *queue)
{
	while (queue->untold > 0 || queue->threads > 0) {
		uint32_t seen = atomic_load(&queue->changes);

		/* Those that linger. */
		atomic_fetch_add(&queue->work, 1);
		queue->sys->futex_wake(&queue->work);
		pthread_mutex_unlock(&queue->lock);
		queue->sys->futex_wait(&queue->changes, seen, -1);
		pthread_mutex_lock(&queue->lock);
	}
}

int bm_queue_close(struct bm_queue *queue)
{
	int rc;

	pthread_mutex_lock(&queue->lock);
	rc = is_callback(queue) ? -EDEADLK : 0;
	if (rc == 0) {
		queue->closed = 1;
		wait_for_all(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	if (rc == 0 && queue->has_gone)
		pthread_join(queue->gone, NULL);
	return rc;
}
