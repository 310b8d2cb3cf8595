/* SPDX-License-Identifier: MIT */
/*
 * contest.h - rounds in which all entrants take their turn, and what comes of them.
 *
 * A *stage* is the memory and the pages that a contest works on, an *entrant* one
 * way to copy or move them. What an entrant did becomes rows of the results.
 */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include <stddef.h>

#include "memory.h"
#include "mover.h"
#include "plain.h"
#include "setup.h"

#define ENTRANTS_MAX 20
#define KEYS_MAX     8

struct stage {
	const struct setup *setup;
	struct region live;  /* what moves, on the near node */
	struct region other; /* what plain copies write to; far, where there are two nodes */
	enum frames frames;
	size_t unit;    /* bytes of an entry: of a page, or of a huge one */
	size_t run;     /* entries that follow each other without a gap */
	size_t count;   /* entries of a call */
	size_t repeats; /* calls in a round, each with entries of its own */
	int threads;
	void **pages;
	int *nodes[2]; /* all near, all far */
	int *status;
};

struct entrant {
	char name[40];
	double (*run)(struct entrant *entrant); /* one round, nanoseconds */
	int quiesce;                            /* before each batch */
	int interrupts;                         /* all TLB interrupts of a round are its own */
	size_t left; /* entries that a plain call has left where they were */
	struct stage *stage;
	struct mover *mover;
	copy_loop *loop;
	double *ns;  /* of each round */
	double *tlb; /* TLB interrupts of each round; -1 where the machine does not count them */
};

struct key {
	const char *name;
	char value[48];
};

struct contest {
	const char *table;
	struct key keys[KEYS_MAX]; /* of all rows; "mover" and "threads" come behind them */
	int key_count;
	struct stage *stage;
	struct entrant entrants[ENTRANTS_MAX];
	int count;
	int reference;   /* the plain non-temporal copy; -1: none */
	int kernel;      /* the plain loop of move_pages(2); -1: none */
	double order[2]; /* share of pages whose frame follows the last one's, or that are huge,
			  * before and after; -1: not told */
};

/* @bytes of memory; all its pages are entries. */
void stage_open(struct stage *stage, const struct setup *setup, enum frames frames, size_t bytes);
void stage_close(struct stage *stage);
/*
 * The entries of the next contests: runs of @run_bytes without a gap, as long gaps
 * between them (@gaps), and no more than @bytes of them altogether, in one call.
 */
void stage_runs(struct stage *stage, size_t run_bytes, int gaps, size_t bytes);
/* Of @count entries a call; so many calls that a round lasts. */
void stage_calls(struct stage *stage, size_t count);
/* What copies of the entries are written to: zeros; and how many entries are not what they should. */
void stage_wipe_copies(const struct stage *stage);
size_t stage_copies_wrong(const struct stage *stage);
/* The entry behind those that follow @first without a gap, at most @end. */
size_t stage_run_end(const struct stage *stage, size_t first, size_t end);
/* Of huge pages: is all of it huge? Says so on stderr when it is not: nothing can be compared then. */
int stage_is_whole(const struct stage *stage);
/* Bytes that a round moves; there and back counts twice. */
size_t stage_bytes(const struct stage *stage);

void contest_begin(struct contest *contest, const char *table, struct stage *stage);
void contest_key(struct contest *contest, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct entrant *contest_copy(struct contest *contest, const char *name, copy_loop *loop);
struct entrant *contest_mover(struct contest *contest, struct mover *mover);
/* The plain calls of the kernel; nothing on a machine with one node. */
void contest_kernel(struct contest *contest);
/* Warm-up, rounds, rows, and a look at every byte. */
void contest_run(struct contest *contest);

/* What entrants run. */
double run_copy(struct entrant *entrant);
double run_populate(struct entrant *entrant);
double run_mover(struct entrant *entrant);

#endif
