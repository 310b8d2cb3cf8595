/* SPDX-License-Identifier: MIT */
/* pool.c - lists of slabs, and how much is kept. */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

#include "headroom.h"

/* What is left to the application below the limit of its control groups. */
#define HEADROOM_LEAST (4u << 20)
/* So much is taken before it is looked at again, unless a while is over. */
#define HEADROOM_STEP (2u << 20)
#define LIMITS_NS     UINT64_C(50000000)

static struct bm_slab **list_of(struct bm_slab *lists[BM_SEATS][2][2], struct bm_lane lane)
{
	return &lists[lane.seat][lane.huge][lane.locked];
}

static void push(struct bm_slab **list, struct bm_slab *slab)
{
	slab->next = *list;
	*list = slab;
}

/* ---------------------------------------------------------------- counting */

static struct bm_pool_node *node_of(struct bm_pool *pool, int node)
{
	pool->nodes[node].used = 1;
	return &pool->nodes[node];
}

/* Adds what a slab holds, or takes it away. */
static void count(struct bm_pool *pool, const struct bm_slab *slab, int sign)
{
	struct bm_pool_node *node = node_of(pool, slab->node);
	uint64_t bytes = bm_slab_bytes(&pool->env, slab);
	uint64_t *kind = slab->lane.huge ? &node->huge : &node->base;

	node->kept += sign > 0 ? bytes : -bytes;
	/* bm_pool_ready() reads it without the lock. */
	__atomic_store_n(kind, *kind + (sign > 0 ? bytes : -bytes), __ATOMIC_RELAXED);
}

/* ---------------------------------------------------------------- lists */

/*
 * Takes the slab of a list that has the fewest pages of the node which are
 * enough; without such a one, the one with the most.
 */
static struct bm_slab *pick(struct bm_slab **list, int node, uint32_t pages)
{
	struct bm_slab **best = NULL, *slab;

	for (struct bm_slab **at = list; *at; at = &(*at)->next) {
		uint32_t count = (*at)->count;

		if ((*at)->node != node)
			continue;
		if (!best || ((*best)->count < pages ? count > (*best)->count
						     : count >= pages && count < (*best)->count))
			best = at;
		/* More than exactly enough is not to be had. */
		if (count == pages)
			break;
	}
	if (!best)
		return NULL;
	slab = *best;
	*best = slab->next;
	return slab;
}

/* Of the own seat first: it shares mappings with nobody. */
static struct bm_slab *pick_ready(struct bm_pool *pool, const struct bm_pool_wish *wish,
				  uint32_t pages)
{
	struct bm_lane lane = wish->lane;
	struct bm_slab *slab = pick(list_of(pool->ready, lane), wish->node, pages);

	for (lane.seat = 0; !slab && lane.seat < BM_SEATS; lane.seat++)
		slab = pick(list_of(pool->ready, lane), wish->node, pages);
	if (slab)
		count(pool, slab, -1);
	return slab;
}

static int grow(struct bm_pool *pool, const struct bm_pool_wish *wish)
{
	struct bm_mapping *mapping;
	int rc = bm_mapping_map(&pool->env, wish->uffd, wish->lane, &mapping);

	if (rc < 0)
		return rc;
	pool->uffd = wish->uffd;
	mapping->next = pool->mappings;
	pool->mappings = mapping;
	for (size_t i = BM_MAPPING_SLABS; i-- > 0;)
		push(list_of(pool->empty, wish->lane), &mapping->slabs[i]);
	return 0;
}

static struct bm_slab *pick_empty(struct bm_pool *pool, const struct bm_pool_wish *wish, int *error)
{
	struct bm_slab **list = list_of(pool->empty, wish->lane), *slab;

	if (!*list)
		*error = grow(pool, wish);
	slab = *list;
	if (slab)
		*list = slab->next;
	return slab;
}

/* ---------------------------------------------------------------- taking and giving */

void bm_pool_count_use(struct bm_pool *pool, const struct bm_pool_wish *wish, uint64_t recycled,
		       uint64_t populated)
{
	struct bm_pool_node *node;

	pthread_mutex_lock(&pool->lock);
	node = node_of(pool, wish->node);
	node->recycled += recycled;
	node->populated += populated;
	pthread_mutex_unlock(&pool->lock);
}

/* Locked pages are not refilled: few batches have them. */
static void count_lack(struct bm_pool *pool, const struct bm_pool_wish *wish, uint64_t bytes)
{
	if (wish->lane.locked || !pool->refills)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->nodes[wish->node].want[wish->lane.huge].lacked += bytes;
	pthread_mutex_unlock(&pool->lock);
}

/* Fills a slab up from others that have less than what is wanted. */
static void gather(struct bm_pool *pool, const struct bm_pool_wish *wish, struct bm_slab *slab)
{
	struct bm_slab *other;
	int rc = 0;

	while (rc == 0 && slab->count < wish->pages) {
		pthread_mutex_lock(&pool->lock);
		other = pick_ready(pool, wish, wish->pages - slab->count);
		pthread_mutex_unlock(&pool->lock);
		if (!other)
			return;
		slab->node = wish->node;
		rc = bm_slab_merge(&pool->env, wish->uffd, slab, other, wish->pages);
		bm_pool_give(pool, other);
	}
}

/*
 * 1 when so much may be populated. Limits are read for some slabs at a time:
 * it takes 20 us, populating a slab 400.
 */
int bm_pool_may_populate(struct bm_pool *pool, uint64_t bytes)
{
	uint64_t now = pool->env.sys->now_ns(), room;
	int may;

	pthread_mutex_lock(&pool->lock);
	may = pool->allowed >= bytes && now - pool->asked_ns < LIMITS_NS;
	pool->allowed -= may ? bytes : 0;
	pthread_mutex_unlock(&pool->lock);
	if (may)
		return 1;
	room = bm_headroom(pool->env.sys);
	may = room > bytes && room - bytes >= HEADROOM_LEAST;
	pthread_mutex_lock(&pool->lock);
	pool->asked_ns = now;
	pool->allowed = may ? room - bytes - HEADROOM_LEAST : 0;
	if (pool->allowed > HEADROOM_STEP)
		pool->allowed = HEADROOM_STEP;
	pthread_mutex_unlock(&pool->lock);
	return may;
}

/* Bytes that a slab lacks. */
static uint64_t lack_of(const struct bm_pool *pool, const struct bm_pool_wish *wish,
			const struct bm_slab *slab)
{
	return wish->lane.huge ? pool->env.huge_size
			       : (wish->pages - slab->count) * pool->env.page_size;
}

/* Makes up for the pages that a slab lacks. */
static struct bm_slab *top_up(struct bm_pool *pool, const struct bm_pool_wish *wish,
			      struct bm_slab *slab, int *error)
{
	uint64_t before;

	if (!wish->lane.huge)
		gather(pool, wish, slab);
	before = bm_slab_bytes(&pool->env, slab);
	if (slab->count >= wish->pages) {
		bm_pool_count_use(pool, wish, wish->pages * (before / slab->count), 0);
		return slab;
	}
	*error = bm_pool_may_populate(pool, lack_of(pool, wish, slab))
			 ? bm_slab_populate(&pool->env, slab, wish->node, wish->pages)
			 : -ENOMEM;
	if (*error == 0) {
		bm_pool_count_use(pool, wish, before, bm_slab_bytes(&pool->env, slab) - before);
		count_lack(pool, wish, bm_slab_bytes(&pool->env, slab) - before);
		return slab;
	}
	bm_pool_give(pool, slab);
	return NULL;
}

struct bm_slab *bm_pool_take(struct bm_pool *pool, const struct bm_pool_wish *wish, int *error)
{
	struct bm_slab *slab;

	*error = 0;
	pthread_mutex_lock(&pool->lock);
	slab = pick_ready(pool, wish, wish->pages);
	if (!slab)
		slab = pick_empty(pool, wish, error);
	pthread_mutex_unlock(&pool->lock);
	return slab ? top_up(pool, wish, slab, error) : NULL;
}

struct bm_slab *bm_pool_take_empty(struct bm_pool *pool, const struct bm_pool_wish *wish,
				   int *error)
{
	struct bm_slab *slab;

	*error = 0;
	pthread_mutex_lock(&pool->lock);
	slab = pick_empty(pool, wish, error);
	pthread_mutex_unlock(&pool->lock);
	return slab;
}

/* 1 when this would be more than is kept of its node. */
static int is_too_much(struct bm_pool *pool, const struct bm_slab *slab)
{
	return node_of(pool, slab->node)->kept + bm_slab_bytes(&pool->env, slab) > pool->most;
}

static void release(struct bm_pool *pool, struct bm_slab *slab)
{
	uint64_t bytes = bm_slab_bytes(&pool->env, slab);
	int node = slab->node;

	bm_slab_release(&pool->env, slab);
	pthread_mutex_lock(&pool->lock);
	node_of(pool, node)->released += bytes;
	push(list_of(pool->empty, slab->lane), slab);
	pthread_mutex_unlock(&pool->lock);
}

void bm_pool_give(struct bm_pool *pool, struct bm_slab *slab)
{
	int full;

	if (slab->node < 0 && slab->count > 0)
		bm_slab_locate(&pool->env, slab);
	slab->since_ns = pool->env.sys->now_ns();
	pthread_mutex_lock(&pool->lock);
	full = slab->count > 0 && is_too_much(pool, slab);
	if (slab->count == 0) {
		push(list_of(pool->empty, slab->lane), slab);
	} else if (!full) {
		push(list_of(pool->ready, slab->lane), slab);
		count(pool, slab, 1);
	}
	pthread_mutex_unlock(&pool->lock);
	if (full)
		release(pool, slab);
}

/* What nobody has used for so long is not wanted either. */
static void want_less(struct bm_pool *pool, const struct bm_slab *slab)
{
	struct bm_pool_node *node = &pool->nodes[slab->node];
	uint64_t ready = slab->lane.huge ? node->huge : node->base;

	if (node->want[slab->lane.huge].ready > ready)
		node->want[slab->lane.huge].ready = ready;
}

/* Takes one idle slab out of the lists, NULL when there is none. */
static struct bm_slab *take_idle(struct bm_pool *pool, uint64_t before_ns)
{
	struct bm_slab **lists = &pool->ready[0][0][0];

	for (size_t i = 0; i < BM_SEATS * 4; i++) {
		for (struct bm_slab **at = &lists[i]; *at; at = &(*at)->next) {
			struct bm_slab *slab = *at;

			if (slab->since_ns > before_ns)
				continue;
			*at = slab->next;
			count(pool, slab, -1);
			want_less(pool, slab);
			return slab;
		}
	}
	return NULL;
}

void bm_pool_shrink(struct bm_pool *pool, uint64_t idle_ns)
{
	uint64_t now = pool->env.sys->now_ns();
	struct bm_slab *slab;

	do {
		pthread_mutex_lock(&pool->lock);
		slab = take_idle(pool, now - idle_ns);
		pthread_mutex_unlock(&pool->lock);
		if (slab)
			release(pool, slab);
	} while (slab);
}

uint64_t bm_pool_ready(const struct bm_pool *pool, int node, int huge)
{
	const struct bm_pool_node *from = &pool->nodes[node];

	return __atomic_load_n(huge ? &from->huge : &from->base, __ATOMIC_RELAXED);
}

/* ---------------------------------------------------------------- beginning and end */

static void forget(struct bm_pool_node *node)
{
	node->released += node->kept;
	node->kept = 0;
	__atomic_store_n(&node->base, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&node->huge, 0, __ATOMIC_RELAXED);
	node->want[0] = node->want[1] = (struct bm_pool_want){0};
}

/* Nobody is between enter and leave. */
static void empty_all(struct bm_uffd_user *user)
{
	struct bm_pool *pool = (struct bm_pool *)(void *)user;
	struct bm_mapping *mapping;
	struct bm_uffd *uffd;

	/* Nobody has a slab, but the keeper counts what there is. */
	pthread_mutex_lock(&pool->lock);
	mapping = pool->mappings;
	uffd = pool->uffd;
	pool->mappings = NULL;
	pool->uffd = NULL;
	for (size_t i = 0; i < BM_SEATS * 4; i++)
		(&pool->ready[0][0][0])[i] = (&pool->empty[0][0][0])[i] = NULL;
	for (size_t i = 0; i < BM_NODES_MAX; i++)
		forget(&pool->nodes[i]);
	pthread_mutex_unlock(&pool->lock);
	while (mapping) {
		struct bm_mapping *next = mapping->next;

		if (!bm_mapping_leave(mapping))
			bm_mapping_unmap(&pool->env, uffd, mapping);
		mapping = next;
	}
	atomic_fetch_add(&pool->keeper_word, 1);
	pool->env.sys->futex_wake(&pool->keeper_word);
}

int bm_pool_init(struct bm_pool *pool, const struct bm_slab_env *env)
{
	pool->env = *env;
	pool->user.empty = empty_all;
	pthread_mutex_init(&pool->lock, NULL);
	bm_uffd_user_add(env->sys, &pool->user);
	return 0;
}

void bm_pool_end(struct bm_pool *pool)
{
	bm_uffd_user_end(pool->env.sys, &pool->user);
	pthread_mutex_destroy(&pool->lock);
}
