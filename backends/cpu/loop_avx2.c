/* SPDX-License-Identifier: MIT */
/* loop_avx2.c - copies by 32-byte non-temporal stores, one or four pages at once. */
#include "loops.h"

#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define INLINE __attribute__((target("avx2"), always_inline)) static inline

int bm_cpu_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

struct line {
	__m256i low, high;
};

INLINE struct line load(const char *from)
{
	return (struct line){.low = _mm256_load_si256((const void *)from),
			     .high = _mm256_load_si256((const void *)(from + 32))};
}

INLINE void store(char *to, struct line line)
{
	_mm256_stream_si256((void *)to, line.low);
	_mm256_stream_si256((void *)(to + 32), line.high);
}

#include "lines.h"

AVX2 void bm_cpu_avx2(const struct bm_copy *copies, size_t count)
{
	copy_each(copies, count);
}

AVX2 void bm_cpu_avx2_x4(const struct bm_copy *copies, size_t count)
{
	copy_by_four(copies, count);
}
