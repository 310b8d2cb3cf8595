/* SPDX-License-Identifier: MIT */
/*
 * batchmig.h - the whole public interface of libbatchmig, and its manual.
 *
 * The model
 * ---------
 * A *batch* is what one call submits: pages, target nodes, statuses. The
 * library sorts the pages, takes out what need not or cannot move, cuts the
 * rest into calls and lets a *mover* bring each page to its node:
 *
 *      pages, nodes --> plan --> classify --> mover --> status, reason
 *                       sort     holes,       swap
 *                       dedupe   huge pages   move_pages(2)
 *                                             mbind(2)
 *
 * With the movers move_pages and mbind the kernel copies; they need no promise
 * from the caller. The mover *swap* takes the pages of a *chunk* out of the
 * address space (userfaultfd, UFFDIO_MOVE), lets a *backend* copy the bytes to
 * pages of the target node from its *pool*, and puts those in their place; the
 * old pages stay in the pool for migrations the other way. Threads that touch
 * the chunk meanwhile wait until it is back: no mover loses a write.
 *
 * Order of calls
 *      bm_options_init, bm_context_new     once (or pass NULL: see below)
 *      bm_submit, bm_batch_wait, ...       any number of times, any thread
 *      bm_context_free                     waits for the batches in flight
 *
 * Batches in flight. bm_submit() takes a batch and returns; threads of the
 * context work it off. Of each priority up to four batches of a context are
 * worked on at once; a batch whose priority is lower than that of another one
 * that is worked on pauses, between chunks and calls, until that is complete.
 * bm_migrate_batch() and bm_migrate_ranges() work in the calling thread, at
 * once, and hold nothing back.
 *
 * Order. Batches of one context that overlap are worked off in the order in
 * which they were submitted, whatever their priorities, and a batch that
 * others wait for has the highest priority of those. Two batches overlap when
 * they are for the same process and name memory of the same huge page's size,
 * aligned (2 MiB on x86-64); the library compares digests, and may take
 * batches whose pages span more than 8 GiB to overlap that do not. A synchronous
 * call waits for the batches before it that it overlaps; what is submitted
 * while it runs is not ordered with it. Batches without overlap begin by
 * priority, then by submission, and end in any order; so do batches of
 * different contexts, even where they overlap: each page is then where one of
 * them wants it, and whole.
 *
 * Lifetimes. The arrays of a request belong to the caller; they must stay
 * valid and unchanged from bm_submit() until the batch is complete: until
 * bm_batch_wait() has returned its result, the event descriptor is signalled,
 * the callback is called, or bm_batch_free() has returned 0. They may lie in
 * memory that migrates. bm_info snapshots stay valid without their context.
 *
 * Threads. Every call may be made from any thread at any time, on the same
 * context too, except that freeing an object must not run beside another
 * call on it. No call is async-signal-safe. The library creates threads for
 * the time of a large batch, for batches in flight (they end a fifth of a
 * second after the last one) and, with the mover swap, two that stay (see
 * bm_quiesce()); they have all signals blocked. They run
 * where the thread may run that was the first to need them (sched_setaffinity(2)).
 *
 * Callbacks. In the callback of a batch every call may be made, also
 * bm_submit() and bm_batch_free() of its own batch, but what would have to
 * wait for another batch of the same context gives -EDEADLK: bm_batch_wait()
 * with a timeout other than 0, bm_batch_free() and a synchronous call that
 * overlaps, where that batch is not complete, and bm_context_free(). Some
 * twenty callbacks may take long before batches wait for them. A child that a
 * callback forks must not return from it.
 *
 * fork. In a forked child every handle of the parent is dead: calls give
 * -ESTALE, and the handle can and should be freed. Batches in flight go on in
 * the parent; in the child each page of them has the contents it had at the
 * fork. It has the duplicates of event descriptors, and signals none. The default
 * context (NULL) is made anew in the child at first use.
 *
 * The quiet promise. BM_QUIET says: while the batch is in flight nobody but
 * this process's own threads refers to these pages: no zero-copy send or
 * splice (vmsplice, MSG_ZEROCOPY) still pending, no direct I/O on NFS, CephFS
 * or 9p, no device that faults without retry (HMM GPUs, RDMA on-demand paging,
 * SVA). The mover swap is used only under it; pages that are pinned (RDMA,
 * VFIO, io_uring fixed buffers, direct I/O on disks) it sees and leaves.
 * Always allowed, from any thread, are loads, stores, system calls on the
 * pages, fork, munmap, mremap, madvise, mprotect, mlock, signals and exit. Not
 * seen in the window: ptrace(2) and /proc/PID/mem, which get EIO, and core
 * dumps, which lack the chunk.
 * The promise is given by BM_QUIET for a batch, by the option quiet for a
 * context, or by naming a copying backend ("cpu") for either. quiet=strict
 * also promises that no system call is given an address in the pages: then a
 * user with no privilege at all may use swap (a user-mode-only userfaultfd).
 *
 * Partial success is normal. A batch never stops at a page that cannot move:
 * each page has a status of its own, and the call says how many pages are
 * not where they were asked to be. A status is
 *      >= 0     the node the page is on, as the kernel said after the last
 *               attempt to move it; not always the node that was asked for
 *               (see "Contradictions")
 *      -ENOENT  nothing there to move: never touched, or swapped out. Linux
 *               6.1 to 6.4 say so of pages without access (PROT_NONE), and of
 *               a page that was never touched -EFAULT. A page of another
 *               process that somebody else is migrating looks the same, if
 *               that takes longer than the retries
 *      -EFAULT  not mapped, the shared zero page, or a mapping the kernel does
 *               not migrate (device memory, vDSO)
 *      -EACCES  shared with another process and BM_MOVE_ALL was not given, or
 *               the target node is outside the process's cpuset
 *      -EBUSY   in use in a way that forbids to move it (pinned for DMA, under
 *               I/O), also after all retries
 *      -ENOMEM  the target node has no free page for it
 *      -ENODEV  the target is no node with memory (also: a negative one)
 *      -EPERM   the kernel refused the whole call, for example by seccomp
 *      -EIO     the kernel could not migrate it for another reason
 *      -EHWPOISON  the page's memory is broken: found out on its way. Where it
 *               was found before the batch, -ENOENT is all that the kernel says
 *      -ESRCH   the process ended meanwhile
 *      -ECANCELED  not tried: the batch was cancelled before
 *      -ETIME   not tried: it would be out of reach for longer than
 *               max_stall_us allows
 *
 * The bound of the window. With max_stall_us no thread that touches a page
 * shall wait for it longer than so many microseconds. The library measures how
 * long chunks are out of reach and makes them so small that 99.9 % stay below
 * three quarters of the bound; the rest is for the thread that waits, which has
 * to wake up. Calls of the kernel, which keeps all pages of a call out of reach
 * until the last of 512 is copied, are made so small that the whole call stays
 * within it. What then still takes longer, such as a huge page, is left where it
 * is: status -ETIME, BM_REASON_BOUND; with BM_BOUND_WISH, or the option bound=wish,
 * it is moved nevertheless. The bound holds for the library's own work: where the
 * scheduler takes the CPU away in a window, or an application's call on the same
 * mapping holds it up, the window is longer, and is counted (bm_report.windows_late;
 * of calls of the kernel ns_call_max tells the longest). A page that BM_REPLACE
 * leaves for its sake is on its target: its status is the node.
 *
 * Rates. max_bytes_per_s of a context holds for all its batches together, that
 * of a request for the batch, which BM_UNBOUNDED takes out of both. What a chunk or call moves is taken from the
 * allowance before; it is made up for later if it was less. Chunks and calls are
 * at most what is allowed in 10 ms, but no page is divided.
 *
 * The mover mbind sets the policy of a run for a moment and puts the old one
 * back: two batches that use it must not name the same pages at the same time,
 * and a fork() in that moment leaves the child the policy of the moment. When
 * the target fills up meanwhile mbind(2), unlike move_pages(2), may take pages
 * of a third node: then the status says -ENOMEM.
 *
 * Huge pages. Naming any page of a huge page moves the whole huge page.
 *
 * Contradictions. When entries name the same page, or pages of the same huge
 * page, with different targets, the entry with the highest index decides.
 * Every such entry gets the node the page then is on; the entries that asked
 * for another node count as not moved (reason BM_REASON_CONTRADICTED). Where
 * the kernel does not show that pages belong together, an entry that asks for
 * a node that cannot be gets -ENODEV all the same.
 *
 * Addresses need not be page-aligned: an address names the page it is in.
 *
 * Errors. Functions return 0, a count, or a negative errno. Outputs are
 * written last and only on success. The library prints nothing unless asked
 * to (bm_options.log, BATCHMIG_LOG, BATCHMIG_STATS). -ENOMEM from any call means that the
 * library itself could not allocate memory.
 *
 * Structs that the caller fills carry their size first. Initialise them with
 * their function, so that fields added by later versions get their defaults.
 * Structs that the library fills may grow at their end.
 */
#ifndef BATCHMIG_H
#define BATCHMIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#define BM_VERSION_MAJOR 0
#define BM_VERSION_MINOR 1
#define BM_VERSION_PATCH 0

/*
 * bm_version - version of the library at run time, "MAJOR.MINOR.PATCH".
 * The string is static. Never blocks, any thread, cannot fail. Since 0.1.
 */
const char *bm_version(void);

/* -------------------------------------------------------------- options */

/* Value of an integer option that leaves the choice to the environment. */
#define BM_OPTION_UNSET INT64_MIN

enum bm_log_level {
	BM_LOG_NONE = 0,
	BM_LOG_ERROR,
	BM_LOG_WARN,
	BM_LOG_INFO,
	BM_LOG_DEBUG,
};

/*
 * bm_log_fn - receives one finished line without its newline.
 * @user: bm_options.log_user. @level: enum bm_log_level. @line: valid during
 * the call only. It may run in any thread that is inside a call of this
 * context, also in two at once, and must not call into the library.
 */
typedef void bm_log_fn(void *user, int level, const char *line);

/*
 * struct bm_options - how a context behaves.
 * A field that is NULL or BM_OPTION_UNSET takes its value from the
 * environment, and when that is silent from the default. The strings are
 * copied by bm_context_new(). bm_info_option() lists range and default.
 */
struct bm_options {
	size_t size;
	const char *backend;   /* BATCHMIG_BACKEND: preference list, "auto", "kernel", "cpu" */
	const char *mover;     /* BATCHMIG_MOVER: "auto", "swap", "move_pages" or "mbind" */
	const char *quiet;     /* BATCHMIG_QUIET: "no", "yes" or "strict" */
	const char *log_level; /* BATCHMIG_LOG: "none" to "debug" */
	int64_t threads;       /* BATCHMIG_THREADS: at most so many per batch (64), 0: auto */
	int64_t call_pages;    /* BATCHMIG_CALL_PAGES: base pages per kernel call */
	int64_t retries;       /* BATCHMIG_RETRIES: of a transient failure */
	int64_t retry_us;      /* BATCHMIG_RETRY_US: first back-off, microseconds */
	bm_log_fn *log;        /* NULL: standard error */
	void *log_user;
	const char *copy_loop; /* BATCHMIG_COPY_LOOP: of the backend cpu, "auto" measures */
	int64_t chunk_kb; /* BATCHMIG_CHUNK_KB: most out of reach at a time, KiB; 0: a huge page */
	int64_t pool_mb;  /* BATCHMIG_POOL_MB: pages kept for swap, MiB per node */
	int64_t local_ranks;  /* BATCHMIG_LOCAL_RANKS: processes that share pool_mb, 0: asks MPI */
	int64_t pool_idle_ms; /* BATCHMIG_POOL_IDLE_MS: unused so long pages are given back */
	const char *spread;   /* BATCHMIG_SPREAD: threads over last-level caches, "off" or "on" */
	const char *pool_refill; /* BATCHMIG_POOL_REFILL: "off" or "on", what a batch found lacking
				  * in the pool is populated after it, in the background */
	int64_t max_stall_us;    /* BATCHMIG_MAX_STALL_US: see "The bound of the window"; 0: none */
	const char *bound;       /* BATCHMIG_BOUND: "strict" or "wish" */
	int64_t max_bytes_per_s; /* BATCHMIG_MAX_BYTES_PER_S: of all batches together; 0: any */
	const char *profile;     /* BATCHMIG_PROFILE: file of bm_tune(); "": measures shortly */
	const char *stats;       /* BATCHMIG_STATS: "1" reports the sums of the context when it is
				  * freed, or else when the process exits; "0" does not */
	const char *stats_file;  /* BATCHMIG_STATS_FILE: the report is added to this file, "%p" is
				  * the process's id; "": standard error */
};

/*
 * bm_options_init - every field unset.
 * @options: to be initialised. @size: sizeof(struct bm_options) of the caller.
 * Returns 0, or -EINVAL when @options is NULL or @size is impossible.
 * Never blocks, any thread. Since 0.1.
 */
int bm_options_init(struct bm_options *options, size_t size);

/*
 * bm_options_check - would bm_context_new() accept this? And if not, why?
 * @options: NULL for the environment alone. @why: NULL, or a buffer of @size
 * bytes that gets one line (empty on success) naming the option, the value
 * and what is allowed; cut to fit.
 * Returns 0; -EINVAL a value is not allowed; -E2BIG @options comes from a
 * newer header and sets a field this library does not know; -ENODEV no
 * backend of the list, or not the mover, can be had on this machine; -ENOMEM.
 * Reads the environment with secure_getenv(). Any thread. Since 0.1.
 */
int bm_options_check(const struct bm_options *options, char *why, size_t size);

/* -------------------------------------------------------------- context */

struct bm_context;

/*
 * bm_context_new - a context of its own.
 * @options: NULL for environment and defaults. @context: gets the handle,
 * owned by the caller, to be freed with bm_context_free(). It keeps up to
 * 2 MiB of working memory from one batch for the next.
 * Returns 0, or what bm_options_check() returns; -EINVAL also for a NULL
 * @context. The reason is logged at level error. Any thread. Since 0.1.
 */
int bm_context_new(const struct bm_options *options, struct bm_context **context);

/*
 * bm_context_free - frees a context; NULL is allowed and does nothing.
 * Waits until its batches in flight are complete and their callbacks have
 * returned; cancel them before to make that short. Their handles stay valid
 * until they are freed. Returns 0, or -EDEADLK in a callback of the context:
 * nothing is freed then. In a forked child it frees the memory only. Since 0.1.
 *
 * The default context, used wherever a call gets NULL, is made at first use
 * from the environment, lives as long as the process and cannot be freed.
 * When the environment is bad every such call gives the error of
 * bm_options_check(NULL, ...).
 */
int bm_context_free(struct bm_context *context);

/* -------------------------------------------------------------- requests */

/* Flags of a request; every other bit is -EINVAL. */
#define BM_MOVE_ALL   (UINT64_C(1) << 0) /* also pages shared with other processes; CAP_SYS_NICE */
#define BM_BIND       (UINT64_C(1) << 1) /* afterwards mbind the ranges to the target, see below */
#define BM_QUIET      (UINT64_C(1) << 2) /* the quiet promise, see the top of this file */
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
 * Why a page is not where it was asked to be, or was moved in another way:
 * the reasons from BM_REASON_NO_PROMISE to BM_REASON_KSM are those for which the mover swap,
 * where it was asked for by name or the promise given, left a page to the
 * kernel; they are told only of pages that are on their target (moved by the
 * kernel, or already there), else the reason of the failure is.
 */
enum bm_reason {
	BM_REASON_NONE = 0,     /* moved, as asked */
	BM_REASON_ALREADY,      /* was on its target before */
	BM_REASON_ABSENT,       /* never touched or swapped out (-ENOENT) */
	BM_REASON_UNMAPPED,     /* not mapped, zero page or special mapping (-EFAULT) */
	BM_REASON_SHARED,       /* mapped by others too (-EACCES) */
	BM_REASON_BUSY,         /* pinned or under I/O (-EBUSY) */
	BM_REASON_TARGET_FULL,  /* no free page on the target (-ENOMEM) */
	BM_REASON_NO_NODE,      /* target is no node with memory (-ENODEV) */
	BM_REASON_CPUSET,       /* target outside the cpuset (-EACCES) */
	BM_REASON_REFUSED,      /* the kernel refused the call: privilege, seccomp (-EPERM) */
	BM_REASON_CONTRADICTED, /* another entry asked for another node */
	BM_REASON_MOVED_AWAY,   /* reached its target, then reclaim, NUMA balancing or
				 * somebody else moved it on */
	BM_REASON_NO_BIND,      /* moved, but mbind() for BM_BIND failed */
	BM_REASON_POISONED,     /* broken memory (-EHWPOISON) */
	BM_REASON_GONE,         /* the process ended (-ESRCH) */
	BM_REASON_OTHER,        /* any other errno of the kernel */
	BM_REASON_NO_PROMISE,   /* swap was named, but nobody gave the quiet promise */
	BM_REASON_NO_PRIVILEGE, /* no userfaultfd for this process, see bm_info_mover() */
	BM_REASON_OLD_KERNEL,   /* no UFFDIO_MOVE (Linux < 6.8) */
	BM_REASON_FOREIGN,      /* page of another process */
	BM_REASON_PINNED,       /* pinned for DMA, or not yet written since a child went away */
	BM_REASON_COW_SHARED,   /* shared with a forked child; or BM_REASON_KSM where that
				 * cannot be told */
	BM_REASON_FILE,         /* of a file, or shared memory */
	BM_REASON_HUGETLB,      /* of hugetlbfs */
	BM_REASON_LARGE_FOLIO,  /* may be of a large folio that swap would split (mTHP) */
	BM_REASON_READ_ONLY,    /* of a mapping that is not both readable and writable */
	BM_REASON_LOCKED,       /* locked in memory, and the pool could not be locked */
	BM_REASON_OTHER_UFFD,   /* of a mapping with a userfaultfd of the application's own */
	BM_REASON_OWN_MEMORY,   /* of this library, or of the stack of a thread that migrates */
	BM_REASON_NO_POOL,      /* the pool had no page of the target and got none */
	BM_REASON_CHEAPER,      /* the kernel was expected to be faster, or less disturbing */
	BM_REASON_CHANGED,      /* unmapped, remapped, locked or protected meanwhile */
	BM_REASON_NO_MAPS,      /* registration failed: vm.max_map_count, no memory */
	BM_REASON_BACKEND,      /* the backend did not copy it */
	BM_REASON_KSM,          /* merged with others by KSM; told only with CAP_SYS_ADMIN, and by
				 * kernels with a right /proc/kpageflags (Linux 6.12 says of each
				 * anonymous page that it is merged) */
	BM_REASON_CANCELED,     /* not tried any more (-ECANCELED) */
	BM_REASON_BOUND,        /* would be out of reach for too long (-ETIME) */
	BM_REASON_COUNT
};
/* Entries of the arrays that are indexed by a reason; reasons grow up to it. */
#define BM_REASON_SLOTS 64

/* Number of pages by errno; unused slots have pages == 0. */
#define BM_ERRNO_SLOTS 12
struct bm_errno_count {
	int error; /* positive errno; 0: on another node than asked */
	uint64_t pages;
};

/* What became of a number of pages (in base pages, see bm_info_page_size). */
struct bm_tally {
	uint64_t pages;   /* looked at: moved + already + failed */
	uint64_t moved;   /* on the target now, and not known to have been there before:
			   * without reasons only some pages are asked about before */
	uint64_t already; /* were on the target before */
	uint64_t failed;  /* everything else, also what is absent */
	uint64_t retried; /* pages tried more than once; not told of single ranges */
	struct bm_errno_count by_errno[BM_ERRNO_SLOTS]; /* splits @failed, largest first */
};

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
 * with all signals blocked and a stack of 256 KiB; see "Callbacks" above. The
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

/*
 * bm_migrate_batch - the short synchronous form, in the shape of move_pages(2).
 * @count: entries. @pages: an address in each page. @nodes: target of each.
 * @status: written for every page. @flags: those of a request.
 * Returns 0 when every page is on its node, the number that are not when
 * > 0, or the errors of bm_submit() and bm_batch_wait(), and -EDEADLK (see
 * "Callbacks"): nothing was tried then and status is not written. A count of 0 is 0 and touches nothing
 * (flags are checked). Blocks until done; any thread. Since 0.1.
 */
long bm_migrate_batch(struct bm_context *context, size_t count, void *const *pages,
		      const int *nodes, int *status, uint64_t flags);

/*
 * bm_migrate_ranges - the short synchronous form for address ranges.
 * @count: of @ranges. @ranges: see struct bm_range. @range_size: sizeof(struct
 * bm_range) of the caller.
 * Returns as bm_batch_wait() does, or the errors of bm_submit(): nothing was
 * tried then, but error and tally of ranges may be written. Since 0.1.
 */
long bm_migrate_ranges(struct bm_context *context, size_t count, struct bm_range *ranges,
		       size_t range_size, uint64_t flags);

/*
 * struct bm_estimate - what a batch would cost. Of memory as it is now; what
 * is measured while batches run makes it better.
 */
struct bm_estimate {
	uint64_t pages;         /* entries; ranges: base pages that are there */
	uint64_t already;       /* of these: on their target */
	uint64_t absent;        /* nothing there to move (of ranges: not counted) */
	uint64_t bounded;       /* would be left for the sake of max_stall_us */
	uint64_t bytes;         /* that would move */
	uint64_t bytes_swapped; /* of these: by the mover swap */
	uint64_t ns;            /* wall time of it, nanoseconds; no pauses for others */
	uint64_t ns_window_max; /* 999 of 1000 windows or calls would be shorter */
	unsigned int threads;   /* most at once */
};

/*
 * bm_estimate - what a batch would cost, before it is submitted.
 * @context, @request: as for bm_submit(); nothing moves, and no output of the
 * request is written. @estimate: filled up to @size, sizeof(struct bm_estimate)
 * of the caller.
 * Looks at every page: about 130 ns for each. With the quiet promise the first
 * one measures the machine for some milliseconds, like the first batch.
 * Returns 0; -EINVAL also for NULL and an impossible size; or the errors of
 * bm_submit() and bm_batch_wait(). Any thread. Since 0.1.
 */
int bm_estimate(struct bm_context *context, const struct bm_request *request,
		struct bm_estimate *estimate, size_t size);

/*
 * bm_tune - measures the machine thoroughly and writes what it finds.
 * @context: NULL for the default one: its log hears of the progress at level
 * info. @path: the file that is written, over an old one only when all is well;
 * to be named by the option profile. It says of which machine it is (kernel
 * release, CPU model, CPUs, nodes, page sizes): where that does not fit any
 * more it is not used, and bm_info_kernel() and the log at level warn say so.
 * Measures copy loops, sizes of chunks, the pool, the kernel, and threads, for
 * base pages and huge pages, from each node with memory to each other one: some
 * tenths of a second for each pair, in which it moves memory of its own to and
 * fro. The machine should be idle.
 * Returns 0; -EINVAL NULL @path; -EPERM, -ENOSYS, -EOPNOTSUPP, -ENOMEM no swap
 * here, see bm_info_mover(); or the errno of writing the file. Any thread.
 * Since 0.1.
 */
int bm_tune(struct bm_context *context, const char *path);

/* -------------------------------------------------------------- questions */

/* What a page is; several bits may be set. */
#define BM_PAGE_PRESENT  (1u << 0) /* has memory now */
#define BM_PAGE_SWAPPED  (1u << 1)
#define BM_PAGE_ZERO     (1u << 2) /* the shared zero page (Linux >= 6.7) */
#define BM_PAGE_HUGE     (1u << 3) /* mapped as a huge page: THP, or hugetlb (Linux >= 6.7) */
#define BM_PAGE_HUGETLB  (1u << 4) /* from hugetlbfs or MAP_HUGETLB */
#define BM_PAGE_FILE     (1u << 5) /* page cache or shared memory */
#define BM_PAGE_SHARED   (1u << 6) /* mapped more than once: by others, or twice */
#define BM_PAGE_UNMAPPED (1u << 7) /* no mapping at this address */

/*
 * bm_query_pages - where pages are and what they are; nothing moves.
 * @pid: 0 for this process; for another one the access rule of bm_submit().
 * @count: entries of the arrays. @pages: an address in each page.
 * @status: NULL, or gets the node or -errno of each page (-ENOENT absent,
 * -EFAULT not mapped or zero page). @kinds: NULL, or gets the BM_PAGE_ bits.
 * Returns the number of pages that are present, or -EINVAL (NULL pages, both
 * outputs NULL, pid negative), -E2BIG, -EPERM, -ESRCH, -ENOSYS, -ENOMEM,
 * -ESTALE, for kinds also the errors of opening /proc/PID/pagemap as in
 * bm_submit(); after an error the first entries may be written. Costs about
 * 120 ns per page for the node, 20 ns for the kind on contiguous pages. Any
 * thread. Since 0.1.
 */
long bm_query_pages(struct bm_context *context, pid_t pid, size_t count, void *const *pages,
		    int *status, unsigned int *kinds);

/* A run of pages that are alike. */
struct bm_extent {
	uint64_t addr;     /* page-aligned */
	uint64_t length;   /* bytes */
	int node;          /* -ENOENT: not told, see bm_scan_next() */
	unsigned int kind; /* BM_PAGE_ bits */
};

/*
 * struct bm_scan - a walk over the address space. bm_scan_init() first.
 */
struct bm_scan {
	size_t size;
	pid_t pid;                 /* 0: this process */
	uint64_t start;            /* first address; in and out: where to go on */
	uint64_t end;              /* first address not looked at */
	struct bm_extent *extents; /* out: runs of present pages, ascending */
	size_t extent_size;        /* sizeof(struct bm_extent) of the caller */
	size_t max;                /* room in extents */
};

/*
 * bm_scan_init - an empty scan of this process.
 * @scan: to be initialised. @size: sizeof(struct bm_scan) of the caller.
 * Returns 0, or -EINVAL when @scan is NULL or @size is impossible.
 * Never blocks, any thread. Since 0.1.
 */
int bm_scan_init(struct bm_scan *scan, size_t size);

/*
 * bm_scan_next - the next runs of present pages from scan->start.
 * Holes, swapped pages and zero pages are passed over. Linux 6.1 to 6.4 do
 * not tell the node of a page that NUMA balancing has marked: it is -ENOENT
 * here and in bm_query_pages(); such pages can be moved nevertheless. Sets scan->start to
 * where the next call goes on; the walk is over when scan->start >= scan->end
 * (a call may give 0 extents before that). Pages that come or go meanwhile
 * may be missed or reported as they were.
 * Returns the number of extents written, or -EINVAL (NULL, sizes, start not
 * page-aligned, end in the last page of 64 bits, max 0), -EPERM, -ESRCH,
 * -ENOSYS, -ENOMEM, -ESTALE, or the errors of opening /proc/PID/pagemap as
 * in bm_submit().
 * Looks at no more than 64 Ki present pages a call. One scan: one thread at
 * a time. Since 0.1.
 */
long bm_scan_next(struct bm_context *context, struct bm_scan *scan);

/* -------------------------------------------------------------- facts as data */

struct bm_info;

/* A NUMA node. */
struct bm_node_info {
	int id;               /* ids may be sparse */
	unsigned int cpus;    /* number of CPUs; 0: memory only, like CXL */
	const char *cpu_list; /* "0-3,8", empty without CPUs */
	uint64_t memory_bytes;
	uint64_t free_bytes; /* when the snapshot was taken */
	int tier;            /* memory tier, -1 unknown (Linux < 6.1) */
	int allowed;         /* 1: within this process's cpuset */
	size_t distances;    /* entries of distance */
	const int *distance; /* to the node at each index of bm_info_node() */
};

/* A fact about the kernel that matters here. */
struct bm_fact {
	const char *name; /* "userfaultfd", "PAGEMAP_SCAN", ... */
	const char *value;
	const char *note; /* what follows from it; may be empty */
};

/* A mover or a backend. */
struct bm_facility {
	const char *name;
	int usable;         /* 1: here and now, by this process */
	const char *why;    /* usable: what it does; otherwise why not */
	const char *remedy; /* what would make it usable; empty when usable */
};

/* A row of the option table. */
struct bm_option_info {
	const char *name;     /* field of struct bm_options */
	const char *env;      /* environment variable */
	const char *type;     /* "integer", "choice", "list", "text" */
	const char *allowed;  /* "0..64", "auto|move_pages|mbind|swap" */
	const char *unit;     /* "", or what is counted: "pages", "us", "MiB", "bytes/s", ... */
	const char *standard; /* the default, as text */
	const char *doc;      /* one line */
	const char *value;    /* in this context, as text */
	const char *source;   /* "option", "environment", "default" */
};

/*
 * bm_info_new - a snapshot of nodes, kernel facts, movers, backends, options.
 * @context: NULL for the default one. @info: gets the snapshot, owned by the
 * caller, to be freed with bm_info_free().
 * Returns 0, -EINVAL, -ENOMEM, -ESTALE. Reads sysfs and procfs: about a
 * millisecond. Any thread; afterwards the snapshot is constant. Since 0.1.
 */
int bm_info_new(struct bm_context *context, struct bm_info **info);

/* bm_info_free - frees a snapshot; NULL does nothing. Since 0.1. */
void bm_info_free(struct bm_info *info);

/*
 * bm_info_node - a node of a snapshot, ascending by id.
 * @index: from 0 until NULL is returned. What it points to lives as long as
 * the snapshot. Never blocks; any thread. Since 0.1.
 */
const struct bm_node_info *bm_info_node(const struct bm_info *info, size_t index);

/* bm_info_kernel - a kernel fact; rules of bm_info_node(). Since 0.1. */
const struct bm_fact *bm_info_kernel(const struct bm_info *info, size_t index);

/* bm_info_mover - a mover; rules of bm_info_node(). Since 0.1. */
const struct bm_facility *bm_info_mover(const struct bm_info *info, size_t index);

/* bm_info_backend - a backend; rules of bm_info_node(). Since 0.1. */
const struct bm_facility *bm_info_backend(const struct bm_info *info, size_t index);

/* bm_info_option - a row of the option table; rules of bm_info_node(). Since 0.1. */
const struct bm_option_info *bm_info_option(const struct bm_info *info, size_t index);

/*
 * bm_info_page_size - bytes of a base page; bm_info_huge_size - bytes of a
 * page mapped by one PMD entry (2 MiB on x86-64), 0 without such pages.
 * Never block; any thread; 0 for a NULL snapshot. Since 0.1.
 */
size_t bm_info_page_size(const struct bm_info *info);
size_t bm_info_huge_size(const struct bm_info *info);

/* -------------------------------------------------------------- statistics */

/* Sums over all batches of a context that were tried and are complete. */
struct bm_stats {
	uint64_t calls; /* batches */
	struct bm_tally tally;
	uint64_t bytes_asked; /* base pages of the tally, in bytes */
	uint64_t bytes_moved;
	uint64_t kernel_calls;
	uint64_t ns_plan; /* nanoseconds in each phase */
	uint64_t ns_classify;
	uint64_t ns_move;
	uint64_t ns_verify;
	uint64_t reasons[BM_REASON_SLOTS];
	uint64_t bytes_swapped; /* as in struct bm_report */
	uint64_t windows;
	uint64_t ns_window;
	uint64_t ns_window_max;
	uint64_t ns_window_p50;
	uint64_t ns_window_p99;
	uint64_t ns_window_p999;
	uint64_t windows_late;
	uint64_t windows_preempted;
	uint64_t ns_call_max;
};

/*
 * bm_stats_get - the sums so far.
 * @stats: filled up to @size, sizeof(struct bm_stats) of the caller.
 * Returns 0, -EINVAL, -ESTALE. A batch that completes meanwhile is counted
 * wholly or not at all. Any thread. Since 0.1.
 */
int bm_stats_get(struct bm_context *context, struct bm_stats *stats, size_t size);

/* What the pool of a context holds of a node, and what became of requests. */
struct bm_pool_stats {
	int node;
	uint64_t base_bytes; /* resident base pages, ready for a migration to this node */
	uint64_t huge_bytes; /* resident huge pages */
	uint64_t most_bytes; /* the most that is kept: pool_mb by the number of local ranks */
	uint64_t recycled;   /* bytes that came out of migrations and were used again */
	uint64_t populated;  /* bytes that were allocated for want of such, also in advance */
	uint64_t released;   /* bytes given back to the kernel */
};

/*
 * bm_pool_get - what the pool of a context holds, node by node.
 * @pools: gets up to @max entries of @size, sizeof(struct bm_pool_stats) of
 * the caller; NULL with @max 0 only counts.
 * Returns the number of nodes the pool has something to say about (it may be
 * above @max), or -EINVAL, -ESTALE. Any thread. Since 0.1.
 */
long bm_pool_get(struct bm_context *context, struct bm_pool_stats *pools, size_t size, size_t max);

/*
 * bm_quiesce - closes the process's userfaultfd, ends the threads that serve
 * it, and gives all pages of all pools back to the kernel: for checkpointers
 * such as CRIU, before a program gives away memory, and for tools that count
 * descriptors. Waits until no page is out of reach. The next batch with the
 * mover swap opens everything anew.
 * Returns 0. Any thread, but not beside a batch: that would only make it wait
 * for the end of windows again and again. Since 0.1.
 */
int bm_quiesce(void);

/* bm_stats_reset - back to zero. Returns 0 or -ESTALE. Any thread. Since 0.1. */
int bm_stats_reset(struct bm_context *context);

/* -------------------------------------------------------------- texts */

/*
 * bm_error_text - what an errno means in this library.
 * @error: a status or return value, positive or negative. Static string,
 * never NULL. Any thread. Since 0.1.
 */
const char *bm_error_text(int error);

/*
 * bm_reason_name, bm_reason_text - a reason as a word for scripts ("busy"),
 * and as a sentence. @reason: enum bm_reason. Static strings, never NULL:
 * "unknown" for a number out of range. Any thread. Since 0.1.
 */
const char *bm_reason_name(int reason);
const char *bm_reason_text(int reason);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif /* BATCHMIG_H */
