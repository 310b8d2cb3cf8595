/* SPDX-License-Identifier: MIT */
/* engine.h - the queues that are open, as all channels see them. */
#ifndef BM_DSA_ENGINE_H
#define BM_DSA_ENGINE_H

#include "queue.h"

struct bm_engine {
	struct bm_backend_env env;
	unsigned int cpu_facts;
	uint32_t queue_count;
	_Atomic uint32_t span;       /* descriptors that are submitted together */
	size_t piece;                /* bytes that every queue takes */
	_Atomic uint32_t channels;   /* so many were opened so far */
	_Atomic unsigned int warned; /* that records may be lost */
	struct bm_dsa_wq queues[BM_DSA_QUEUES_MOST];
};

#endif
