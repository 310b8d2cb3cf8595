/* SPDX-License-Identifier: MIT */
/* workers.h - threads for the time of one phase of a large batch. */
#ifndef BM_WORKERS_H
#define BM_WORKERS_H

#include "sys.h"

struct bm_placement;

#define BM_WORKERS_MAX 64u /* threads that work on one batch */

/*
 * Calls step(arg, worker, block) once for every block, from up to `threads`
 * threads; the calling thread is worker 0 and helps. The others go to their
 * place; NULL: they have none. Threads that cannot be started are done without.
 * Returns how many threads took part.
 */
unsigned int bm_workers_run(const struct bm_sys *sys, const struct bm_placement *placement,
			    unsigned int threads, size_t blocks,
			    void (*step)(void *arg, unsigned int worker, size_t block), void *arg);

#endif
