/* SPDX-License-Identifier: MIT */
/* swap_forks.c - handlers of the application at a fork, and children that have none. */
#include "swap_load.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#define COUNT 256

static struct load load;

/* A lock of the application, which its handlers take as those of malloc(3) do. */
static pthread_mutex_t application = PTHREAD_MUTEX_INITIALIZER;
static atomic_int armed;

static void take(void)
{
	if (atomic_load(&armed))
		pthread_mutex_lock(&application);
}

static void give(void)
{
	if (atomic_load(&armed))
		pthread_mutex_unlock(&application);
}

/* Before the library has any: then this one is called after its own. */
__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(take, give, give);
}

struct holder {
	pthread_t thread;
	atomic_int stop;
	unsigned long wrong;
};

/* Migrates with the lock. */
static void *hold(void *arg)
{
	struct holder *holder = arg;

	for (int round = 0; !atomic_load(&holder->stop); round++) {
		pthread_mutex_lock(&application);
		holder->wrong += swapper_round(&load.swapper, &load.area, round) < 0;
		pthread_mutex_unlock(&application);
		usleep(100);
	}
	return NULL;
}

/* Who migrates does not wait for the end of a fork: that may wait for it. */
START_TEST(lock_that_a_handler_takes)
{
	struct holder holder = {.stop = 0};
	unsigned int bad = 0;
	pthread_attr_t attr;
	struct area stack;
	struct box box;

	watchdog_start("swap_forks/lock_that_a_handler_takes");
	load_new(&load, COUNT);
	area_new_low(&stack, 1, 0, nodes[0]);
	pthread_attr_init(&attr);
	ck_assert_int_eq(pthread_attr_setstack(&attr, stack.start, stack.length), 0);
	atomic_store(&armed, 1);
	ck_assert_int_eq(pthread_create(&holder.thread, &attr, hold, &holder), 0);
	pthread_attr_destroy(&attr);
	box_start(&box, "the forks");
	while (bad == 0 && box_open(&box)) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		bad += pid < 0 || await_child(pid) != 0;
	}
	pulse_end(box.pulse);
	atomic_store(&holder.stop, 1);
	pthread_join(holder.thread, NULL);
	atomic_store(&armed, 0);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(holder.wrong, 0);
	ck_assert_uint_eq(wrong_words(load.area.start, load.area.length, LOAD_SEED), 0);
	/* Its stack is memory like any other, also when it swapped for the last time in a fork. */
	fill(stack.start, stack.length, LOAD_SEED);
	expect_swapped(&stack);
	ck_assert_uint_eq(wrong_words(stack.start, stack.length, LOAD_SEED), 0);
	watchdog_stop();
	area_free(&stack);
	load_free(&load);
}
END_TEST

/* No handler has run here: the library finds out by itself. 0, or where it went wrong. */
static int use_in_child(struct bm_context *parents)
{
	struct area *area = &load.area;
	struct bm_context *own;

	limit_child(60);
	if (bm_migrate_batch(parents, area->count, area->pages, area->targets, area->status,
			     SWAP_FLAGS) != -ESTALE)
		return 1;
	bm_context_free(parents);
	if (bm_context_new(NULL, &own) != 0)
		return 2;
	fill(area->start, area->length, LOAD_SEED);
	for (int round = 0; round < 3; round++) {
		area_target(area, node_of_round(round));
		if (bm_migrate_batch(own, area->count, area->pages, area->targets, area->status,
				     SWAP_FLAGS) != 0)
			return 3;
	}
	if (wrong_words(area->start, area->length, LOAD_SEED) != 0)
		return 4;
	bm_context_free(own);
	return bm_quiesce() == 0 ? 0 : 5;
}

START_TEST(child_of_a_raw_clone)
{
	load_new(&load, COUNT);
	for (int i = 0; i < 5; i++) {
		pid_t pid;

		ck_assert_int_ge(swapper_round(&load.swapper, &load.area, i), 0);
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0ul, 0ul, 0ul, 0ul);
		if (pid == 0)
			syscall(SYS_exit_group, use_in_child(load.swapper.context));
		ck_assert_int_eq(await_child(pid), 0);
		fill(load.area.start, load.area.length, LOAD_SEED);
	}
	check_any_swapped(&load.swapper);
	load_free(&load);
}
END_TEST

static const TTest *const *const tests[] = {&lock_that_a_handler_takes, &child_of_a_raw_clone,
					    NULL};
const struct report_group swap_forks_group = {"swap_forks", tests};
