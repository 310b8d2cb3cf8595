/* SPDX-License-Identifier: MIT */
/* calibrate.c - the smallest of some rounds; some milliseconds in all. */
#include "calibrate.h"

#include <linux/mempolicy.h>
#include <stdlib.h>

#include "bits.h"
#include "chunk.h"
#include "nodes.h"

#define ROUNDS 3
#define RUNS   64u

/* Memory to be swapped, as large as a slab and aligned like one. */
struct ground {
	uint64_t map, length; /* as mapped */
	uint64_t start;
	struct bm_swap *swap;
	struct bm_seat *seat;
	struct bm_chunk *chunk;
	int node;
	int direct;        /* without the pool */
	uint64_t first_ns; /* of the first round, that has to populate */
};

static int ground_new(struct ground *ground, struct bm_swap *swap)
{
	uint64_t size = BM_SLAB_PAGES * swap->wish.page_size;

	ground->swap = swap;
	ground->length = 2 * size;
	if (swap->wish.sys->map(ground->length, 0, &ground->map) < 0)
		return -1;
	ground->start = (ground->map + size - 1) & ~(size - 1);
	for (uint64_t at = 0; at < size; at += swap->wish.page_size)
		*(volatile char *)(uintptr_t)(ground->start + at) = 1;
	return 0;
}

/* The node that the memory is on: new pages from there are nearest. */
static int node_of(const struct ground *ground)
{
	void *page = (void *)(uintptr_t)ground->start;
	int node = -1;

	ground->swap->wish.sys->move_pages(0, 1, &page, NULL, &node, 0);
	return node;
}

/* The least time of a chunk of every n-th page; 0 when it cannot be swapped. */
static uint64_t time_chunk(struct ground *ground, uint32_t pages, uint32_t runs)
{
	const struct bm_sys *sys = ground->swap->wish.sys;
	uint64_t page_size = ground->swap->wish.page_size, best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct bm_chunk *chunk = ground->chunk;
		uint64_t begin = sys->now_ns(), took;

		chunk->start = ground->start;
		chunk->end = ground->start + BM_SLAB_PAGES * page_size;
		chunk->low = ground->map;
		chunk->high = ground->map + ground->length;
		chunk->node = ground->node;
		chunk->huge = 0;
		chunk->direct = ground->direct;
		chunk->watched = 0;
		chunk->run_count = runs;
		for (uint32_t i = 0; i < runs; i++)
			chunk->runs[i] =
				(struct bm_chunk_run){i * (BM_SLAB_PAGES / runs), pages / runs};
		if (bm_chunk_swap(ground->swap, ground->seat, chunk) < 0 ||
		    !bm_bit(chunk->moved, 0))
			return 0;
		took = sys->now_ns() - begin;
		if (round == 0)
			ground->first_ns = took;
		if (round > 0 && (best == 0 || took < best))
			best = took;
	}
	return best;
}

static void measure(struct ground *ground)
{
	struct bm_rates *rates = ground->swap->rates;
	uint64_t few = time_chunk(ground, 1, 1), all, one, many;

	all = few ? time_chunk(ground, BM_SLAB_PAGES, 1) : 0;
	if (ground->first_ns > all)
		rates->populate_ns = (ground->first_ns - all) / BM_SLAB_PAGES;
	one = all ? time_chunk(ground, RUNS, 1) : 0;
	many = one ? time_chunk(ground, RUNS, RUNS) : 0;
	if (!many)
		return;
	rates->chunk_ns = few;
	bm_rates_learn_runs(rates, one, many, RUNS, RUNS);
	rates->page_ns = all > few ? (all - few) / BM_SLAB_PAGES : 1;
	ground->direct = 1;
	all = time_chunk(ground, BM_SLAB_PAGES, 1);
	if (all > few)
		rates->direct_ns = (all - few) / BM_SLAB_PAGES;
}

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

/* What the kernel takes for the same pages, there and back. */
static void measure_kernel(const struct ground *ground)
{
	struct bm_swap *swap = ground->swap;
	const struct bm_sys *sys = swap->wish.sys;
	int nodes[BM_SLAB_PAGES], status[BM_SLAB_PAGES];
	int to = other_node(sys, ground->node);
	void *pages[BM_SLAB_PAGES];
	uint64_t best = 0;

	if (!bm_node_possible(to))
		return;
	for (uint32_t i = 0; i < BM_SLAB_PAGES; i++)
		pages[i] = (void *)(uintptr_t)(ground->start + i * swap->wish.page_size);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = sys->now_ns(), took;

		for (uint32_t i = 0; i < BM_SLAB_PAGES; i++)
			nodes[i] = round % 2 ? ground->node : to;
		if (sys->move_pages(0, BM_SLAB_PAGES, pages, nodes, status, MPOL_MF_MOVE) != 0 ||
		    status[0] != nodes[0])
			return;
		took = sys->now_ns() - begin;
		if (best == 0 || took < best)
			best = took;
	}
	swap->rates->kernel_ns = best / BM_SLAB_PAGES + 1;
}

void bm_calibrate_once(struct bm_swap *swap)
{
	struct ground ground = {.seat = NULL};
	struct bm_chunk chunk;

	if (atomic_exchange(&swap->calibrated, 1) || ground_new(&ground, swap) < 0)
		return;
	ground.chunk = &chunk;
	ground.node = node_of(&ground);
	if (bm_node_possible(ground.node))
		ground.seat = bm_swap_sit(swap);
	if (ground.seat) {
		measure(&ground);
		bm_swap_rise(swap, ground.seat);
		measure_kernel(&ground);
	}
	swap->wish.sys->unmap(ground.map, ground.length);
}
