/* SPDX-License-Identifier: MIT */
/*
 * footprint.h - which memory a batch is about, roughly. Pure.
 *
 * Regions are as large as a huge page, which moves as a whole: two batches
 * that name other pages of the same one are about the same memory.
 */
#ifndef BM_FOOTPRINT_H
#define BM_FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "batchmig.h"

/* A heap of 8 GiB has a bit for each region of 2 MiB. */
#define BM_FOOTPRINT_BITS 4096u

struct bm_footprint {
	pid_t pid;
	uint64_t low, high;                    /* regions; low > high: none */
	uint64_t bits[BM_FOOTPRINT_BITS / 64]; /* of the number of the region */
};

/* Of the pages or ranges of a request. @region: bytes, a power of two. */
void bm_footprint_take(struct bm_footprint *footprint, const struct bm_request *request,
		       uint64_t region);

/* 0 when no memory belongs to both. */
int bm_footprint_meet(const struct bm_footprint *a, const struct bm_footprint *b);

#endif
