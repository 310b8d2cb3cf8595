/* SPDX-License-Identifier: MIT */
/* named.h - work queues that the user has named. */
#ifndef BM_DSA_NAMED_H
#define BM_DSA_NAMED_H

#include "found.h"

/* Those of env->dsa_wqs, in that order: 0, or -EINVAL with why and remedy. */
int bm_dsa_named(struct bm_dsa_found *found, char *why, char *remedy);

#endif
