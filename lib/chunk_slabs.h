/* SPDX-License-Identifier: MIT */
/* chunk_slabs.h - what chunk.c works with, and the slabs of the pool in it. */
#ifndef BM_CHUNK_SLABS_H
#define BM_CHUNK_SLABS_H

#include "chunk.h"

/* All that is needed while the chunk is out of reach; on the stack of its owner. */
struct bm_chunk_work {
	struct bm_swap *swap;
	struct bm_seat *seat;
	struct bm_chunk *chunk;
	struct bm_uffd *uffd;
	struct bm_slab *staging, *grave;
	struct bm_window *window;
	struct bm_lane lane;
	struct bm_copier copier; /* of the seat, which lies on the heap */
	int pagemap;
	int refused;      /* the flags of mapping and pool differ */
	int mixed;        /* those of the pool do among themselves */
	size_t lost;      /* copies that the backend may still be making */
	uint64_t ns_copy; /* of this window */
	uint16_t place[BM_SLAB_PAGES];
};

/* 0, or why the pool has none. */
int bm_chunk_take_slabs(struct bm_chunk_work *work);
/* Back to the pool, with what is resident in them now. */
void bm_chunk_give_slabs(struct bm_chunk_work *work);

#endif
