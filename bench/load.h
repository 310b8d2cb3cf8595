/* SPDX-License-Identifier: MIT */
/*
 * load.h - what the parts of the command load share.
 *
 * A *trial* is one mover with one bound for one size of pages, or nothing that
 * moves, with values for each round.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <batchmig.h>
#include <stdint.h>

#include "memory.h"
#include "mover.h"
#include "setup.h"
#include "touch.h"

struct load {
	struct setup setup;
	int touchers; /* threads that touch the pages */
	int library_threads;
	int seconds; /* of a trial in a round */
	int warmup;  /* turns before that do not count */
	int wish;    /* 1: BM_BOUND_WISH */
	uint64_t slow_ns;
	long bounds[2][LISTED_MAX]; /* us, of base and of huge pages; 0: none */
	int bound_counts[2];
	struct region regions[2]; /* of base and of huge pages */
};

struct trial {
	int huge;
	const char *mover; /* NULL: nothing moves, to see what accesses take then */
	int64_t bound_us;  /* 0: none */
	double *values;    /* metrics by rounds, see load_rows.c */
	int delay_told;    /* in all rounds */
};

/* One trial in one round. */
struct observed {
	struct touches touches;
	struct bm_stats stats;
	double ns, touch_cpu_ns, library_cpu_ns; /* that counted */
	double huge_share;                       /* of the memory, afterwards; -1: not told */
};

/* ------------------------------------------------------------- load_trial.c */

void trial_run(const struct load *load, const struct trial *trial, struct observed *observed);

/* -------------------------------------------------------------- load_rows.c */

void trial_new(struct trial *trial, const struct load *load);
void trial_take(struct trial *trial, const struct load *load, int round,
		const struct observed *observed);
/* Adds what all rounds came to, and frees the values. */
void trial_rows(struct trial *trial, const struct load *load);

#endif
