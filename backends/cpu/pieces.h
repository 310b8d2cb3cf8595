/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - a list of copies as 4 KiB pieces, four at a time.
 *
 * Hardware prefetchers stop at the end of a 4 KiB page and need some lines to
 * start on the next. A loop that goes through four pieces side by side has four
 * streams in flight, and knows where the next four are, wherever they lie: it
 * asks for a line of those while it copies the same line of these.
 */
#ifndef BM_CPU_PIECES_H
#define BM_CPU_PIECES_H

#include "backend.h"

/* A divisor of every base page size. */
#define BM_PIECE 4096u
#define BM_LANES 4u

struct bm_pieces {
	const struct bm_copy *copy, *end;
	size_t at; /* in the copy */
};

struct bm_group {
	const char *from[BM_LANES];
	char *to[BM_LANES];
	size_t count; /* less than BM_LANES: the last one */
};

/* Lanes for which nothing is left stay as they are. */
__attribute__((always_inline)) static inline void bm_group_fill(struct bm_group *group,
								struct bm_pieces *pieces)
{
	size_t count = 0;

	while (count < BM_LANES && pieces->copy < pieces->end) {
		const struct bm_copy *copy = pieces->copy;

		group->from[count] = (const char *)copy->from + pieces->at;
		group->to[count++] = (char *)copy->to + pieces->at;
		pieces->at += BM_PIECE;
		if (pieces->at >= copy->length) {
			pieces->copy++;
			pieces->at = 0;
		}
	}
	group->count = count;
}

#endif
