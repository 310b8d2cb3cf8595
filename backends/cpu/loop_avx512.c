/* SPDX-License-Identifier: MIT */
/* loop_avx512.c - copies by 64-byte non-temporal stores, one or four pages at once. */
#include "loops.h"

#include <immintrin.h>

#include "pieces.h"

#define AVX512 __attribute__((target("avx512f")))
#define INLINE __attribute__((target("avx512f"), always_inline)) static inline

/* Of a cache. */
#define LINE 64u

int bm_cpu_has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") != 0;
}

INLINE __m512i load(const char *from)
{
	return _mm512_load_si512((const void *)from);
}

INLINE void store(char *to, __m512i line)
{
	_mm512_stream_si512((void *)to, line);
}

INLINE void copy_forward(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += LINE)
		store(to + at, load(from + at));
}

/* Loads come first: a load would wait for a store to the same place of another page. */
INLINE void copy_lines(const struct bm_group *now, size_t at)
{
	__m512i first = load(now->from[0] + at), second = load(now->from[1] + at);
	__m512i third = load(now->from[2] + at), fourth = load(now->from[3] + at);

	store(now->to[0] + at, first);
	store(now->to[1] + at, second);
	store(now->to[2] + at, third);
	store(now->to[3] + at, fourth);
}

/* By value: addresses that stores might change would be loaded again each time. */
INLINE void copy_group(struct bm_group now, struct bm_group next)
{
	for (size_t at = 0; at < BM_PIECE; at += LINE) {
		_mm_prefetch(next.from[0] + at, _MM_HINT_T0);
		_mm_prefetch(next.from[1] + at, _MM_HINT_T0);
		_mm_prefetch(next.from[2] + at, _MM_HINT_T0);
		_mm_prefetch(next.from[3] + at, _MM_HINT_T0);
		copy_lines(&now, at);
	}
}

AVX512 void bm_cpu_avx512(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		copy_forward(copies[i].to, copies[i].from, copies[i].length);
	_mm_sfence();
}

AVX512 void bm_cpu_avx512_x4(const struct bm_copy *copies, size_t count)
{
	struct bm_pieces pieces = {.copy = copies, .end = copies + count};
	struct bm_group now = {.count = 0}, next;

	bm_group_fill(&now, &pieces);
	while (now.count == BM_LANES) {
		next = now;
		bm_group_fill(&next, &pieces);
		copy_group(now, next);
		now = next;
	}
	for (size_t i = 0; i < now.count; i++)
		copy_forward(now.to[i], now.from[i], BM_PIECE);
	_mm_sfence();
}
