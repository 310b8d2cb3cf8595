/* SPDX-License-Identifier: MIT */
/* batch.h - a batch in flight, from bm_submit() to bm_batch_free(). */
#ifndef BATCHMIG_BATCH_H
#define BATCHMIG_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "request.h"
#include "linkage.h"

BATCHMIG_BEGIN

/*
 * bm_submit - the general entry: starts a batch.
 * @context: NULL for the default one. @request: read during the call, its
 * arrays until the batch has completed. @batch: gets the handle, owned by the
 * caller, to be freed with bm_batch_free().
 * The batch may be complete when bm_submit() returns, or not: callers must
 * not depend on either. Statuses may be read after bm_batch_wait(). Costs
 * some 20 us where a thread has to be started, otherwise some 5, and 1 ns for
 * each page.
 *
 * Another process (pid): needs ptrace read access to it (the same user and
 * not undumpable, or CAP_SYS_PTRACE) as move_pages(2) has it. Only pages
 * that it alone maps move unless BM_MOVE_ALL is given. mbind is not possible.
 *
 * Returns 0 when the batch was taken, also when no page of it could move.
 * Otherwise nothing was tried and no output is written:
 * -EINVAL  unknown flag; with count > 0 a NULL array, or neither pages nor
 *          ranges; both of them; range_size impossible; unknown backend or mover name;
 *          BM_BIND or mover mbind for another process; pid negative; priority,
 *          max_stall_us or max_bytes_per_s out of range
 * -E2BIG   count so large that the arrays cannot exist; the request comes
 *          from a newer header and sets an unknown field
 * -ENODEV  no backend of the list, or not the mover, can be had here
 * -EBADF   event_fd is not open, or no eventfd; -EMFILE no room for a duplicate
 * -EPERM   BM_MOVE_ALL without CAP_SYS_NICE, no ptrace access to pid, or
 *          move_pages(2) is forbidden (seccomp, as in many containers)
 * -ENOSYS  a kernel without CONFIG_MIGRATION
 * -ESRCH   no process with this pid (or it has no memory: kernel thread, zombie)
 * -EAGAIN  no thread can be started, and none is there
 * -ENOMEM  not enough memory for the batch
 * -ESHUTDOWN  the context is being freed
 * -ESTALE  the context is from before a fork
 * What is found later is the result of the batch: see bm_batch_wait().
 * Reads all addresses, asks the kernel one question, and does not block but
 * for the lock of the context. Any thread. Since 0.1.
 */
int bm_submit(struct bm_context *context, const struct bm_request *request,
	      struct bm_batch **batch);

/* Do not limit the time to wait. */
#define BM_FOREVER INT64_C(-1)

/*
 * bm_batch_wait - waits until a batch is complete.
 * @timeout_us: microseconds, 0 to test only, BM_FOREVER without limit.
 * Returns 0 when every page is on its node, the number of entries (ranges:
 * base pages that exist, plus one for each range with an error) that are not
 * when > 0, -ETIMEDOUT, -EINVAL NULL batch or a timeout below BM_FOREVER,
 * -EDEADLK see "Callbacks", -ESTALE in a forked child; or why the batch as a
 * whole was not tried. Every status, or error of a range, is that then, it is not in
 * the sums of bm_stats_get(), and its report names "none" as mover:
 * -EPERM, -ENOSYS, -ESRCH  as in bm_submit(), found out later
 * -E2BIG   BM_BIND on too many separate runs
 * -ENOMEM  not enough memory for the plan: 32 bytes per page, and 5 MiB for
 *          each thread, at most 72
 * -ECANCELED  it was cancelled before it began
 * and for ranges the error of opening /proc/PID/pagemap: -EACCES a process
 * that is not dumpable (its own, too), -EMFILE, -ENFILE, -ENOENT no /proc.
 * May be called again. Any thread, also several at once. Since 0.1.
 */
long bm_batch_wait(struct bm_batch *batch, int64_t timeout_us);

/*
 * bm_batch_cancel - asks that no more of a batch is moved.
 * What has moved stays there, what has not keeps its place, and every status
 * is written: -ECANCELED, BM_REASON_CANCELED, of what was not tried. The chunk
 * or call of the kernel that is under way is finished; a pause is not. The
 * callback is called and the descriptor signalled as ever.
 * BM_BIND binds pages that have moved, and ranges that were walked to their end.
 * Returns 0, also for a complete batch; -EINVAL NULL; -ESTALE in a forked
 * child. Never blocks but for the lock of the context. Any thread. Since 0.1.
 */
int bm_batch_cancel(struct bm_batch *batch);

enum bm_batch_state {
	BM_BATCH_QUEUED = 0, /* waits for its turn, or for a batch that it overlaps */
	BM_BATCH_RUNNING,
	BM_BATCH_PAUSED, /* holds for a batch of higher priority */
	BM_BATCH_COMPLETE,
};

/* How far a batch is. */
struct bm_progress {
	uint64_t entries;     /* of the batch; ranges: base pages in them, present or not */
	uint64_t settled;     /* of these: their status (ranges: their tally) is final */
	uint64_t bytes_moved; /* so far; not yet verified, see struct bm_report */
	uint64_t ns_queued;   /* wall time before it began, nanoseconds */
	uint64_t ns_running;  /* since then, pauses included */
	int state;            /* enum bm_batch_state */
	int canceled;         /* 1: bm_batch_cancel() was called */
};

/*
 * bm_batch_progress - how far a batch is, at any time.
 * @progress: filled up to @size, sizeof(struct bm_progress) of the caller.
 * Returns 0; -EINVAL NULL or impossible size; -ESTALE in a forked child.
 * Never blocks but for the lock of the context. Any thread. Since 0.1.
 */
int bm_batch_progress(struct bm_batch *batch, struct bm_progress *progress, size_t size);

/*
 * struct bm_report - what was done with a batch and how.
 */
struct bm_report {
	struct bm_tally tally; /* entries; ranges: base pages */
	uint64_t bytes_moved;  /* of tally.moved. A huge page counts whole, once, where it
				* is seen (Linux 6.7, 256 entries or more, four of them
				* in it; always with BM_BIND), else as the entries named */
	uint64_t kernel_calls; /* move_pages and mbind calls that move */
	uint64_t ns_plan;      /* wall time of each phase, nanoseconds */
	uint64_t ns_classify;
	uint64_t ns_move;
	uint64_t ns_verify;
	unsigned int threads; /* most threads used at once */
	const char *backend;  /* static strings: what was used most */
	const char *mover;
	uint64_t reasons[BM_REASON_SLOTS]; /* entries by enum bm_reason */
	uint64_t bytes_swapped;            /* of bytes_moved: by the mover swap */
	uint64_t windows;                  /* chunks that were out of reach, one at a time */
	uint64_t ns_window;                /* sum of the times they were, nanoseconds */
	uint64_t ns_window_max;            /* the longest of them */
	uint64_t ns_window_p50;            /* quantiles of them, up to 6 % too high */
	uint64_t ns_window_p99;
	uint64_t ns_window_p999;
	uint64_t windows_late;      /* longer than max_stall_us, where one was set */
	uint64_t windows_preempted; /* in which the scheduler ran something else */
	uint64_t ns_call_max;       /* the longest kernel call that moves */
	uint64_t bytes_offloaded;   /* copied by the engine of a device, not by a CPU */
	uint64_t ns_copy;           /* of ns_window: while a backend copied */
};

/*
 * bm_batch_report - what was done with a complete batch and how.
 * @report: filled up to @size, sizeof(struct bm_report) of the caller.
 * Returns 0; -EINVAL NULL or impossible size; -EBUSY not complete yet;
 * -ESTALE in a forked child. Any thread. Since 0.1.
 */
int bm_batch_report(struct bm_batch *batch, struct bm_report *report, size_t size);

/*
 * bm_batch_free - waits for completion, then frees; NULL does nothing.
 * Does not wait for the callback to return. Returns 0, or -EDEADLK in a
 * callback where the batch is not complete: nothing is freed then. In a
 * forked child it only frees. Since 0.1.
 */
int bm_batch_free(struct bm_batch *batch);

BATCHMIG_END

#endif /* BATCHMIG_BATCH_H */
