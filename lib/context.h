/* SPDX-License-Identifier: MIT */
/* context.h - what a context holds. */
#ifndef BM_CONTEXT_H
#define BM_CONTEXT_H

#include "allowance.h"
#include "arena.h"
#include "options.h"
#include "pairs.h"
#include "placement.h"
#include "queue.h"
#include "stats.h"
#include "swap.h"
#include "sys.h"

struct bm_context {
	const struct bm_sys *sys;
	pid_t pid;
	volatile unsigned char *marker; /* 0: we are in a forked child, everything is stale */
	struct bm_config config;
	uint64_t page_size;
	uint64_t huge_size;  /* of a PMD mapping, 0 without */
	uint64_t large_size; /* of the largest folio that PTEs map (mTHP), 0 without */
	struct bm_sums sums;
	struct bm_arena arena;
	int flushes_once;   /* the kernel flushes TLBs once for a list of pages (Linux >= 6.3) */
	int misses_hinted;  /* move_pages(2) takes what NUMA balancing has marked for absent */
	atomic_int no_scan; /* the kernel was found to have no PAGEMAP_SCAN (Linux < 6.7) */
	_Atomic(struct bm_places *) places; /* read at first need; NULL: not yet */
	pthread_mutex_t swap_lock;
	struct bm_swap *swap;            /* made at first use; NULL: not yet, or see swap_error */
	int swap_error;                  /* why it cannot be had, 0 */
	struct bm_queue queue;           /* batches in flight */
	struct bm_allowance allowance;   /* of all of them */
	atomic_uint holds;               /* the caller's, and one of each batch */
	struct bm_pairs pairs;           /* what chunks and calls cost here */
	int has_profile;                 /* and that comes from a file */
	char profile_said[BM_WHY_MAX];   /* why it does not, "" */
	struct bm_picks picks;           /* of its list of backends, for batches without one */
	const struct bm_backend *copies; /* instead of one of the list: for tests */
	struct bm_context *previous;     /* default context of the parent process */
	int reported;                    /* see exit_report.h; it was, when the process ended */
};

/* A context on a given system: what bm_context_new() is for the real one. */
int bm_context_create(const struct bm_sys *sys, const struct bm_options *options,
		      struct bm_context **context);

/* For what refers to it beside the caller: a batch. The last one frees its memory. */
void bm_context_hold(struct bm_context *context);
void bm_context_let_go(struct bm_context *context);

/* Puts the default context in place of NULL; -ESTALE in a forked child. */
int bm_context_get(struct bm_context **context);

/* The caches to spread threads over, read once; NULL when that is off, or there is no memory. */
const struct bm_places *bm_context_places(struct bm_context *context);

/* What bm_swap_new() needs for it. */
void bm_context_swap_config(struct bm_context *context, struct bm_swap_config *config);

/*
 * What the context swaps pages with, made at first use, and who of these picks
 * copies: 0, or why not: see bm_swap_new() and bm_engines_use().
 */
int bm_context_swap(struct bm_context *context, const struct bm_picks *picks, struct bm_swap **swap,
		    struct bm_use *use);

#endif
