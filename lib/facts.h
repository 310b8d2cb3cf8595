/* SPDX-License-Identifier: MIT */
/* facts.h - kernel facts that matter, and which movers can be used. */
#ifndef BM_FACTS_H
#define BM_FACTS_H

#include "snapshot.h"

void bm_facts_fill(struct bm_info *info);
void bm_facts_movers(struct bm_info *info);

#endif
