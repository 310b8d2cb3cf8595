/* SPDX-License-Identifier: MIT */
/*
 * window.h - what the parts of the command window share.
 *
 * A *match* is between *rivals* that move the same batches: the library with one
 * length of chunks each, and the kernel. They take turns in rounds.
 */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include "contest.h"
#include "observer.h"

#define RIVALS_MAX 48

/* CALL: of the whole batch. TOLD: its longest window, in the words of the library. */
enum window_metric { THROUGHPUT, FIRST_PAGE, OUT_OF_REACH, CALL, TOLD, WINDOW_METRICS };

struct rival {
	const char *name; /* of the mover */
	char chunk[SIZE_TEXT];
	int plain; /* the plain loop of move_pages(2), not the library */
	struct mover mover;
	double *values[WINDOW_METRICS]; /* of each round; negative: unknown */
	size_t batches, first_by_frame, first_unseen, unseen;
	size_t left; /* entries that the plain loop has left where they were */
};

struct match {
	struct stage *stage; /* its entries, its calls are the batches */
	struct observer *observer;
	int observer_cpu;
	struct rival rivals[RIVALS_MAX];
	int count;
};

void match_begin(struct match *match, struct stage *stage, int observer_cpu);
/* @chunk_kb 0: what the library takes by itself. */
void match_library(struct match *match, const char *name, long chunk_kb);
/* The plain loop; nothing on a machine with one node. */
void match_plain(struct match *match);
/* Warm-up, rounds, rows, and a look at every byte. All of it is closed then. */
void match_run(struct match *match);

/* ------------------------------------------------------------ window_rows.c */

void rival_rows(const struct match *match, const struct rival *rival);

#endif
