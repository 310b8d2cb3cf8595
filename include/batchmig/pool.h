/* SPDX-License-Identifier: MIT */
/* pool.h - what the pool holds, and how to empty it. */
#ifndef BATCHMIG_POOL_H
#define BATCHMIG_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "linkage.h"

BATCHMIG_BEGIN

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

BATCHMIG_END

#endif /* BATCHMIG_POOL_H */
