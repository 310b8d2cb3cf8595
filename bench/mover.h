/* SPDX-License-Identifier: MIT */
/*
 * mover.h - the library in one configuration, and what its reports said.
 *
 * Configurations have names: "swap/cpu", "swap/dsa", "swap/ptdma" (the mover swap
 * with that backend alone), "move_pages" and "mbind" (the movers of the kernel, in
 * the library's hands), and "auto".
 */
#ifndef BENCH_MOVER_H
#define BENCH_MOVER_H

#include <batchmig.h>
#include <stdint.h>

#include "setup.h"

#define MOVERS_MAX 8

struct mover_options {
	const char *name; /* of the configuration */
	int threads;      /* 0: left to the library */
	int64_t chunk_kb; /* 0: the default */
	int64_t pool_mb;
	int64_t max_stall_us;
	int64_t max_bytes_per_s; /* 0: any number */
};

/* Sums over the batches since mover_open() or mover_reset(); the phases of the last one. */
struct mover {
	struct bm_context *context;
	const char *name;
	uint64_t batches, entries, bytes; /* asked for */
	uint64_t left; /* entries that are not where, or on other memory than, they should */
	uint64_t entries_as_asked, bytes_swapped, bytes_offloaded, windows;
	uint64_t ns_window, ns_window_max, ns_copy;
	uint64_t ns_plan, ns_classify, ns_move, ns_verify; /* of the last batch */
	uint64_t reasons[BM_REASON_SLOTS];
	unsigned int threads; /* most that were used */
	uint64_t populated;   /* bytes that pools had populated before */
};

/*
 * The names of what can be had here, of setup->movers or of all: returns how many,
 * at most MOVERS_MAX. Says on stderr why what was named cannot be had, and ends the
 * program with SKIPPED when nothing is left. With one node only swap and auto: the
 * kernel has nowhere to move to.
 */
int movers_list(const struct setup *setup, const char *names[MOVERS_MAX]);

/* Room for all that moves, and some for what is under way. */
int64_t pool_mb_of(const struct setup *setup);

void mover_open(struct mover *mover, const struct mover_options *options);
/* Also empties the pools of the process. */
void mover_close(struct mover *mover);
/* Forgets what the reports said: the warm-up is over. */
void mover_reset(struct mover *mover);
/* "cheaper: 12 %, pinned: 1 %", why entries were not moved or in another way; 0: none. */
size_t mover_reasons(const struct mover *mover, char *text, size_t size);
/* Of what was asked for. Entries may stand for @huge pages: then bytes are those of entries. */
double mover_swapped_share(const struct mover *mover, int huge);
double mover_left_share(const struct mover *mover);
uint64_t mover_populated(const struct mover *mover);
/* Bytes that its pools have now. */
uint64_t mover_pooled(const struct mover *mover);

/* What the requests of benchmarks have in common: the promise, and BM_REPLACE with one node. */
void request_begin(struct bm_request *request, const struct setup *setup);

/* Submits and waits: nanoseconds. The caller frees the batch. */
double batch_ns(struct bm_context *context, const struct bm_request *request,
		struct bm_batch **batch, long *misplaced);
/* The same, the report is added, the batch freed; @unit: bytes of an entry. */
double mover_run(struct mover *mover, const struct bm_request *request, size_t unit);

#endif
