/* SPDX-License-Identifier: MIT */
/*
 * loops.h - the ways in which a CPU copies pages.
 *
 * A loop runs in the window: see the rules in backend.h. Its last act makes
 * its stores visible to all CPUs.
 */
#ifndef BM_CPU_LOOPS_H
#define BM_CPU_LOOPS_H

#include "backend.h"

typedef void bm_cpu_copy_fn(const struct bm_copy *copies, size_t count);

struct bm_cpu_loop {
	const char *name;
	int (*here)(void); /* NULL: everywhere */
	bm_cpu_copy_fn *copy;
};

const struct bm_cpu_loop *bm_cpu_loop(size_t loop);

#if defined(__x86_64__)
int bm_cpu_has_avx2(void);
int bm_cpu_has_avx512(void);
int bm_cpu_has_movdir64b(void);
bm_cpu_copy_fn bm_cpu_rep_movsb, bm_cpu_movdir64b;
bm_cpu_copy_fn bm_cpu_avx2, bm_cpu_avx2_x4;
bm_cpu_copy_fn bm_cpu_avx512, bm_cpu_avx512_x4;
#elif defined(__aarch64__)
bm_cpu_copy_fn bm_cpu_stnp;
#endif

#endif
