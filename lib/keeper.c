/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - refills what is wanted, sleeps for as long as pages may be idle,
 * shrinks the pool, ends when there is nothing left to do.
 */
#include "keeper.h"

#include <errno.h>

#include "refill.h"

/* While a fork takes place nobody may visit. */
#define PAUSE_US 1000

static int is_empty(struct bm_pool *pool)
{
	uint64_t kept = 0;

	for (size_t i = 0; i < BM_NODES_MAX; i++)
		kept += pool->nodes[i].used ? pool->nodes[i].kept : 0;
	return kept == 0;
}

/* With the lock of the pool. */
static int has_work(struct bm_pool *pool)
{
	return bm_refill_wanted(pool) || (pool->idle_ns > 0 && !is_empty(pool));
}

/* 0 when there is nothing left to do; the thread then ends, alone if nobody waits for it. */
static int goes_on(struct bm_pool *pool, int *refill)
{
	int more;

	pthread_mutex_lock(&pool->lock);
	more = !pool->keeper_stops && has_work(pool);
	*refill = more && bm_refill_wanted(pool);
	if (!more && !pool->keeper_stops) {
		pool->keeper_runs = 0;
		pthread_detach(pthread_self());
	}
	pthread_mutex_unlock(&pool->lock);
	return more;
}

/* A slab at a time: forks, bm_quiesce() and the end of the pool wait for no more. */
static int refill_some(struct bm_pool *pool)
{
	uint64_t signals;
	struct bm_uffd *uffd = bm_uffd_visit(pool->env.sys, &signals);

	if (!uffd)
		return 0;
	bm_refill_some(pool, uffd);
	bm_uffd_leave(pool->env.sys, &signals);
	return 1;
}

static void shrink(struct bm_pool *pool)
{
	uint64_t signals;

	if (pool->idle_ns == 0 || !bm_uffd_visit(pool->env.sys, &signals))
		return;
	bm_pool_shrink(pool, pool->idle_ns);
	bm_uffd_leave(pool->env.sys, &signals);
}

static void *keeper_main(void *arg)
{
	struct bm_pool *pool = arg;
	const struct bm_sys *sys = pool->env.sys;

	pthread_setname_np(pthread_self(), "batchmig-keeper");
	for (;;) {
		/* In this order: who ends it sets the flag, then counts. */
		uint32_t seen = atomic_load(&pool->keeper_word);
		int refill;

		if (!goes_on(pool, &refill))
			return NULL;
		if (refill && refill_some(pool))
			continue;
		sys->futex_wait(&pool->keeper_word, seen,
				refill ? PAUSE_US : (int64_t)(pool->idle_ns / 1000));
		shrink(pool);
	}
}

static void tell(struct bm_pool *pool)
{
	atomic_fetch_add(&pool->keeper_word, 1);
	pool->env.sys->futex_wake(&pool->keeper_word);
}

void bm_keeper_wake(struct bm_pool *pool)
{
	uint64_t signals;

	if (pool->idle_ns == 0 && !pool->refills)
		return;
	bm_pool_lock(pool, &signals);
	if (!pool->keeper_runs && !pool->keeper_stops && has_work(pool))
		pool->keeper_runs =
			pool->env.sys->thread_start(&pool->keeper, keeper_main, pool) == 0;
	else if (pool->keeper_runs && bm_refill_wanted(pool))
		tell(pool);
	bm_pool_unlock(pool, &signals);
}

void bm_keeper_end(struct bm_pool *pool)
{
	uint64_t signals;
	int runs;

	bm_pool_lock(pool, &signals);
	pool->keeper_stops = 1;
	runs = pool->keeper_runs;
	bm_pool_unlock(pool, &signals);
	tell(pool);
	if (runs)
		pthread_join(pool->keeper, NULL);
}
