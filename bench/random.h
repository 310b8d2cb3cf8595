/* SPDX-License-Identifier: MIT */
/* random.h - numbers that are random enough, and the same in each run. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/* In 0..@end-1, by Marsaglia's xorshift of 64 bits. @state: not 0 at the beginning. */
static inline uint64_t random_below(uint64_t *state, uint64_t end)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % end;
}

#endif
