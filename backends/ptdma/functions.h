/* SPDX-License-Identifier: MIT */
/* functions.h - the functions of this machine, and which of them may be used. */
#ifndef BM_PTDMA_FUNCTIONS_H
#define BM_PTDMA_FUNCTIONS_H

#include "channel.h"

/* NULL for an id of neither kind. */
const struct bm_ptdma_kind *bm_ptdma_kind_of(const struct bm_pci_id *id);

/*
 * Those of the option, or all: how many (0: there is none), or -errno with why and
 * remedy (BM_WHY_MAX bytes each): -EINVAL: the options are wrong. Opens nothing.
 */
int bm_ptdma_functions_find(const struct bm_backend_env *env, struct bm_pci_found *found,
			    size_t most, char *why, char *remedy);
/* 0, or -EINVAL likewise. */
int bm_ptdma_access(const struct bm_backend_env *env, enum bm_pci_access *access, char *why,
		    char *remedy);

/* list.c */
int bm_ptdma_probe(const struct bm_backend_env *env, char *why, char *remedy);
void bm_ptdma_list(const struct bm_backend_env *env,
		   void (*add)(void *arg, const struct bm_queue_facts *queue), void *arg);

/* bring_up.c */
/* Opens it and its rings, as many as there is room for: 0, or -errno with why. */
int bm_ptdma_bring_up(struct bm_engine *engine, const struct bm_pci_found *found, uint32_t most,
		      char *why);
/* 0, or -1: something of it could not be freed, because it may write still. */
int bm_ptdma_bring_down(struct bm_engine *engine, struct bm_ptdma_function *function);

/* try.c: a copy in each ring: 0, or -errno with why. */
int bm_ptdma_try(struct bm_engine *engine, struct bm_ptdma_function *function, char *why);

#endif
