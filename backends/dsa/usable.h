/* SPDX-License-Identifier: MIT */
/* usable.h - why a work queue is not to be used, and what would change that. */
#ifndef BM_DSA_USABLE_H
#define BM_DSA_USABLE_H

#include "found.h"

/* Fills why and remedy of the queue; both are "" when it may be used. */
void bm_dsa_rule_out(const struct bm_backend_env *env, struct bm_dsa_facts *facts);

#endif
