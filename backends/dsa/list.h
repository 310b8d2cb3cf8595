/* SPDX-License-Identifier: MIT */
/* list.h - the work queues for people, and whether any can be used: calls of the seam. */
#ifndef BM_DSA_LIST_H
#define BM_DSA_LIST_H

#include "backend.h"

/*
 * All queues; a device without any that is configured is one without a name,
 * and where they cannot be told there is one without a device, which says why.
 */
void bm_dsa_list(const struct bm_backend_env *env,
		 void (*add)(void *arg, const struct bm_queue_facts *queue), void *arg);

/*
 * 0 when one can be used; -ENODEV with reason and remedy of the first one that
 * cannot, or of there being none; -EINVAL for a bad option dsa_wqs.
 */
int bm_dsa_probe(const struct bm_backend_env *env, char *why, char *remedy);

#endif
