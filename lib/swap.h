/* SPDX-License-Identifier: MIT */
/*
 * swap.h - what a context needs to swap pages: its pool, and a backend with a
 * channel for each seat.
 */
#ifndef BM_SWAP_H
#define BM_SWAP_H

#include "engines.h"
#include "pool.h"
#include "rates.h"
#include "zones.h"

struct bm_swap_config {
	const struct bm_sys *sys;
	const struct bm_log *log;
	struct bm_backend_env env; /* options of the backends */
	size_t engine_least;       /* bytes, see struct bm_engines */
	enum bm_share engine_share;
	uint64_t patience_ns;
	struct bm_rates *rates;
	int calibrated; /* they come from a profile */
	uint64_t page_size, huge_size;
	uint64_t pool_most; /* bytes of each node */
	uint64_t idle_ns;
	int refills;
	int strict;
};

/* Of one of the engines. */
struct bm_seat_channel {
	struct bm_channel *channel; /* NULL: not yet */
	int silent;                 /* see struct bm_copier */
	unsigned int losses;        /* how often it was */
};

/* What a thread works with. */
struct bm_seat {
	int number;
	int locked;      /* the last range was: try the locked lane first */
	int claims[2];   /* the stack and the block of the thread that sits here; -1 */
	uint64_t serial; /* of the userfaultfd that they were made with; 0: none were */
	struct bm_copier copier;
	struct bm_use use; /* who is in it */
	struct bm_seat_channel channels[BM_ENGINES_MOST];
	int astray; /* a node that pins move pages away from, and that is to be told; or -1 */
	struct bm_slab *held; /* that a silent channel may still write to */
	unsigned int settled; /* how often it was asked whether it may */
};

struct bm_swap {
	struct bm_uffd_wish wish;
	struct bm_pool pool;
	struct bm_engines engines;
	struct bm_zones zones;        /* with one node nothing is known of any */
	_Atomic(struct bm_use) usual; /* of the batch that came last */
	struct bm_seat seats[BM_SEATS];
	struct bm_rates *rates; /* of the context */
	atomic_int calibrated;
};

/* Without any engine yet: 0, or -errno of what bm_uffd_enter() needs. */
int bm_swap_new(const struct bm_swap_config *config, struct bm_swap **swap);
/* @stale: in a child of the process that made it. */
void bm_swap_free(struct bm_swap *swap, int stale);

/* Windows must not take away what the calling thread needs in its own: 0 or -errno. */
int bm_seat_claim(struct bm_uffd *uffd, struct bm_seat *seat, const void *frame, const void *end);
/* That thread swaps no more, or has ended. */
void bm_seat_unclaim(struct bm_swap *swap, struct bm_seat *seat);

/* A seat for one thread, NULL when there is none; and its return. */
struct bm_seat *bm_swap_sit(struct bm_swap *swap, struct bm_use use);
void bm_swap_rise(struct bm_swap *swap, struct bm_seat *seat);
/* Outside of the window: a copier for copies to that node, and what has become of it. */
struct bm_copier bm_seat_copier(const struct bm_swap *swap, const struct bm_seat *seat, int node,
				int pinnable);
void bm_seat_copied(struct bm_swap *swap, struct bm_seat *seat, const struct bm_copier *copier);
/* For bm_swap_free(). */
void bm_seat_close(struct bm_swap *swap, struct bm_seat *seat);

#endif
