/* SPDX-License-Identifier: MIT */
/* refill.c - how much is wanted of each node and kind, and a slab of it. */
#include "refill.h"

#include <errno.h>

/* Of its own where not all are taken: populating does not hold up a thread that migrates. */
#define SEAT (BM_SEATS - 1)

static uint64_t ready_of(const struct bm_pool_node *node, int huge)
{
	return huge ? node->huge : node->base;
}

void bm_refill_begin(struct bm_pool *pool)
{
	uint64_t signals;

	if (!pool->refills)
		return;
	bm_pool_lock(pool, &signals);
	for (size_t i = 0; i < BM_NODES_MAX && pool->batches == 0; i++) {
		struct bm_pool_node *node = &pool->nodes[i];

		for (int huge = 0; huge < 2; huge++)
			node->want[huge].begin = ready_of(node, huge);
	}
	pool->batches++;
	bm_pool_unlock(pool, &signals);
}

void bm_refill_end(struct bm_pool *pool)
{
	uint64_t signals;

	if (!pool->refills)
		return;
	bm_pool_lock(pool, &signals);
	pool->batches--;
	for (size_t i = 0; i < BM_NODES_MAX; i++) {
		for (int huge = 0; huge < 2; huge++) {
			struct bm_pool_want *want = &pool->nodes[i].want[huge];
			uint64_t ready = want->begin + want->lacked;

			if (want->lacked && ready > want->ready)
				want->ready = ready;
			want->lacked = 0;
		}
	}
	bm_pool_unlock(pool, &signals);
}

/* A node and a kind of which there is less than wanted; as much of it as a slab takes. */
static int find(const struct bm_pool *pool, struct bm_pool_wish *wish)
{
	for (size_t i = 0; i < BM_NODES_MAX; i++) {
		const struct bm_pool_node *node = &pool->nodes[i];

		for (int huge = 0; huge < 2; huge++) {
			uint64_t ready = ready_of(node, huge), want = node->want[huge].ready;
			uint64_t size = huge ? pool->env.huge_size : pool->env.page_size;

			if (want < ready + size)
				continue;
			wish->node = (int)i;
			wish->lane = (struct bm_lane){SEAT, (unsigned char)huge, 0};
			wish->pages = 1;
			if (!huge)
				wish->pages = want - ready < BM_SLAB_PAGES * size
						      ? (uint32_t)((want - ready) / size)
						      : BM_SLAB_PAGES;
			return 1;
		}
	}
	return 0;
}

int bm_refill_wanted(const struct bm_pool *pool)
{
	struct bm_pool_wish wish;

	return pool->refills && find(pool, &wish);
}

static uint64_t bytes_of(const struct bm_pool *pool, const struct bm_pool_wish *wish)
{
	return wish->lane.huge ? pool->env.huge_size : wish->pages * pool->env.page_size;
}

static void give_up(struct bm_pool *pool, const struct bm_pool_wish *wish)
{
	pthread_mutex_lock(&pool->lock);
	pool->nodes[wish->node].want[wish->lane.huge].ready = 0;
	pthread_mutex_unlock(&pool->lock);
}

/* 1 when there is something to be done, and the limit of the pool allows it. */
static int choose(struct bm_pool *pool, struct bm_pool_wish *wish)
{
	int found, fits;

	pthread_mutex_lock(&pool->lock);
	found = find(pool, wish);
	fits = found && pool->uffd == wish->uffd &&
	       pool->nodes[wish->node].kept + bytes_of(pool, wish) <= pool->most;
	pthread_mutex_unlock(&pool->lock);
	if (found && !fits)
		give_up(pool, wish);
	return fits;
}

void bm_refill_some(struct bm_pool *pool, struct bm_uffd *uffd)
{
	struct bm_pool_wish wish = {.uffd = uffd};
	struct bm_slab *slab;
	int error;

	if (!choose(pool, &wish))
		return;
	slab = bm_pool_take_empty(pool, &wish, &error);
	if (!slab) {
		give_up(pool, &wish);
		return;
	}
	error = bm_pool_may_populate(pool, bytes_of(pool, &wish))
			? bm_slab_populate(&pool->env, slab, wish.node, wish.pages)
			: -ENOMEM;
	if (error == 0)
		bm_pool_count_use(pool, &wish, 0, bm_slab_bytes(&pool->env, slab));
	else
		give_up(pool, &wish);
	bm_pool_give(pool, slab);
}
