/* SPDX-License-Identifier: MIT */
/* nodes.h - which node ids there can be. */
#ifndef BM_NODES_H
#define BM_NODES_H

/* A node id that the kernel could know: Linux has at most 1024 nodes (NODES_SHIFT). */
#define BM_NODES_MAX 1024

/* A list of those that have memory; not there without CONFIG_NUMA. */
#define BM_MEMORY_NODES_FILE "/sys/devices/system/node/has_memory"

static inline int bm_node_possible(int node)
{
	return node >= 0 && node < BM_NODES_MAX;
}

#endif
