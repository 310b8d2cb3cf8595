/* SPDX-License-Identifier: MIT */
/* results.h - what became of pages: why, and how many. */
#ifndef BATCHMIG_RESULTS_H
#define BATCHMIG_RESULTS_H

#include <stdint.h>

#include "linkage.h"

BATCHMIG_BEGIN

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

BATCHMIG_END

#endif /* BATCHMIG_RESULTS_H */
