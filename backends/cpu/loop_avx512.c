/* SPDX-License-Identifier: MIT */
/* loop_avx512.c - copies by 64-byte non-temporal stores, one or four pages at once. */
#include "loops.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE __attribute__((target("avx512f"), always_inline)) static inline

int bm_cpu_has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") != 0;
}

struct line {
	__m512i all;
};

INLINE struct line load(const char *from)
{
	return (struct line){.all = _mm512_load_si512((const void *)from)};
}

INLINE void store(char *to, struct line line)
{
	_mm512_stream_si512((void *)to, line.all);
}

#include "lines.h"

AVX512 void bm_cpu_avx512(const struct bm_copy *copies, size_t count)
{
	copy_each(copies, count);
}

AVX512 void bm_cpu_avx512_x4(const struct bm_copy *copies, size_t count)
{
	copy_by_four(copies, count);
}
