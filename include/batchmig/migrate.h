/* SPDX-License-Identifier: MIT */
/* migrate.h - the synchronous calls. */
#ifndef BATCHMIG_MIGRATE_H
#define BATCHMIG_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "request.h"
#include "linkage.h"

BATCHMIG_BEGIN

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

BATCHMIG_END

#endif /* BATCHMIG_MIGRATE_H */
