/* SPDX-License-Identifier: MIT */
/* loop_avx2.c - copies by 32-byte non-temporal stores, one or four pages at once. */
#include "loops.h"

#include <immintrin.h>

#include "pieces.h"

#define AVX2   __attribute__((target("avx2")))
#define INLINE __attribute__((target("avx2"), always_inline)) static inline

/* Of a cache. */
#define LINE 64u

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

INLINE void copy_forward(char *to, const char *from, size_t length)
{
	for (size_t at = 0; at < length; at += LINE)
		store(to + at, load(from + at));
}

/* Loads come first: a load would wait for a store to the same place of another page. */
INLINE void copy_lines(const struct bm_group *now, size_t at)
{
	struct line first = load(now->from[0] + at), second = load(now->from[1] + at);
	struct line third = load(now->from[2] + at), fourth = load(now->from[3] + at);

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

AVX2 void bm_cpu_avx2(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		copy_forward(copies[i].to, copies[i].from, copies[i].length);
	_mm_sfence();
}

AVX2 void bm_cpu_avx2_x4(const struct bm_copy *copies, size_t count)
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
