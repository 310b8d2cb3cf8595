/* SPDX-License-Identifier: MIT */
/*
 * plain_copy.h - memcpy(3) for while pages are out of reach.
 *
 * That of the C library reads thresholds from its own data, which a program
 * may ask to move like any other page.
 */
#ifndef BM_PLAIN_COPY_H
#define BM_PLAIN_COPY_H

#include <stddef.h>

/* Not overlapping; the length is a multiple of 64. */
void bm_plain_copy(void *to, const void *from, size_t length);

#endif
