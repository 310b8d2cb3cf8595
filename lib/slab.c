/* SPDX-License-Identifier: MIT */
/* slab.c - mapping, populating, locating and giving back memory of the pool. */
#include "slab.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bits.h"
#include "claims.h"
#include "mempolicy.h"
#include "pagemap.h"
#include "uffd_abi.h"
#include "uffd_move.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define WORDS (BM_SLAB_PAGES / 64)

/* ---------------------------------------------------------------- mapping */

static int set_up(const struct bm_slab_env *env, struct bm_uffd *uffd, uint64_t start,
		  uint64_t length, struct bm_lane lane)
{
	const struct bm_sys *sys = env->sys;
	struct bm_uffd_register arg = {{start, length}, BM_UFFD_MODE_WP, 0};
	/* Any explicit policy keeps NUMA balancing away; pages are placed by bm_slab_populate(). */
	struct bm_policy local = {.mode = MPOL_LOCAL};
	int rc = sys->madvise(start, length, MADV_DONTFORK);

	if (rc == 0)
		rc = sys->madvise(start, length, lane.huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	/* A kernel without huge pages knows neither. */
	if (rc == -EINVAL && !lane.huge)
		rc = 0;
	if (rc == 0 && env->many_nodes)
		rc = bm_policy_set(sys, start, start + length, &local);
	if (rc == 0 && lane.locked)
		rc = sys->mlock(start, length, 1);
	return rc < 0 ? rc : sys->ioctl(uffd->fd, BM_UFFDIO_REGISTER, &arg);
}

static void fill_slabs(struct bm_mapping *mapping, uint64_t start, uint64_t size,
		       struct bm_lane lane)
{
	for (size_t i = 0; i < BM_MAPPING_SLABS; i++) {
		mapping->slabs[i].start = start + i * size;
		mapping->slabs[i].lane = lane;
		mapping->slabs[i].node = -1;
	}
}

int bm_mapping_map(const struct bm_slab_env *env, struct bm_uffd *uffd, struct bm_lane lane,
		   struct bm_mapping **mapping)
{
	const struct bm_sys *sys = env->sys;
	uint64_t size = lane.huge ? env->huge_size : BM_SLAB_PAGES * env->page_size;
	uint64_t length = BM_MAPPING_SLABS * size, start;
	struct bm_mapping *made =
		sys->alloc(1, sizeof(*made) + BM_MAPPING_SLABS * sizeof(made->slabs[0]));
	int rc;

	if (!made)
		return -ENOMEM;
	/* Room to align, and a page at the end that keeps this mapping and the next one apart. */
	made->length = length + size + env->page_size;
	rc = sys->map(made->length, 0, &made->start);
	if (rc == 0) {
		start = (made->start + size - 1) & ~(size - 1);
		rc = made->claim =
			bm_claim(uffd, BM_CLAIM_OWN, made->start, made->start + made->length);
		if (rc >= 0)
			rc = set_up(env, uffd, start, length, lane);
		if (rc < 0) {
			bm_mapping_unmap(env, uffd, made);
			return rc;
		}
		fill_slabs(made, start, size, lane);
		*mapping = made;
		return 0;
	}
	free(made);
	return rc;
}

void bm_mapping_unmap(const struct bm_slab_env *env, struct bm_uffd *uffd,
		      struct bm_mapping *mapping)
{
	env->sys->unmap(mapping->start, mapping->length);
	if (mapping->claim >= 0)
		bm_claim_end(uffd, mapping->claim);
	free(mapping);
}

/* ---------------------------------------------------------------- nodes */

static uint64_t address_of(const struct bm_slab_env *env, const struct bm_slab *slab, uint32_t page)
{
	return slab->start + page * env->page_size;
}

/* Asks where the resident pages are; nodes[i] of page i. */
static int ask_nodes(const struct bm_slab_env *env, const struct bm_slab *slab, int *nodes)
{
	uint32_t end = slab->lane.huge ? 1 : BM_SLAB_PAGES, count = 0, page = 0;
	void *pages[BM_SLAB_PAGES];
	int status[BM_SLAB_PAGES];
	long rc;

	if (slab->lane.huge) {
		pages[count++] = (void *)(uintptr_t)slab->start;
	} else {
		while ((page = bm_bits_next(slab->resident, page, end, 1)) < end)
			pages[count++] = (void *)(uintptr_t)address_of(env, slab, page++);
	}
	rc = env->sys->move_pages(0, count, pages, NULL, status, 0);
	if (rc < 0)
		return (int)rc;
	for (uint32_t i = 0; i < count; i++)
		nodes[((uint64_t)(uintptr_t)pages[i] - slab->start) / env->page_size] = status[i];
	return 0;
}

static void release_pages(const struct bm_slab_env *env, struct bm_slab *slab, uint32_t first,
			  uint32_t end)
{
	env->sys->madvise(address_of(env, slab, first), (end - first) * env->page_size,
			  BM_MADV_RELEASE);
	bm_bits_clear(slab->resident, first, end);
}

/* Gives back what is on another node. */
static void keep_only(const struct bm_slab_env *env, struct bm_slab *slab, const int *nodes,
		      int node)
{
	uint32_t end = BM_SLAB_PAGES, page = 0;

	slab->node = node;
	if (slab->lane.huge) {
		if (nodes[0] != node)
			bm_slab_release(env, slab);
		return;
	}
	while ((page = bm_bits_next(slab->resident, page, end, 1)) < end) {
		uint32_t first = page;

		while (page < end && bm_bit(slab->resident, page) && nodes[page] != node)
			page++;
		if (page > first)
			release_pages(env, slab, first, page);
		else
			page++;
	}
	slab->count = bm_bits_count(slab->resident, WORDS);
}

/* The node of most of the first pages; they come from one place nearly always. */
static int usual_node(const struct bm_slab *slab, const int *nodes)
{
	uint32_t end = BM_SLAB_PAGES, page = 0, votes = 0;
	int node = -1;

	if (slab->lane.huge)
		return nodes[0];
	for (; (page = bm_bits_next(slab->resident, page, end, 1)) < end; page++) {
		if (votes == 0)
			node = nodes[page];
		votes += nodes[page] == node ? 1u : -1u;
	}
	return node;
}

void bm_slab_locate(const struct bm_slab_env *env, struct bm_slab *slab)
{
	int nodes[BM_SLAB_PAGES], node;

	if (slab->count == 0)
		return;
	if (ask_nodes(env, slab, nodes) < 0 || (node = usual_node(slab, nodes)) < 0)
		bm_slab_release(env, slab);
	else
		keep_only(env, slab, nodes, node);
}

/* ---------------------------------------------------------------- populating */

static int populate_range(const struct bm_slab_env *env, uint64_t start, uint64_t length)
{
	return env->sys->madvise(start, length, MADV_POPULATE_WRITE);
}

static int populate_huge(const struct bm_slab_env *env, struct bm_slab *slab)
{
	int rc = populate_range(env, slab->start, env->huge_size);

	slab->count = 1;
	if (rc == 0 && bm_pagemap_is_huge(env->sys, env->pagemap, slab->start, env->page_size))
		return 0;
	/* Base pages leave page tables, in which a huge page would be split. */
	bm_slab_release(env, slab);
	return -ENOMEM;
}

static int populate_base(const struct bm_slab_env *env, struct bm_slab *slab, uint32_t pages)
{
	uint32_t page = 0;

	while (slab->count < pages) {
		uint32_t first = bm_bits_next(slab->resident, page, BM_SLAB_PAGES, 0);
		uint32_t end = bm_bits_next(slab->resident, first, BM_SLAB_PAGES, 1);
		int rc;

		if (end - first > pages - slab->count)
			end = first + (pages - slab->count);
		rc = populate_range(env, address_of(env, slab, first),
				    (end - first) * env->page_size);
		if (rc < 0) {
			/* Some of them may be there. */
			release_pages(env, slab, first, end);
			return -ENOMEM;
		}
		bm_bits_set(slab->resident, first, end);
		slab->count += end - first;
		page = end;
	}
	return 0;
}

/* A strict policy would call the OOM killer when the node is full. */
static int prefer(const struct bm_slab_env *env, const struct bm_slab *slab, int node)
{
	uint64_t end = slab->start + bm_slab_size(env, slab);

	return env->many_nodes ? bm_policy_prefer(env->sys, slab->start, end, node, 0) : 0;
}

static void prefer_none(const struct bm_slab_env *env, const struct bm_slab *slab)
{
	struct bm_policy local = {.mode = MPOL_LOCAL};

	if (env->many_nodes)
		bm_policy_set(env->sys, slab->start, slab->start + bm_slab_size(env, slab), &local);
}

int bm_slab_populate(const struct bm_slab_env *env, struct bm_slab *slab, int node, uint32_t pages)
{
	int nodes[BM_SLAB_PAGES];
	int rc = prefer(env, slab, node);

	if (rc == 0) {
		rc = slab->lane.huge ? populate_huge(env, slab) : populate_base(env, slab, pages);
		prefer_none(env, slab);
	}
	slab->node = node;
	if (rc < 0 || !env->many_nodes)
		return rc;
	rc = ask_nodes(env, slab, nodes);
	if (rc < 0) {
		bm_slab_release(env, slab);
		return rc;
	}
	keep_only(env, slab, nodes, node);
	return slab->count < (slab->lane.huge ? 1 : pages) ? -ENOMEM : 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int bm_slab_merge(const struct bm_slab_env *env, struct bm_uffd *uffd, struct bm_slab *to,
		  struct bm_slab *from, uint32_t pages)
{
	while (to->count < pages && from->count > 0) {
		uint32_t source = bm_bits_next(from->resident, 0, BM_SLAB_PAGES, 1);
		uint32_t end = bm_bits_next(from->resident, source, BM_SLAB_PAGES, 0);
		uint32_t hole = bm_bits_next(to->resident, 0, BM_SLAB_PAGES, 0);
		uint32_t stop = bm_bits_next(to->resident, hole, BM_SLAB_PAGES, 1);
		uint32_t run = least(least(end - source, stop - hole), pages - to->count);
		long moved = bm_uffd_move(uffd, address_of(env, to, hole),
					  address_of(env, from, source), run * env->page_size, 0);

		if (moved < 0)
			return (int)moved;
		moved /= (long)env->page_size;
		bm_bits_set(to->resident, hole, hole + (uint32_t)moved);
		bm_bits_clear(from->resident, source, source + (uint32_t)moved);
		to->count += (uint32_t)moved;
		from->count -= (uint32_t)moved;
	}
	return 0;
}

void bm_slab_relock(const struct bm_slab_env *env, const struct bm_slab *slab)
{
	env->sys->mlock(slab->start, bm_slab_size(env, slab), slab->lane.locked);
}

void bm_slab_release(const struct bm_slab_env *env, struct bm_slab *slab)
{
	env->sys->madvise(slab->start, bm_slab_size(env, slab), BM_MADV_RELEASE);
	for (uint32_t i = 0; i < WORDS; i++)
		slab->resident[i] = 0;
	slab->count = 0;
	slab->node = -1;
}
