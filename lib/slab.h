/* SPDX-License-Identifier: MIT */
/*
 * slab.h - memory of the pool: as much as a chunk can need, in one mapping.
 *
 * A slab is the graveyard or the staging of a window, or waits to be. It is
 * registered with the process's userfaultfd, for write protection only: a
 * registration for missing pages would make mlockall(2) hang on its holes.
 */
#ifndef BM_SLAB_H
#define BM_SLAB_H

#include "uffd.h"

#define BM_SLAB_PAGES 512u /* base pages of a slab of such */

/* Slabs that share mappings: moving pages takes a lock of the mapping before Linux 6.19. */
struct bm_lane {
	unsigned char seat;
	unsigned char huge;
	unsigned char locked; /* for ranges that are locked in memory */
};

struct bm_slab {
	struct bm_slab *next;
	uint64_t start;
	struct bm_lane lane;
	int node;                              /* of all resident pages */
	uint32_t count;                        /* of resident pages; a huge one is one */
	uint64_t resident[BM_SLAB_PAGES / 64]; /* those of base pages */
	uint64_t since_ns;                     /* when it was given to the pool */
	int is_held;                           /* an engine may still write to it */
	int is_orphan;                         /* and the pool it was of is no more */
};

/* What slabs are made with. */
struct bm_slab_env {
	const struct bm_sys *sys;
	uint64_t page_size, huge_size;
	int pagemap;    /* descriptor */
	int many_nodes; /* there is more than one with memory */
};

static inline uint64_t bm_slab_size(const struct bm_slab_env *env, const struct bm_slab *slab)
{
	return slab->lane.huge ? env->huge_size : BM_SLAB_PAGES * env->page_size;
}

static inline uint64_t bm_slab_bytes(const struct bm_slab_env *env, const struct bm_slab *slab)
{
	return slab->count * (slab->lane.huge ? env->huge_size : env->page_size);
}

/* A mapping of several slabs. */
struct bm_mapping {
	struct bm_mapping *next;
	uint64_t start, length; /* as mapped */
	int claim;
	struct bm_slab slabs[];
};

#define BM_MAPPING_SLABS 16u

/* 0 or -errno; the slabs are empty. */
int bm_mapping_map(const struct bm_slab_env *env, struct bm_uffd *uffd, struct bm_lane lane,
		   struct bm_mapping **mapping);
void bm_mapping_unmap(const struct bm_slab_env *env, struct bm_uffd *uffd,
		      struct bm_mapping *mapping);

/*
 * Makes at least `pages` of its pages resident on the node: 0, or -ENOMEM
 * when the node (or what the process may have) has no room for them.
 */
int bm_slab_populate(const struct bm_slab_env *env, struct bm_slab *slab, int node, uint32_t pages);

/*
 * Moves pages of one slab into holes of another one of the same node, until
 * that has so many or this has none. 0 or -errno: not all that could be.
 */
int bm_slab_merge(const struct bm_slab_env *env, struct bm_uffd *uffd, struct bm_slab *to,
		  struct bm_slab *from, uint32_t pages);

/*
 * mlockall(2) and munlockall(2) of the application change the mappings of the
 * pool, too: makes this part of them as its lane says again.
 */
void bm_slab_relock(const struct bm_slab_env *env, const struct bm_slab *slab);

/* Gives its memory back to the kernel. */
void bm_slab_release(const struct bm_slab_env *env, struct bm_slab *slab);

/* Finds out on which node the pages are; others than most are given back. */
void bm_slab_locate(const struct bm_slab_env *env, struct bm_slab *slab);

#endif
