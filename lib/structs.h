/* SPDX-License-Identifier: MIT */
/* structs.h - structs that carry their size, across versions of the header. */
#ifndef BM_STRUCTS_H
#define BM_STRUCTS_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

/*
 * Takes over a caller's struct of source_size bytes into one of size bytes
 * that already holds the defaults. -E2BIG when the caller's is longer and
 * something is set in what this library does not know; the rest is taken over.
 */
static inline int bm_struct_import(void *target, size_t size, const void *source,
				   size_t source_size)
{
	const unsigned char *bytes = source;

	memcpy(target, source, source_size < size ? source_size : size);
	for (size_t i = size; i < source_size; i++) {
		if (bytes[i])
			return -E2BIG;
	}
	return 0;
}

/* Fills a caller's output struct: what it does not know is cut, what we do not know is zero. */
static inline void bm_struct_export(void *target, size_t target_size, const void *source,
				    size_t size)
{
	memset(target, 0, target_size);
	memcpy(target, source, target_size < size ? target_size : size);
}

/* No public struct is as large as this. */
#define BM_STRUCT_LIMIT 4096u

/*
 * @least: its size in the first version that had it. A size in between, or
 * one that would misalign an array, is a mistake such as sizeof(pointer).
 */
static inline int bm_struct_size_ok(size_t size, size_t least)
{
	return size >= least && size <= BM_STRUCT_LIMIT && size % sizeof(void *) == 0;
}

#endif
