/* SPDX-License-Identifier: MIT */
/* request.h - what a batch can say. */
#ifndef BATCHMIG_REQUEST_H
#define BATCHMIG_REQUEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "results.h"
#include "linkage.h"

BATCHMIG_BEGIN

/* Flags of a request; every other bit is -EINVAL. */
#define BM_MOVE_ALL   (UINT64_C(1) << 0) /* also pages shared with other processes; CAP_SYS_NICE */
#define BM_BIND       (UINT64_C(1) << 1) /* afterwards mbind the ranges to the target, see below */
#define BM_QUIET      (UINT64_C(1) << 2) /* the quiet promise, see batchmig.h */
#define BM_REPLACE    (UINT64_C(1) << 3) /* other memory of the target also for what is there */
#define BM_BOUND_WISH (UINT64_C(1) << 4) /* max_stall_us is a wish, see "The bound of the window" */

/*
 * BM_BIND gives the ranges a memory policy (MPOL_PREFERRED, the target node)
 * after they moved. Automatic NUMA balancing leaves such ranges alone, and
 * later faults in them prefer the node; MPOL_PREFERRED and not MPOL_BIND,
 * because the latter calls the OOM killer when the node is full. Every
 * contiguous run of pages of one target costs up to two more mappings;
 * when the batch has so many runs that it could use up half of
 * vm.max_map_count (65530 by default) the whole batch is refused with -E2BIG
 * and nothing is tried. Only for the own process (-EINVAL with a pid).
 * Where mbind fails afterwards the pages stay where they are: reason
 * BM_REASON_NO_BIND (ranges: their error), logged at level warn. Huge pages
 * are bound whole; where the kernel does not show them (before Linux 6.7) a
 * run that ends within one splits its mapping.
 */

/*
 * BM_REPLACE gives a page that is on its target node already other physical
 * memory of that node: to take pages off suspect memory, and to exercise the
 * mover swap on a machine with one node. Only swap can do it: a page that swap
 * does not take stays where it is, status the node, with the reason why, and
 * is not counted as misplaced (bm_tally.already). The memory that it leaves
 * goes to the pool; bm_quiesce() gives it back to the kernel.
 */

/*
 * struct bm_range - an address range and where it should be.
 * In: addr, length (bytes), node. Out: error and tally.
 * Every page of which the range holds at least one byte belongs to it, at
 * both ends. A huge page that straddles an end moves as a whole, but only
 * its pages inside the range are counted. Ranges are worked off in order, in
 * portions of 65536 pages: where two overlap, or share a huge page, the later
 * one decides, and what the earlier one tells of these pages may be as of its
 * own portion.
 * Pages that are absent (-ENOENT) are not an error of a range: they are in
 * tally.failed under ENOENT but do not count in the result of the call; nor do
 * those of a cancelled range that were not looked at, which are under ECANCELED.
 */
struct bm_range {
	void *addr;
	size_t length;
	int node;
	int error;             /* out: 0, or -errno when the range was not walked at all,
				* or with -ECANCELED not to its end:
				* -EINVAL wraps around or longer than the address space,
				* -ENODEV impossible node, -ENOMEM no mapping in it;
				* with BM_BIND also the error of its mbind(2) */
	struct bm_tally tally; /* out */
};

struct bm_batch;

/*
 * bm_done_fn - is called once when a batch is complete.
 * @user: bm_request.done_user. @batch: as bm_submit() gives it, maybe before
 * that has returned; bm_batch_wait() and bm_batch_report() answer at once.
 * @result: what bm_batch_wait() returns. It runs in a thread of the library
 * with all signals blocked and a stack of 256 KiB; see "Callbacks" in batchmig.h. The
 * event descriptor is signalled before. Other batches go on meanwhile.
 */
typedef void bm_done_fn(void *user, struct bm_batch *batch, long result);

enum bm_priority {
	BM_PRIORITY_LOW = -1,
	BM_PRIORITY_NORMAL = 0,
	BM_PRIORITY_HIGH = 1,
};

/* Of max_stall_us and max_bytes_per_s: none, whatever the context says. */
#define BM_UNBOUNDED INT64_C(-1)

/*
 * struct bm_request - everything a batch can say. bm_request_init() first.
 * Either pages, nodes and status are set, or ranges.
 */
struct bm_request {
	size_t size;
	uint64_t flags;          /* BM_MOVE_ALL, BM_BIND, BM_QUIET, BM_REPLACE, BM_BOUND_WISH */
	size_t count;            /* entries of pages, nodes, status, reasons; or of ranges */
	void *const *pages;      /* an address in each page */
	const int *nodes;        /* target of each page */
	int *status;             /* out: node or -errno, written for every page */
	unsigned char *reasons;  /* out: enum bm_reason of each page; may be NULL */
	struct bm_range *ranges; /* in and out */
	size_t range_size;       /* sizeof(struct bm_range) of the caller */
	const char *backend;     /* preference list for this batch; NULL: the context's */
	const char *mover;       /* for this batch; NULL: the context's */
	pid_t pid;               /* 0: this process */
	int priority;            /* enum bm_priority */
	bm_done_fn *done;        /* called when the batch is complete; NULL: nothing is */
	void *done_user;
	int64_t max_stall_us;    /* microseconds; 0: the context's, BM_UNBOUNDED: none */
	int64_t max_bytes_per_s; /* of this batch, beside the context's; 0: only that one,
				  * BM_UNBOUNDED: none */
	int event_fd;            /* an eventfd(2), to which 1 is added when the batch is
				  * complete; -1: none. The library keeps a duplicate until
				  * then. Several batches may share one */
};

/*
 * bm_request_init - an empty request: no flags, own process, context's choice.
 * @request: to be initialised. @size: sizeof(struct bm_request) of the caller.
 * Returns 0, or -EINVAL when @request is NULL or @size is impossible.
 * Never blocks, any thread. Since 0.1.
 */
int bm_request_init(struct bm_request *request, size_t size);

BATCHMIG_END

#endif /* BATCHMIG_REQUEST_H */
