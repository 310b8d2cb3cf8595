/* SPDX-License-Identifier: MIT */
/*
 * stall.h - what the parts of the benchmark of waiting threads share.
 *
 * A *trial* is one bound for one size of pages, with a result for each round.
 * An access is *slow* when it takes longer than one that need not wait, and in
 * migration when it then had a page fault; *net* is its time without what the
 * thread waited for a CPU.
 */
#ifndef BENCH_STALL_H
#define BENCH_STALL_H

#include "histogram.h"
#include "swap.h"

#define STALL_ROUNDS_MAX 99
#define TRIALS_MAX       32
#define BOUNDS_MAX       12

/* What the command line says. */
struct stall {
	struct setup setup; /* rounds, mb, mover; what the machine has */
	int threads;        /* that touch the pages */
	int library_threads;
	int seconds; /* of a trial in a round */
	int warmup;  /* turns before that do not count */
	int wish;    /* 1: BM_BOUND_WISH */
	uint64_t slow_ns;
	int64_t bounds[2][BOUNDS_MAX]; /* us, of base and of huge pages */
	int bound_counts[2];
	const char *plot, *json;
	struct region regions[2]; /* of base and of huge pages */
	int delay_told;           /* the kernel tells how long a thread waited for a CPU */
};

enum metric {
	ACCESS_RATE,
	SLOW,
	NET_P50,
	NET_P99,
	NET_P999,
	NET_MAX,
	OVER,
	RAW_P50,
	RAW_P99,
	RAW_P999,
	RAW_MAX,
	OTHERS,
	OTHER_MAX,
	PAUSES_100,
	PAUSES_1000,
	GB_PER_S,
	LEFT,
	SWAPPED,
	WINDOWS,
	WINDOW_P50,
	WINDOW_P99,
	WINDOW_P999,
	WINDOW_MAX,
	LATE,
	PREEMPTED,
	METRICS
};

struct metric_name {
	const char *key;  /* in JSON */
	const char *head; /* of a column */
	int decimals;
	int of_library; /* 1: what the library says; 0: what the threads saw */
};
extern const struct metric_name metric_names[METRICS];

struct trial {
	int huge;
	int moves;        /* 0: nothing does, to see what accesses take then */
	int64_t bound_us; /* 0: none */
	double values[METRICS][STALL_ROUNDS_MAX];
	struct histogram *raw, *net; /* of all rounds */
};

struct spread {
	double median, min, max;
};

/* ------------------------------------------------------------ stall_touch.c */

struct touchers;

/* What all threads saw while it counted. */
struct touches {
	struct histogram *raw, *net; /* of fast accesses, and of slow ones with a fault */
	struct histogram *other;     /* of slow ones without */
	uint64_t over;               /* net longer than the bound */
	int delay_told;
};

struct touchers *touchers_start(const struct stall *stall, const struct region *region,
				int64_t bound_us);
void touchers_count(struct touchers *touchers, int on);
/* Ends the threads; @touches gets their sums, its histograms are added to. */
void touchers_stop(struct touchers *touchers, struct touches *touches);

/* ------------------------------------------------------------- stall_move.c */

/* One trial in one round. */
void trial_run(struct stall *stall, struct trial *trial, int round);

/* ------------------------------------------------------------ stall_table.c */

struct spread trial_spread(const struct stall *stall, const struct trial *trial, int metric);
/* "none", "100", or "no migration". */
const char *trial_bound(const struct trial *trial, char *text, size_t size);
void table_print(const struct stall *stall, const struct trial *trials, int count);

/* ------------------------------------------------- stall_json.c, stall_plot.c */

void json_write(const struct stall *stall, const struct trial *trials, int count);
void plot_write(const struct stall *stall, const struct trial *trials, int count);

#endif
