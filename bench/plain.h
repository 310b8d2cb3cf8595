/* SPDX-License-Identifier: MIT */
/* plain.h - plain copies to compare with. */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <stddef.h>

typedef void copy_loop(char *to, const char *from, size_t length);

copy_loop copy_memcpy;
/* One stream of non-temporal stores, the widest of this CPU; memcpy(3) where there are none. */
copy_loop copy_plain;
const char *copy_plain_name(void);
/* Makes the memory present first, then as copy_plain. */
copy_loop copy_populate;

#endif
