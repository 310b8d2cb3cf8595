/* SPDX-License-Identifier: MIT */
/*
 * pool.h - resident pages of each node, kept for the next migration to it.
 *
 * What comes out of a migration serves the other direction; what is missing
 * is populated; what is above the limit, or idle for long, is given back.
 * All calls but the first and the last take place between bm_uffd_enter() and
 * bm_uffd_leave(), outside of windows.
 */
#ifndef BM_POOL_H
#define BM_POOL_H

#include "nodes.h"
#include "slab.h"
#include "batchmig.h"

/* Three batches with as many threads as one can have. */
#define BM_SEATS 192u

/* Of one kind of pages of a node, see refill.h; in bytes. */
struct bm_pool_want {
	uint64_t begin;  /* ready when the batch began */
	uint64_t lacked; /* populated by batches since */
	uint64_t ready;  /* so many are wanted before the next one */
};

struct bm_pool_node {
	uint64_t kept; /* bytes of slabs in the lists */
	uint64_t base, huge;
	uint64_t recycled, populated, released;
	int used;                    /* has anything to say */
	struct bm_pool_want want[2]; /* base, huge */
};

struct bm_pool {
	struct bm_uffd_user user; /* first */
	struct bm_slab_env env;
	uint64_t most;    /* bytes kept of each node */
	uint64_t idle_ns; /* unused so long they are given back; 0 never */
	int refills;      /* see refill.h */
	int batches;      /* under way, while it does */
	pthread_mutex_t lock;
	struct bm_uffd *uffd; /* with which the mappings are registered; NULL: none */
	struct bm_mapping *mappings;
	struct bm_slab *empty[BM_SEATS][2][2]; /* by lane: seat, huge, locked */
	struct bm_slab *ready[BM_SEATS][2][2];
	uint64_t seats[BM_SEATS / 64]; /* taken */
	uint64_t allowed;  /* bytes that may be populated before the limits are looked at again */
	uint64_t asked_ns; /* when they were */
	struct bm_pool_node nodes[BM_NODES_MAX];
	/* See keeper.h. */
	pthread_t keeper;
	int keeper_runs, keeper_stops;
	bm_futex keeper_word;
};

struct bm_pool_wish {
	struct bm_uffd *uffd;
	struct bm_lane lane;
	int node;
	uint32_t pages; /* of base pages */
};

/* The limits of a pool: its fields of the same names are set before, the rest is 0. */
int bm_pool_init(struct bm_pool *pool, const struct bm_slab_env *env);
/* In the process that made it: gives everything back. */
void bm_pool_end(struct bm_pool *pool);

/*
 * Outside of bm_uffd_enter() and bm_uffd_leave(): a handler that forks, on this
 * thread, would wait for one in between that waits for the lock.
 */
static inline void bm_pool_lock(struct bm_pool *pool, uint64_t *signals)
{
	pool->env.sys->signals_block(signals);
	pthread_mutex_lock(&pool->lock);
}

static inline void bm_pool_unlock(struct bm_pool *pool, const uint64_t *signals)
{
	pthread_mutex_unlock(&pool->lock);
	pool->env.sys->signals_restore(signals);
}

/* A lane of its own for a thread, for the time of a batch; -1: all are taken. */
int bm_pool_seat_take(struct bm_pool *pool);
void bm_pool_seat_give(struct bm_pool *pool, int seat);

/* With at least so many resident pages of the node; NULL: there are none, *error says why. */
struct bm_slab *bm_pool_take(struct bm_pool *pool, const struct bm_pool_wish *wish, int *error);
/* Without any. */
struct bm_slab *bm_pool_take_empty(struct bm_pool *pool, const struct bm_pool_wish *wish,
				   int *error);
/* Back, with whatever is resident in it now; node -1: to be found out. */
void bm_pool_give(struct bm_pool *pool, struct bm_slab *slab);
/*
 * One that an engine may still write to: it stays mapped, whatever becomes of
 * the pool, and is used again only when it has been given back.
 */
void bm_pool_hold(struct bm_pool *pool, struct bm_slab *slab);
void bm_pool_give_held(struct bm_pool *pool, struct bm_slab *slab);
/* The pool has no more to do with a mapping: 1 where it must stay mapped for ever. */
int bm_mapping_leave(struct bm_mapping *mapping);

/* For refill.h: 1 when so many bytes may be populated, as far as control groups are concerned. */
int bm_pool_may_populate(struct bm_pool *pool, uint64_t bytes);
/* And what became of a wish, in bytes. */
void bm_pool_count_use(struct bm_pool *pool, const struct bm_pool_wish *wish, uint64_t recycled,
		       uint64_t populated);

/* Bytes that are ready for a migration to the node; a hint. */
uint64_t bm_pool_ready(const struct bm_pool *pool, int node, int huge);

/* Gives back what has not been used for `idle_ns`. */
void bm_pool_shrink(struct bm_pool *pool, uint64_t idle_ns);

#endif
