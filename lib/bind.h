/* SPDX-License-Identifier: MIT */
/* bind.h - BM_BIND: a policy for where pages have been moved to. */
#ifndef BM_BIND_H
#define BM_BIND_H

#include "job.h"

/* -E2BIG when so many runs could use up half of vm.max_map_count. */
int bm_bind_check(const struct bm_context *context, size_t runs);

/* Binds the runs of units that are on their node; failures become reasons. */
void bm_bind_units(struct bm_job *job);

#endif
