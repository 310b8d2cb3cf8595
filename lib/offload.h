/* SPDX-License-Identifier: MIT */
/* offload.h - from how many bytes on an engine pays, and whether the cpu shares its work. */
#ifndef BM_OFFLOAD_H
#define BM_OFFLOAD_H

#include "engines.h"

/* Once for each engine: as the options say, or by a measurement of some milliseconds. */
void bm_offload_decide(struct bm_engines *engines, const struct bm_use *use);

/*
 * From what copies of those sizes took: the least size from which on the
 * engine is never slower; SIZE_MAX: it always is.
 */
size_t bm_offload_least(const size_t *sizes, const uint64_t *engine_ns, const uint64_t *cpu_ns,
			size_t count);

#endif
