/* SPDX-License-Identifier: MIT */
/*
 * lines.h - loops over cache lines, one or four pages at once. For one file per
 * instruction set, which has defined INLINE, struct line, load() and store().
 */
#ifndef BM_CPU_LINES_H
#define BM_CPU_LINES_H

#include <immintrin.h>

#include "pieces.h"

/* Of a cache. */
#define LINE 64u

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

INLINE void copy_each(const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		copy_forward(copies[i].to, copies[i].from, copies[i].length);
	_mm_sfence();
}

INLINE void copy_by_four(const struct bm_copy *copies, size_t count)
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

#endif
