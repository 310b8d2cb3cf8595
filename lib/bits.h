/* SPDX-License-Identifier: MIT */
/* bits.h - sets of pages as arrays of 64-bit words. */
#ifndef BM_BITS_H
#define BM_BITS_H

#include <stdint.h>

static inline int bm_bit(const uint64_t *bits, uint32_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

static inline void bm_bit_set(uint64_t *bits, uint32_t at)
{
	bits[at / 64] |= UINT64_C(1) << at % 64;
}

static inline void bm_bit_clear(uint64_t *bits, uint32_t at)
{
	bits[at / 64] &= ~(UINT64_C(1) << at % 64);
}

/* The mask of word `word` for the bits [first, end). */
static inline uint64_t bm_bits_mask(uint32_t word, uint32_t first, uint32_t end)
{
	uint64_t mask = ~UINT64_C(0);

	if (word == first / 64)
		mask &= ~UINT64_C(0) << first % 64;
	if (word == (end - 1) / 64)
		mask &= ~UINT64_C(0) >> (63 - (end - 1) % 64);
	return mask;
}

/* Sets the bits [first, end). */
static inline void bm_bits_set(uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t word = first / 64; first < end && word <= (end - 1) / 64; word++)
		bits[word] |= bm_bits_mask(word, first, end);
}

static inline void bm_bits_clear(uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t word = first / 64; first < end && word <= (end - 1) / 64; word++)
		bits[word] &= ~bm_bits_mask(word, first, end);
}

/* The first bit from `at` on that is `value`; `end` when there is none below it. */
static inline uint32_t bm_bits_next(const uint64_t *bits, uint32_t at, uint32_t end, int value)
{
	while (at < end) {
		uint64_t word = value ? bits[at / 64] : ~bits[at / 64];

		word &= ~UINT64_C(0) << at % 64;
		if (word) {
			uint32_t found = at / 64 * 64 + (uint32_t)__builtin_ctzll(word);

			return found < end ? found : end;
		}
		at = (at / 64 + 1) * 64;
	}
	return end;
}

static inline uint32_t bm_bits_count(const uint64_t *bits, uint32_t words)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < words; i++)
		count += (uint32_t)__builtin_popcountll(bits[i]);
	return count;
}

#endif
