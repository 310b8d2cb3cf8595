/* SPDX-License-Identifier: MIT */
/* engine.h - the functions that are open, and their rings, as all channels see them. */
#ifndef BM_PTDMA_ENGINE_H
#define BM_PTDMA_ENGINE_H

#include "ring.h"

#define BM_PTDMA_RINGS_MOST 64u

struct bm_engine {
	struct bm_backend_env env;
	struct bm_pci_space *space;
	pid_t owner;  /* a child of a fork must leave the functions to its parent */
	size_t piece; /* of a copy: each ring has slots for it */
	int guards;   /* see bm_pci_guards() */
	int leaks;    /* something may write still: what it was given stays */
	uint32_t function_count, ring_count;
	_Atomic uint32_t share;    /* base pages after which the next ring is taken */
	_Atomic uint32_t channels; /* so many were opened so far */
	_Atomic uint32_t active;   /* so many have pages pinned */
	struct bm_ptdma_function functions[BM_PCI_FUNCTIONS_MOST];
	struct bm_ptdma_ring rings[BM_PTDMA_RINGS_MOST];
	/* The first ones of all functions, then the second ones... */
	uint8_t order[BM_PTDMA_RINGS_MOST];
};

/* Not in a window: there is none in a child that its parent has begun. */
static inline int bm_ptdma_is_owner(const struct bm_engine *engine)
{
	return engine->env.sys->getpid() == engine->owner;
}

#endif
