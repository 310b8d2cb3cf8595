/* SPDX-License-Identifier: MIT */
/* pieces.c - cuts copies, and counts what is left of each. */
#include "pieces.h"

#include <errno.h>

#include "bits.h"
#include "least.h"

static size_t pieces_of(const struct bm_copy *copy, size_t length)
{
	return copy->length > length ? (copy->length + length - 1) / length : 1;
}

static size_t count_all(const struct bm_copy *copies, size_t count, size_t length)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += pieces_of(&copies[i], length);
	return total;
}

int bm_pieces_cut(struct bm_pieces *pieces, const struct bm_copy *copies, size_t count,
		  size_t length)
{
	size_t next = 0;

	if (count_all(copies, count, length) > BM_PIECES_MOST)
		return -E2BIG;
	pieces->copies = copies;
	pieces->length = length;
	for (size_t i = 0; i < count; i++) {
		size_t cut = pieces_of(&copies[i], length);

		pieces->first[i] = (uint16_t)next;
		pieces->left[i] = (uint16_t)cut;
		while (cut-- > 0)
			pieces->copy[next++] = (unsigned char)i;
	}
	pieces->count = next;
	for (size_t i = 0; i < BM_PIECES_MOST / 64; i++)
		pieces->ended[i] = 0;
	return 0;
}

struct bm_copy bm_pieces_get(const struct bm_pieces *pieces, size_t piece)
{
	size_t index = pieces->copy[piece];
	const struct bm_copy *copy = &pieces->copies[index];
	size_t offset = (piece - pieces->first[index]) * pieces->length;

	return (struct bm_copy){.to = (char *)copy->to + offset,
				.from = (const char *)copy->from + offset,
				.length = bm_least(copy->length - offset, pieces->length),
				.tag = (uint32_t)piece};
}

int bm_pieces_end(struct bm_pieces *pieces, size_t piece)
{
	if (piece >= pieces->count || bm_bit(pieces->ended, (uint32_t)piece))
		return 0;
	bm_bit_set(pieces->ended, (uint32_t)piece);
	pieces->left[pieces->copy[piece]]--;
	return 1;
}
