/* SPDX-License-Identifier: MIT */
/* choose.h - which loop serves which class of lengths: measured, then chosen. */
#ifndef BM_CPU_CHOOSE_H
#define BM_CPU_CHOOSE_H

#include "cpu.h"

#define BM_CPU_LOOPS_MOST 8
#define BM_CPU_UNMEASURED UINT64_MAX

/* Nanoseconds that a loop took for the same number of bytes. */
struct bm_cpu_times {
	uint64_t ns[BM_CPU_CLASSES][BM_CPU_LOOPS_MOST];
};

/*
 * The least of `count` times, the earliest of equal ones; `fallback` when
 * nothing was measured.
 */
size_t bm_cpu_choose(const uint64_t *ns, size_t count, size_t fallback);

/* Times the loops that are here, in a few milliseconds: 0, or -ENOMEM. */
int bm_cpu_measure(const struct bm_backend_env *env, struct bm_cpu_times *times);

#endif
