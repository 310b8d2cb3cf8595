/* SPDX-License-Identifier: MIT */
/* stats_text.h - the sums of a context, and what its pool holds, for people. */
#ifndef BM_STATS_TEXT_H
#define BM_STATS_TEXT_H

#include "batchmig.h"

#define BM_STATS_POOLS 64 /* nodes that are told of */

struct bm_stats_view {
	pid_t pid;
	struct bm_stats stats;
	struct bm_pool_stats pools[BM_STATS_POOLS];
	size_t pool_count;
};

/* Lines, each with its newline; cut where the buffer ends. Returns their length. */
size_t bm_stats_text(const struct bm_stats_view *view, char *buffer, size_t size);

/* The name of a file with "%p" replaced; cut where the buffer ends. */
void bm_stats_path(const char *name, pid_t pid, char *buffer, size_t size);

#endif
