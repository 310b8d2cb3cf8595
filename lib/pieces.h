/* SPDX-License-Identifier: MIT */
/* pieces.h - copies cut into pieces that a channel takes, numbered from 0. */
#ifndef BM_PIECES_H
#define BM_PIECES_H

#include "backend.h"

#define BM_COPIES_MOST 256u
/* The copies of a chunk, and one more for each base page that it may have. */
#define BM_PIECES_MOST 768u

struct bm_pieces {
	const struct bm_copy *copies;
	size_t length;                       /* of a piece, but for the last ones of copies */
	size_t count;                        /* of pieces */
	uint16_t first[BM_COPIES_MOST];      /* piece of each copy */
	uint16_t left[BM_COPIES_MOST];       /* pieces of it that have not ended */
	unsigned char copy[BM_PIECES_MOST];  /* that a piece is of */
	uint64_t ended[BM_PIECES_MOST / 64]; /* pieces */
};

/* Pieces of at most so many bytes: 0, or -E2BIG where they would be too many. */
int bm_pieces_cut(struct bm_pieces *pieces, const struct bm_copy *copies, size_t count,
		  size_t length);
/* With its number as the tag. */
struct bm_copy bm_pieces_get(const struct bm_pieces *pieces, size_t piece);
/* 1 at the first time, 0 for one that is none or has ended before. */
int bm_pieces_end(struct bm_pieces *pieces, size_t piece);

#endif
