/* SPDX-License-Identifier: MIT */
/* keeper.c - sleeps for as long as pages may be idle, shrinks the pool, ends when it is empty. */
#include "keeper.h"

#include <errno.h>

enum { NONE, RUNS, ENDED };

static int is_empty(struct bm_pool *pool)
{
	uint64_t kept = 0;

	for (size_t i = 0; i < BM_NODES_MAX; i++)
		kept += pool->nodes[i].used ? pool->nodes[i].kept : 0;
	return kept == 0;
}

/* 0 when there is nothing left to do; then it counts as ended. */
static int goes_on(struct bm_pool *pool)
{
	int more;

	pthread_mutex_lock(&pool->lock);
	more = !pool->keeper_stops && !is_empty(pool);
	if (!more)
		pool->keeper_runs = ENDED;
	pthread_mutex_unlock(&pool->lock);
	return more;
}

static void *keeper_main(void *arg)
{
	struct bm_pool *pool = arg;
	const struct bm_sys *sys = pool->env.sys;

	pthread_setname_np(pthread_self(), "batchmig-keeper");
	for (;;) {
		/* In this order: who ends it sets the flag, then counts. */
		uint32_t seen = atomic_load(&pool->keeper_word);
		uint64_t signals;

		if (!goes_on(pool))
			return NULL;
		sys->futex_wait(&pool->keeper_word, seen, (int64_t)(pool->idle_ns / 1000));
		if (bm_uffd_visit(sys, &signals)) {
			bm_pool_shrink(pool, pool->idle_ns);
			bm_uffd_leave(sys, &signals);
		}
	}
}

void bm_keeper_wake(struct bm_pool *pool)
{
	if (pool->idle_ns == 0)
		return;
	pthread_mutex_lock(&pool->lock);
	if (pool->keeper_runs == ENDED) {
		pthread_join(pool->keeper, NULL);
		pool->keeper_runs = NONE;
	}
	if (pool->keeper_runs != RUNS && !pool->keeper_stops && !is_empty(pool))
		pool->keeper_runs =
			pool->env.sys->thread_start(&pool->keeper, keeper_main, pool) == 0 ? RUNS
											   : NONE;
	pthread_mutex_unlock(&pool->lock);
}

void bm_keeper_end(struct bm_pool *pool)
{
	int runs;

	pthread_mutex_lock(&pool->lock);
	pool->keeper_stops = 1;
	runs = pool->keeper_runs;
	pthread_mutex_unlock(&pool->lock);
	atomic_fetch_add(&pool->keeper_word, 1);
	pool->env.sys->futex_wake(&pool->keeper_word);
	if (runs != NONE)
		pthread_join(pool->keeper, NULL);
}
