/* SPDX-License-Identifier: MIT */
/* direct.c - aims at a node, and looks where the pages have come from. */
#include "direct.h"

#include <errno.h>
#include <linux/mempolicy.h>

#include "bits.h"

#define TRIES 1000

int bm_aim_take(const struct bm_slab_env *env, uint64_t addr, int node, struct bm_aim *aim)
{
	struct bm_policy wanted, governs;

	aim->is_set = 0;
	if (!env->many_nodes)
		return 0;
	wanted = bm_policy_of_node(MPOL_PREFERRED, node);
	if (bm_policy_get_thread(env->sys, &aim->before) < 0 ||
	    !bm_policy_restorable(&aim->before) || bm_policy_set_thread(env->sys, &wanted) < 0)
		return -EPERM;
	aim->is_set = 1;
	if (bm_policy_get(env->sys, addr, &governs) == 0 && bm_policy_same(&governs, &wanted))
		return 0;
	bm_aim_end(env, aim);
	return -EPERM;
}

void bm_aim_end(const struct bm_slab_env *env, const struct bm_aim *aim)
{
	/* The kernel needs memory for a policy: the thread is the application's, and keeps its own. */
	for (int tries = 0; aim->is_set && tries < TRIES; tries++) {
		if (bm_policy_set_thread(env->sys, &aim->before) != -ENOMEM)
			return;
		env->sys->yield();
	}
}

void bm_direct_check(const struct bm_slab_env *env, struct bm_chunk *chunk)
{
	void *pages[BM_SLAB_PAGES];
	int status[BM_SLAB_PAGES];
	uint32_t count = 0, page = 0;
	long rc;

	if (!env->many_nodes)
		return;
	for (; (page = bm_bits_next(chunk->moved, page, BM_SLAB_PAGES, 1)) < BM_SLAB_PAGES; page++)
		pages[count++] = (void *)(uintptr_t)(chunk->start + page * env->page_size);
	if (count == 0)
		return;
	rc = env->sys->move_pages(0, count, pages, NULL, status, 0);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(uintptr_t)pages[i] - chunk->start;

		page = (uint32_t)(at / env->page_size);
		if (rc < 0 || status[i] != chunk->node) {
			bm_bit_clear(chunk->moved, page);
			chunk->why[page] = BM_REASON_NO_POOL;
		}
	}
}
