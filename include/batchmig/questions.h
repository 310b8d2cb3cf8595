/* SPDX-License-Identifier: MIT */
/* questions.h - where pages are and what they are. */
#ifndef BATCHMIG_QUESTIONS_H
#define BATCHMIG_QUESTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "context.h"
#include "linkage.h"

BATCHMIG_BEGIN

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

BATCHMIG_END

#endif /* BATCHMIG_QUESTIONS_H */
