/* SPDX-License-Identifier: MIT */
/*
 * pins.h - pins of a backend around the copies of a window.
 *
 * UFFDIO_MOVE takes no page that is pinned: they are pinned when the old pages
 * have been taken out, and free before the new ones go in.
 */
#ifndef BM_PINS_H
#define BM_PINS_H

#include "copy.h"

/* The runs of pages that these copies are made of, on both sides together. */
size_t bm_pins_runs(const struct bm_copy *copies, size_t count);
/* 0 when the backend has pinned what it needs to, or -errno. */
int bm_pins_take(struct bm_copier *copier, const struct bm_copy *copies, size_t count);
/*
 * After that took: frees them. Where the target of a copy is not free, or a pin has
 * moved it to another node, ends[i] becomes BM_COPY_LOST: how many.
 */
size_t bm_pins_drop(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		    unsigned char *ends);
/* Copies whose targets a pin has moved to another node, also one that failed half-way: as above. */
size_t bm_pins_astray(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		      unsigned char *ends);

#endif
