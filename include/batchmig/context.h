/* SPDX-License-Identifier: MIT */
/* context.h - what holds options, threads, batches in flight and the pool. */
#ifndef BATCHMIG_CONTEXT_H
#define BATCHMIG_CONTEXT_H

#include "options.h"
#include "linkage.h"

BATCHMIG_BEGIN

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

BATCHMIG_END

#endif /* BATCHMIG_CONTEXT_H */
