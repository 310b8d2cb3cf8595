/* SPDX-License-Identifier: MIT */
/* topology.h - the NUMA nodes with memory, by libnuma. */
#ifndef BM_TOPOLOGY_H
#define BM_TOPOLOGY_H

#include "snapshot.h"

/* Fills the nodes of a snapshot; none where the kernel has no NUMA. */
void bm_topology_fill(struct bm_info *info);

#endif
