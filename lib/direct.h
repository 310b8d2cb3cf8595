/* SPDX-License-Identifier: MIT */
/*
 * direct.h - new pages that the kernel takes from the node and copies into
 * itself (UFFDIO_COPY from the graveyard): where the pool has none, this saves
 * clearing them. Base pages only.
 */
#ifndef BM_DIRECT_H
#define BM_DIRECT_H

#include "chunk.h"
#include "mempolicy.h"

/* The thread's policy while its new pages are to come from one node. */
struct bm_aim {
	struct bm_policy before;
	int is_set;
};

/*
 * Makes new pages of the calling thread at `addr` come from the node, where
 * there is more than one: 0; -EPERM where the mapping has a policy of its own,
 * or that of the thread could not be put back.
 */
int bm_aim_take(const struct bm_slab_env *env, uint64_t addr, int node, struct bm_aim *aim);
void bm_aim_end(const struct bm_slab_env *env, const struct bm_aim *aim);

/* Forgets new pages of a chunk that came from another node: the node was full. */
void bm_direct_check(const struct bm_slab_env *env, struct bm_chunk *chunk);

#endif
