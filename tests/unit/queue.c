/* SPDX-License-Identifier: MIT */
/* queue.c - how many threads work off what is submitted: no more than can be of use. */
#include "queue.h"

#include <stdlib.h>
#include <unistd.h>

#include "fake.h"
#include "unit.h"

#define REGION  UINT64_C(0x200000)
#define TASKS   4
#define SECONDS INT64_C(20000000) /* in microseconds; of a task that nothing holds up */

/* On the heap, anew each time: threads of a test that has failed may still use theirs. */
static struct bm_queue *queue;
static struct bm_pace pace;
static struct bm_sys counting_sys;
static atomic_uint starts;
static struct scene {
	struct bm_task task; /* first */
	atomic_int told, stays;
	struct scene *meets; /* runs until that one runs, too */
	atomic_int missed;
} * scenes;

static int count_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	atomic_fetch_add(&starts, 1);
	return bm_sys_linux.thread_start(thread, run, arg);
}

static void run(struct bm_task *task)
{
	struct scene *scene = (struct scene *)(void *)task;

	for (int i = 0; scene->meets && i < 10000; i++) {
		if (atomic_load(&scene->meets->task.state) != BM_TASK_QUEUED)
			return;
		usleep(1000);
	}
	atomic_store(&scene->missed, scene->meets != NULL);
}

/* As a thread that is not given the CPU here, or a callback of the caller. */
static void tell(struct bm_task *task)
{
	struct scene *scene = (struct scene *)(void *)task;

	atomic_store(&scene->told, 1);
	while (atomic_load(&scene->stays))
		usleep(1000);
}

static void submit(struct scene *scene, int tells_nobody)
{
	void *page = (void *)(uintptr_t)(REGION * (uint64_t)(scene - scenes + 1));
	struct bm_request request = {.count = 1, .pages = &page};

	scene->task.run = run;
	scene->task.tell = tell;
	scene->task.tells_nobody = tells_nobody;
	scene->task.pace = &pace;
	bm_footprint_take(&scene->task.footprint, &request, REGION);
	ck_assert_int_eq(bm_queue_submit(queue, &scene->task), 0);
}

/* With one task that has ended, and whose thread is not back yet. */
static void begin(int tells_nobody)
{
	queue = calloc(1, sizeof(*queue));
	scenes = calloc(TASKS, sizeof(*scenes));
	ck_assert(queue && scenes);
	counting_sys = bm_sys_linux;
	counting_sys.thread_start = count_start;
	pace.sys = &counting_sys;
	atomic_store(&starts, 0);
	bm_queue_init(queue, &counting_sys);
	atomic_store(&scenes[0].stays, 1);
	submit(&scenes[0], tells_nobody);
	ck_assert_int_eq(bm_queue_wait(queue, &scenes[0].task, SECONDS), 0);
	while (!atomic_load(&scenes[0].told))
		usleep(1000);
}

static void close_queue(void)
{
	ck_assert_int_eq(bm_queue_close(queue), 0);
	ck_assert_uint_eq(queue->threads, 0);
	bm_queue_end(queue);
	free(queue);
	free(scenes);
}

/* One batch after the other, each waited for: otherwise threads would add up while they come. */
START_TEST(one_after_the_other)
{
	begin(1);
	for (size_t i = 1; i < TASKS; i++) {
		atomic_store(&scenes[i].stays, 1);
		submit(&scenes[i], 1);
		ck_assert_uint_eq(atomic_load(&starts), 1);
		atomic_store(&scenes[i - 1].stays, 0);
		ck_assert_int_eq(bm_queue_wait(queue, &scenes[i].task, SECONDS), 0);
	}
	atomic_store(&scenes[TASKS - 1].stays, 0);
	close_queue();
	ck_assert_uint_eq(atomic_load(&starts), 1);
}
END_TEST

/* What one thread cannot do at once gets more, as soon as it is back. */
START_TEST(two_at_once)
{
	begin(1);
	scenes[1].meets = &scenes[2];
	scenes[2].meets = &scenes[1];
	submit(&scenes[1], 1);
	submit(&scenes[2], 1);
	ck_assert_uint_eq(atomic_load(&starts), 1);
	atomic_store(&scenes[0].stays, 0);
	for (size_t i = 1; i < 3; i++) {
		ck_assert_int_eq(bm_queue_wait(queue, &scenes[i].task, SECONDS), 0);
		ck_assert(!atomic_load(&scenes[i].missed));
	}
	ck_assert_uint_eq(atomic_load(&starts), 2);
	close_queue();
}
END_TEST

/* A callback lasts as long as it likes, and a batch that is submitted then waits for none. */
START_TEST(beside_a_callback)
{
	begin(0);
	submit(&scenes[1], 1);
	ck_assert_int_eq(bm_queue_wait(queue, &scenes[1].task, SECONDS), 0);
	ck_assert_uint_eq(atomic_load(&starts), 2);
	atomic_store(&scenes[0].stays, 0);
	close_queue();
}
END_TEST

/* What is cancelled before its turn ends, also when the one thread is on its way only. */
START_TEST(cancelled_meanwhile)
{
	begin(1);
	submit(&scenes[1], 1);
	bm_queue_cancel(queue, &scenes[1].task);
	ck_assert_uint_eq(atomic_load(&starts), 1);
	atomic_store(&scenes[0].stays, 0);
	ck_assert_int_eq(bm_queue_wait(queue, &scenes[1].task, SECONDS), 0);
	close_queue();
}
END_TEST

static const TTest *const *const tests[] = {&one_after_the_other, &two_at_once, &beside_a_callback,
					    &cancelled_meanwhile, NULL};
const struct report_group queue_group = {"queue", tests};
