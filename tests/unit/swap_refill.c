/* SPDX-License-Identifier: MIT */
/* swap_refill.c - a pool on the real kernel whose pages go one way, and the keeper that refills it. */
#include "refill.h"

#include <errno.h>
#include <numa.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "pagemap.h"
#include "unit.h"

#define PAGE ((uint64_t)4096)
#define HUGE (UINT64_C(2) << 20) /* also a slab of base pages */
#define MS   UINT64_C(1000000)

#define POPULATE 23 /* MADV_POPULATE_WRITE */

/* Of a test that failed it stays: the keeper may be at work. */
static struct bm_pool *pool;
static struct bm_sys sys;
static struct bm_uffd_wish wish = {&sys, PAGE, HUGE, 0};
static atomic_int no_memory, populated;

static int f_madvise(uint64_t addr, size_t length, int advice)
{
	if (advice == POPULATE) {
		atomic_fetch_add(&populated, 1);
		if (atomic_load(&no_memory))
			return -ENOMEM;
	}
	return bm_sys_linux.madvise(addr, length, advice);
}

static int usable(void)
{
	return sysconf(_SC_PAGESIZE) == (long)PAGE && bm_uffd_probe(&wish) == 0;
}

#define NEED_USABLE()                                                                  \
	do {                                                                           \
		sys = bm_sys_linux;                                                    \
		sys.madvise = f_madvise;                                               \
		if (!usable())                                                         \
			skip_test("no userfaultfd with UFFDIO_MOVE for this process"); \
	} while (0)

static void begin(int refills, uint64_t most, uint64_t idle_ns)
{
	struct bm_slab_env env = {.sys = &sys,
				  .page_size = PAGE,
				  .huge_size = HUGE,
				  .pagemap = bm_pagemap_open(&sys, 0),
				  .many_nodes = numa_max_node() > 0};

	ck_assert_int_ge(env.pagemap, 0);
	pool = calloc(1, sizeof(*pool));
	ck_assert_ptr_nonnull(pool);
	pool->refills = refills;
	pool->most = most;
	pool->idle_ns = idle_ns;
	atomic_store(&no_memory, 0);
	ck_assert_int_eq(bm_pool_init(pool, &env), 0);
}

static void end(void)
{
	bm_keeper_end(pool);
	bm_pool_end(pool);
	sys.close(pool->env.pagemap);
	bm_uffd_quiesce(&sys);
	free(pool);
}

/* As many pages as a slab has leave the pool for good. */
static void use_up(int huge)
{
	struct bm_pool_wish slab_wish = {.lane = {0, (unsigned char)huge, 0},
					 .pages = huge ? 1 : BM_SLAB_PAGES};
	struct bm_slab *slab;
	uint64_t signals;
	int error;

	ck_assert_int_eq(bm_uffd_enter(&wish, &slab_wish.uffd, &signals), 0);
	slab = bm_pool_take(pool, &slab_wish, &error);
	if (slab) {
		bm_slab_release(&pool->env, slab);
		bm_pool_give(pool, slab);
	}
	bm_uffd_leave(&sys, &signals);
	ck_assert_ptr_nonnull(slab);
}

static uint64_t populated_now(void)
{
	uint64_t bytes;

	pthread_mutex_lock(&pool->lock);
	bytes = pool->nodes[0].populated;
	pthread_mutex_unlock(&pool->lock);
	return bytes;
}

/* One that lacks so much; returns the bytes for which it had to wait. */
static uint64_t batch(int huge, int slabs)
{
	uint64_t before = populated_now(), lacked;

	bm_refill_begin(pool);
	for (int i = 0; i < slabs; i++)
		use_up(huge);
	lacked = populated_now() - before;
	bm_refill_end(pool);
	bm_keeper_wake(pool);
	return lacked;
}

static int state_of_keeper(void)
{
	int runs;

	pthread_mutex_lock(&pool->lock);
	runs = pool->keeper_runs;
	pthread_mutex_unlock(&pool->lock);
	return runs;
}

/* At most five seconds. */
static uint64_t await_ready(int huge, uint64_t bytes)
{
	for (int i = 0; i < 5000 && bm_pool_ready(pool, 0, huge) != bytes; i++)
		usleep(1000);
	return bm_pool_ready(pool, 0, huge);
}

static void await_end(void)
{
	for (int i = 0; i < 5000 && state_of_keeper() == 1; i++)
		usleep(1000);
	ck_assert_int_ne(state_of_keeper(), 1);
}

static void refill(int huge)
{
	begin(1, 32 * HUGE, 0);
	ck_assert_uint_eq(batch(huge, 4), 4 * HUGE);
	for (int round = 0; round < 3; round++) {
		ck_assert_uint_eq(await_ready(huge, 4 * HUGE), 4 * HUGE);
		await_end();
		ck_assert_uint_eq(populated_now(), (unsigned)(round + 2) * 4 * HUGE);
		/* The next one waits for nothing, and leaves the pool to be refilled. */
		ck_assert_uint_eq(batch(huge, 4), 0);
	}
	/* A larger one has to wait for what is more. */
	ck_assert_uint_eq(await_ready(huge, 4 * HUGE), 4 * HUGE);
	ck_assert_uint_eq(batch(huge, 6), 2 * HUGE);
	ck_assert_uint_eq(await_ready(huge, 6 * HUGE), 6 * HUGE);
	ck_assert_uint_eq(bm_pool_ready(pool, 0, !huge), 0);
	end();
}

START_TEST(what_was_lacking)
{
	NEED_USABLE();
	refill(0);
	refill(1);
}
END_TEST

START_TEST(not_when_not_asked)
{
	NEED_USABLE();
	begin(0, 32 * HUGE, 0);
	ck_assert_uint_eq(batch(0, 4), 4 * HUGE);
	usleep(200000);
	ck_assert_int_eq(state_of_keeper(), 0);
	ck_assert_uint_eq(bm_pool_ready(pool, 0, 0), 0);
	ck_assert_uint_eq(batch(0, 4), 4 * HUGE);
	end();
}
END_TEST

START_TEST(no_more_than_is_kept)
{
	NEED_USABLE();
	begin(1, 3 * HUGE, 0);
	batch(0, 8);
	ck_assert_uint_eq(await_ready(0, 3 * HUGE), 3 * HUGE);
	await_end();
	ck_assert_uint_eq(bm_pool_ready(pool, 0, 0), 3 * HUGE);
	end();
}
END_TEST

/* What is idle is given back, and stays so until the next batch that lacks some. */
START_TEST(idle_again)
{
	uint64_t bytes;

	NEED_USABLE();
	begin(1, 32 * HUGE, 100 * MS);
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(batch(0, 4), 4 * HUGE);
		ck_assert_uint_eq(await_ready(0, 4 * HUGE), 4 * HUGE);
		bytes = populated_now();
		ck_assert_uint_eq(await_ready(0, 0), 0);
		await_end();
		usleep(250000);
		ck_assert_uint_eq(bm_pool_ready(pool, 0, 0), 0);
		ck_assert_uint_eq(populated_now(), bytes);
	}
	end();
}
END_TEST

/* It is tried once, not again and again. */
START_TEST(no_memory_for_it)
{
	NEED_USABLE();
	begin(1, 32 * HUGE, 0);
	bm_refill_begin(pool);
	for (int i = 0; i < 4; i++)
		use_up(0);
	atomic_store(&no_memory, 1);
	atomic_store(&populated, 0);
	bm_refill_end(pool);
	bm_keeper_wake(pool);
	await_end();
	ck_assert_int_eq(atomic_load(&populated), 1);
	ck_assert_uint_eq(bm_pool_ready(pool, 0, 0), 0);
	atomic_store(&no_memory, 0);
	ck_assert_uint_eq(batch(0, 4), 4 * HUGE);
	ck_assert_uint_eq(await_ready(0, 4 * HUGE), 4 * HUGE);
	end();
}
END_TEST

/* Each of these waits for a slab at most, not for the whole of it. */
START_TEST(ends_in_the_middle)
{
	NEED_USABLE();
	begin(1, 64 * HUGE, 0);
	batch(0, 64);
	bm_uffd_quiesce(&sys);
	await_end();
	ck_assert_uint_eq(bm_pool_ready(pool, 0, 0), 0);
	batch(0, 64);
	end();
}
END_TEST

START_TEST(forks_in_the_middle)
{
	NEED_USABLE();
	begin(1, 64 * HUGE, 0);
	batch(0, 64);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(await_ready(0, 64 * HUGE), 64 * HUGE);
	end();
}
END_TEST

static const TTest *const *const tests[] = {
	&what_was_lacking, &not_when_not_asked, &no_more_than_is_kept, &idle_again,
	&no_memory_for_it, &ends_in_the_middle, &forks_in_the_middle,  NULL};
const struct report_group swap_refill_group = {"swap_refill", tests};
