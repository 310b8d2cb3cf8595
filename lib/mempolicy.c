/* SPDX-License-Identifier: MIT */
/* mempolicy.c - setting and reading the policy of a range. */
#include "mempolicy.h"

#include <errno.h>
#include <linux/mempolicy.h>

/* The kernel takes the number of bits plus one. */
#define MAX_NODE (BM_NODES_MAX + 1)

int bm_policy_get(const struct bm_sys *sys, uint64_t addr, struct bm_policy *policy)
{
	*policy = (struct bm_policy){0};
	return (int)sys->get_mempolicy(&policy->mode, policy->nodes, MAX_NODE, addr, MPOL_F_ADDR);
}

int bm_policy_set(const struct bm_sys *sys, uint64_t start, uint64_t end,
		  const struct bm_policy *policy)
{
	return (int)sys->mbind(start, end - start, policy->mode, policy->nodes, MAX_NODE, 0);
}

int bm_policy_get_thread(const struct bm_sys *sys, struct bm_policy *policy)
{
	*policy = (struct bm_policy){0};
	return (int)sys->get_mempolicy(&policy->mode, policy->nodes, MAX_NODE, 0, 0);
}

int bm_policy_set_thread(const struct bm_sys *sys, const struct bm_policy *policy)
{
	return (int)sys->set_mempolicy(policy->mode, policy->nodes, MAX_NODE);
}

struct bm_policy bm_policy_of_node(int mode, int node)
{
	struct bm_policy policy = {.mode = mode};
	unsigned int bits = 8 * sizeof(policy.nodes[0]);

	policy.nodes[(unsigned int)node / bits] = 1ul << ((unsigned int)node % bits);
	return policy;
}

int bm_policy_same(const struct bm_policy *a, const struct bm_policy *b)
{
	int same = a->mode == b->mode;

	for (size_t i = 0; i < BM_MASK_WORDS; i++)
		same &= a->nodes[i] == b->nodes[i];
	return same;
}

int bm_policy_restorable(const struct bm_policy *policy)
{
	/*
	 * The nodes of a policy with MPOL_F_STATIC_NODES or _RELATIVE_NODES are
	 * told as they are, not as they were set; the home node of BIND and
	 * PREFERRED_MANY cannot be asked for.
	 */
	return policy->mode == MPOL_DEFAULT || policy->mode == MPOL_PREFERRED ||
	       policy->mode == MPOL_INTERLEAVE || policy->mode == MPOL_LOCAL;
}

int bm_policy_prefer(const struct bm_sys *sys, uint64_t start, uint64_t end, int node,
		     unsigned int flags)
{
	struct bm_policy policy = bm_policy_of_node(MPOL_PREFERRED, node);
	int rc = (int)sys->mbind(start, end - start, policy.mode, policy.nodes, MAX_NODE, flags);

	/* All else is as the kernel wants it. */
	return rc == -EINVAL ? -ENODEV : rc;
}
