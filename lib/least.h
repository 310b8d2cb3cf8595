/* SPDX-License-Identifier: MIT */
/* least.h - the smaller of two sizes. */
#ifndef BM_LEAST_H
#define BM_LEAST_H

#include <stddef.h>

static inline size_t bm_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

#endif
