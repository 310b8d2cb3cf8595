/* SPDX-License-Identifier: MIT */
/*
 * batchmig.h - the whole public interface of libbatchmig, and its manual. What
 * holds for all of it is said here, under the titles that the parts name in
 * quotes; each part documents its own calls.
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
 *      bm_options_init, bm_context_new     once (or pass NULL: see bm_context_free)
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
 * it is moved nevertheless; one in 1000 of what is left is tried, since what was
 * measured may have been a pause of the machine. The bound holds for the
 * library's own work: where the scheduler takes the CPU away in a window, or an
 * application's call on the same mapping holds it up, the window is longer, and
 * is counted (bm_report.windows_late;
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

#include "batchmig/version.h"
#include "batchmig/options.h"
#include "batchmig/context.h"
#include "batchmig/results.h"
#include "batchmig/request.h"
#include "batchmig/batch.h"
#include "batchmig/migrate.h"
#include "batchmig/estimate.h"
#include "batchmig/tune.h"
#include "batchmig/questions.h"
#include "batchmig/info.h"
#include "batchmig/stats.h"
#include "batchmig/pool.h"
#include "batchmig/texts.h"

#endif /* BATCHMIG_H */
