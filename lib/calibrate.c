/* SPDX-License-Identifier: MIT */
/* calibrate.c - a short look at what things cost, when a context begins to swap. */
#include "calibrate.h"

#include <stdlib.h>

#include "measure.h"
#include "nodes.h"

/* Some 15 ms in all: 50 are allowed. */
#define ROUNDS 3

/* Of a list such as "0-1" or "0,2", the first that is not `node`; -1: none. */
static int other_node(const struct bm_sys *sys, int node)
{
	char text[256], *end;
	long first;

	if (bm_sys_text(sys, BM_MEMORY_NODES_FILE, text, sizeof(text)) <= 0)
		return -1;
	first = strtol(text, &end, 10);
	if (first != node)
		return (int)first;
	if (*end == '-')
		return node + 1;
	return *end == ',' ? (int)strtol(end + 1, NULL, 10) : -1;
}

/* Where the calling thread gets its memory. */
static int node_here(struct bm_swap *swap)
{
	struct bm_ground ground;
	int node;

	if (bm_ground_new(&ground, swap, -1, 0) < 0)
		return -1;
	node = ground.home;
	bm_ground_end(&ground);
	return node;
}

void bm_calibrate_once(struct bm_swap *swap)
{
	int here;

	if (atomic_exchange(&swap->calibrated, 1))
		return;
	here = node_here(swap);
	if (here >= 0)
		bm_measure(swap, here, other_node(swap->wish.sys, here), swap->rates, ROUNDS);
}
