/* SPDX-License-Identifier: MIT */
/* mempolicy.h - memory policies of ranges: mbind(2) and get_mempolicy(2). */
#ifndef BM_MEMPOLICY_H
#define BM_MEMPOLICY_H

#include "nodes.h"
#include "sys.h"

#define BM_MASK_WORDS (BM_NODES_MAX / (8 * sizeof(unsigned long)))

struct bm_policy {
	int mode; /* with its flags */
	unsigned long nodes[BM_MASK_WORDS];
};

/* The policy of the mapping at addr: 0 or -errno. */
int bm_policy_get(const struct bm_sys *sys, uint64_t addr, struct bm_policy *policy);
int bm_policy_set(const struct bm_sys *sys, uint64_t start, uint64_t end,
		  const struct bm_policy *policy);
/* That of the calling thread. */
int bm_policy_get_thread(const struct bm_sys *sys, struct bm_policy *policy);
int bm_policy_set_thread(const struct bm_sys *sys, const struct bm_policy *policy);
struct bm_policy bm_policy_of_node(int mode, int node);
int bm_policy_same(const struct bm_policy *a, const struct bm_policy *b);
/* 1 when bm_policy_set() of it gives exactly the same policy again. */
int bm_policy_restorable(const struct bm_policy *policy);

/* MPOL_PREFERRED for one node; @flags: 0, or MPOL_MF_MOVE and the like. -ENODEV: no such node. */
int bm_policy_prefer(const struct bm_sys *sys, uint64_t start, uint64_t end, int node,
		     unsigned int flags);

#endif
