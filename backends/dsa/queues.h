/* SPDX-License-Identifier: MIT */
/*
 * queues.h - the work queues of this machine, and which of them may be used.
 *
 * By libaccel-config, or by their names where it cannot see them.
 */
#ifndef BM_DSA_QUEUES_H
#define BM_DSA_QUEUES_H

#include "backend.h"

#define BM_DSA_QUEUES_MOST 64u

enum bm_dsa_mode { BM_DSA_UNKNOWN, BM_DSA_DEDICATED, BM_DSA_SHARED };

/* Numbers are 0 where they are not known. */
struct bm_dsa_queue {
	char device[16]; /* "dsa0" */
	char name[24];   /* "wq0.0" */
	char path[128];  /* of the character device */
	int node;        /* of the device, -1: not known */
	enum bm_dsa_mode mode;
	uint32_t size;         /* entries */
	uint32_t threshold;    /* entries in use up to which a shared one takes more */
	uint64_t max_transfer; /* bytes of one descriptor */
	uint32_t max_batch;    /* descriptors of one batch */
	uint32_t version;      /* of the device: 0x100, 0x200 */
	char why[160];         /* it is not to be used; "" */
	char remedy[200];      /* and what would change that; "" */
};

/*
 * All queues, of the devices in the order of their numbers: how many, or
 * -errno where not even that can be told, with the reason in why (BM_WHY_MAX
 * bytes). Opens no queue. Not in windows.
 */
int bm_dsa_queues_find(const struct bm_backend_env *env, struct bm_dsa_queue *queues, size_t most,
		       char *why);

#endif
