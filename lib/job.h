/* SPDX-License-Identifier: MIT */
/*
 * job.h - a batch while it is worked on.
 *
 * Worked off in slices of units: plan, classify, move in rounds, verify,
 * results. All memory is taken before the first page moves.
 */
#ifndef BM_JOB_H
#define BM_JOB_H

#include <stdatomic.h>

#include "context.h"
#include "placement.h"
#include "merged.h"
#include "pace.h"
#include "plan.h"
#include "stalls.h"
#include "swap.h"
#include "threads.h"
#include "vma.h"
#include "workers.h"

/* Arguments of one kernel call; one for each worker. */
struct bm_scratch {
	void **pages;
	int *nodes;
	int *status;
};

/* How a batch is to be worked off, from the request and the options. */
struct bm_choice {
	enum bm_mover mover;   /* of the kernel's, for what swap does not take */
	int wants_swap;        /* it may come first */
	int named;             /* because it was asked for by name */
	int quiet;             /* the promise was given */
	struct bm_picks picks; /* who may copy for it */
	uint64_t bound_ns;     /* of the window, 0 none */
	int is_wish;           /* what cannot be moved within it is moved all the same */
	struct bm_pace *pace;
	struct bm_stalls *stalls;
};

/* Beside the reason: the page has stayed where it was. */
#define BM_WAS_THERE 0x80u

struct bm_job {
	struct bm_context *context;
	const struct bm_sys *sys;
	pid_t pid;        /* 0: this process */
	uint64_t flags;   /* BM_MOVE_ALL, BM_BIND, BM_QUIET */
	int kernel_flags; /* the same for the kernel */
	enum bm_mover mover;

	/* The mover swap, where it may come first. */
	struct bm_choice choice;
	int replace;            /* BM_REPLACE */
	enum bm_reason no_swap; /* why not at all, BM_REASON_NONE */
	struct bm_swap *swap;
	struct bm_use use;        /* who copies */
	const char *copied_by[2]; /* their names: the main one, and the cpu beside it */
	struct bm_seat *seats[BM_WORKERS_MAX]; /* of the workers */
	struct bm_vmas vmas;
	uint64_t stack_start, stack_end; /* of the calling thread: not swapped */
	struct bm_spans spans;           /* of all threads: likewise */
	struct bm_merged merged;         /* while it is swapped */
	unsigned int swap_threads;
	uint64_t chunk_bytes; /* a power of two */

	struct bm_rates *rates;       /* of the nodes that the slice is about */
	struct bm_estimate *estimate; /* NULL, or what is wanted instead of moving */
	uint64_t ns_opening;          /* what each batch takes before it swaps */

	struct bm_placement placement; /* of the threads that move, not of those that ask */

	/* The caller's. */
	size_t count;
	void *const *pages;
	const int *nodes;
	int *status;
	unsigned char *reasons; /* may be NULL */
	int tell_there;         /* with BM_WAS_THERE in them */

	/* The plan; units, order and calls are those of the slice. */
	struct bm_item *items;
	struct bm_item *spare; /* for sorting them */
	size_t slice;          /* units that are worked on at a time */
	struct bm_unit *units;
	size_t unit_count;
	uint32_t *order;
	size_t todo;
	struct bm_call *calls;
	size_t call_count;
	struct bm_scratch *scratch; /* one for each worker */
	size_t room;                /* entries of each scratch */
	unsigned int threads;
	void *memory; /* all of the above */

	int exact;        /* the caller wants to know of each page whether it was there before */
	int whole;        /* huge pages must be seen: mbind(2) on a part splits their mapping */
	int pagemap;      /* descriptor, or -errno */
	int scan_works;   /* PAGEMAP_SCAN tells of huge pages */
	int one_target;   /* of all units of the slice */
	int mixed;        /* of what may be a huge page, parts have different targets */
	uint64_t suspect; /* size of large folios that cannot be seen, 0 none */
	atomic_ulong full[BM_NODES_MAX / (8 * sizeof(unsigned long))]; /* bits: targets that had
									* no page in this round */
	atomic_uint_fast64_t kernel_calls;
	atomic_int refused; /* why the kernel would not even say where pages are */

	struct bm_report report;
	size_t passing;   /* units that somebody else may be migrating, see missed.h */
	size_t misplaced; /* entries that are not on their node: the result of the call */
};

/* Fills a job for a checked request of pages. */
void bm_job_init(struct bm_job *job, struct bm_context *context, const struct bm_request *request,
		 const struct bm_choice *choice);
/*
 * Works it off, from taking the memory to giving it back: the number of
 * misplaced entries; -ENOMEM, -E2BIG for BM_BIND on too many runs, or -errno
 * when the kernel refused before anything was tried.
 */
long bm_job_whole(struct bm_job *job);

#endif
