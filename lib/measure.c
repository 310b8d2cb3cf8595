/* SPDX-License-Identifier: MIT */
/* measure.c - what chunks and calls cost between two nodes. */
#include "measure.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>

#include "bits.h"
#include "least.h"
#include "mempolicy.h"
#include "nodes.h"
#include "pagemap.h"

#define RUNS 64u

static uint64_t size_of(const struct bm_swap *swap)
{
	return BM_SLAB_PAGES * swap->wish.page_size;
}

static int node_of(const struct bm_swap *swap, uint64_t addr)
{
	void *page = (void *)(uintptr_t)addr;
	int node = -1;

	swap->wish.sys->move_pages(0, 1, &page, NULL, &node, 0);
	return node;
}

/* 1 when the memory is what it should be. */
static int populate(struct bm_ground *ground, int home)
{
	const struct bm_swap *swap = ground->swap;
	const struct bm_sys *sys = swap->wish.sys;
	uint64_t size = size_of(swap), page_size = swap->wish.page_size, begin;

	sys->madvise(ground->start, size, ground->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (home >= 0)
		bm_policy_prefer(sys, ground->start, ground->start + size, home, 0);
	begin = sys->now_ns();
	for (uint64_t at = 0; at < size; at += page_size)
		*(volatile char *)(uintptr_t)(ground->start + at) = 1;
	ground->fill_ns = sys->now_ns() - begin;
	ground->home = ground->away = node_of(swap, ground->start);
	if (ground->huge && !bm_pagemap_is_huge(sys, swap->pool.env.pagemap, ground->start, size))
		return 0;
	return bm_node_possible(ground->home) && (home < 0 || ground->home == home);
}

int bm_ground_new(struct bm_ground *ground, struct bm_swap *swap, int home, int huge)
{
	uint64_t size = size_of(swap);

	*ground = (struct bm_ground){.swap = swap, .length = 2 * size, .huge = huge};
	if (huge && swap->wish.huge_size != size)
		return -1;
	if (swap->wish.sys->map(ground->length, 0, &ground->map) < 0)
		return -1;
	ground->start = (ground->map + size - 1) & ~(size - 1);
	if (populate(ground, home))
		ground->seat = bm_swap_sit(swap, atomic_load(&swap->usual));
	if (ground->seat)
		return 0;
	bm_ground_end(ground);
	return -1;
}

void bm_ground_end(struct bm_ground *ground)
{
	if (ground->seat)
		bm_swap_rise(ground->swap, ground->seat);
	ground->swap->wish.sys->unmap(ground->map, ground->length);
}

static void set_chunk(const struct bm_ground *ground, struct bm_shape shape, int node)
{
	struct bm_chunk *chunk = ground->chunk;

	chunk->start = ground->start;
	chunk->end = ground->start + size_of(ground->swap);
	chunk->low = ground->map;
	chunk->high = ground->map + ground->length;
	chunk->node = node;
	chunk->huge = ground->huge;
	chunk->direct = shape.direct;
	chunk->pinnable = 1;
	chunk->watched = 0;
	chunk->run_count = shape.runs;
	for (uint32_t i = 0; i < shape.runs; i++)
		chunk->runs[i] = (struct bm_chunk_run){i * (BM_SLAB_PAGES / shape.runs),
						       shape.pages / shape.runs};
}

/* 0 when it did not come to that node. */
static uint64_t time_once(const struct bm_ground *ground, struct bm_shape shape, int node)
{
	const struct bm_sys *sys = ground->swap->wish.sys;
	uint64_t begin = sys->now_ns();

	set_chunk(ground, shape, node);
	if (bm_chunk_swap(ground->swap, ground->seat, ground->chunk) < 0 ||
	    !bm_bit(ground->chunk->moved, 0))
		return 0;
	return sys->now_ns() - begin;
}

uint64_t bm_ground_time(struct bm_ground *ground, struct bm_shape shape, int rounds)
{
	uint64_t best = 0;

	for (int round = 0; round < rounds; round++) {
		uint64_t took = time_once(ground, shape, ground->away);

		if (took == 0)
			return 0;
		if (round == 0)
			ground->first_ns = took;
		if (round > 0 && (best == 0 || took < best))
			best = took;
		if (ground->away != ground->home && time_once(ground, shape, ground->home) == 0)
			return 0;
	}
	return best;
}

/* Either comes once only, maybe with a pause: the first chunk, and filling the ground. */
static uint64_t populating(const struct bm_ground *ground, uint64_t usual)
{
	uint64_t more = ground->first_ns > usual ? ground->first_ns - usual : 1;

	return bm_least(more, ground->fill_ns);
}

/* ---------------------------------------------------------------- base pages */

/* 1 when they were measured. */
static int measure_base(struct bm_ground *ground, struct bm_rates *rates, int rounds)
{
	const struct bm_shape page = {1, 1, 0}, whole = {BM_SLAB_PAGES, 1, 0};
	const struct bm_shape run = {RUNS, 1, 0}, single = {RUNS, RUNS, 0};
	const struct bm_shape direct = {BM_SLAB_PAGES, 1, 1};
	uint64_t few = bm_ground_time(ground, page, rounds), all, one, many;

	all = few ? bm_ground_time(ground, whole, rounds) : 0;
	if (all)
		bm_rates_learn_populate(rates, populating(ground, all), BM_SLAB_PAGES);
	one = all ? bm_ground_time(ground, run, rounds) : 0;
	many = one ? bm_ground_time(ground, single, rounds) : 0;
	if (!many)
		return 0;
	rates->chunk_ns = few;
	bm_rates_learn_runs(rates, one, many, RUNS, RUNS);
	rates->page_ns = all > few ? (all - few) / BM_SLAB_PAGES : 1;
	all = bm_ground_time(ground, direct, rounds);
	if (all > few)
		rates->direct_ns = (all - few) / BM_SLAB_PAGES;
	return 1;
}

static void measure_huge(struct bm_swap *swap, struct bm_ground *like, struct bm_rates *rates,
			 int rounds)
{
	struct bm_ground ground;
	uint64_t took;

	if (bm_ground_new(&ground, swap, like->home, 1) < 0)
		return;
	ground.chunk = like->chunk;
	ground.away = like->away;
	took = bm_ground_time(&ground, (struct bm_shape){BM_SLAB_PAGES, 1, 0}, rounds);
	if (took) {
		bm_rates_learn_populate(rates, populating(&ground, took), 0);
		rates->huge_ns = took;
	}
	bm_ground_end(&ground);
}

/* ---------------------------------------------------------------- two threads at once */

struct sharer {
	struct bm_swap *swap;
	int home, away;
	atomic_int works, stops;
};

/* Swaps single pages for as long as the other one measures. */
static void *share_main(void *arg)
{
	struct sharer *sharer = arg;
	struct bm_ground ground;
	struct bm_chunk chunk;

	if (bm_ground_new(&ground, sharer->swap, sharer->home, 0) < 0)
		return NULL;
	ground.chunk = &chunk;
	ground.away = sharer->away;
	while (!atomic_load(&sharer->stops) &&
	       bm_ground_time(&ground, (struct bm_shape){RUNS, RUNS, 0}, 2))
		atomic_store(&sharer->works, 1);
	bm_ground_end(&ground);
	return NULL;
}

/* Of all rounds: the least would be one in which the other thread did not run. */
static uint64_t usual_time(const struct bm_ground *ground, struct bm_shape shape, int rounds)
{
	uint64_t sum = 0;

	for (int round = 0; round < rounds; round++) {
		uint64_t took = time_once(ground, shape, ground->away);

		if (took == 0 ||
		    (ground->away != ground->home && !time_once(ground, shape, ground->home)))
			return 0;
		sum += took;
	}
	return sum / (unsigned int)rounds;
}

/* What a run costs more while another thread does the same: each interrupts the other. */
static void measure_sharing(struct bm_ground *ground, struct bm_rates *rates, int rounds)
{
	const struct bm_sys *sys = ground->swap->wish.sys;
	struct sharer sharer = {.swap = ground->swap, .home = ground->home, .away = ground->away};
	const struct bm_shape single = {RUNS, RUNS, 0};
	uint64_t alone = usual_time(ground, single, rounds), both = 0;
	uint64_t end = sys->now_ns() + 10000000;
	pthread_t thread;

	if (!alone || sys->cpus() < 2 || sys->thread_start(&thread, share_main, &sharer) != 0)
		return;
	while (!atomic_load(&sharer.works) && sys->now_ns() < end)
		sys->sleep_us(100);
	if (atomic_load(&sharer.works))
		both = usual_time(ground, single, 2 * rounds);
	atomic_store(&sharer.stops, 1);
	pthread_join(thread, NULL);
	if (both)
		rates->share_ns = both > alone ? (both - alone) / RUNS : 0;
}

/* ---------------------------------------------------------------- the kernel */

/* Of every n-th base page, there and back; 0 when it does not move them. */
static uint64_t time_kernel(const struct bm_ground *ground, uint32_t pages, int rounds)
{
	struct bm_swap *swap = ground->swap;
	const struct bm_sys *sys = swap->wish.sys;
	int nodes[BM_SLAB_PAGES], status[BM_SLAB_PAGES];
	void *list[BM_SLAB_PAGES];
	uint64_t best = 0;

	for (uint32_t i = 0; i < pages; i++)
		list[i] = (void *)(uintptr_t)(ground->start + i * swap->wish.page_size);
	for (int round = 0; round < 2 * rounds; round++) {
		uint64_t begin, took;

		for (uint32_t i = 0; i < pages; i++)
			nodes[i] = round % 2 ? ground->home : ground->away;
		begin = sys->now_ns();
		if (sys->move_pages(0, pages, list, nodes, status, MPOL_MF_MOVE) != 0 ||
		    status[0] != nodes[0])
			return 0;
		took = sys->now_ns() - begin;
		if (round % 2 == 0 && (best == 0 || took < best))
			best = took;
	}
	return best;
}

static void measure_kernel(const struct bm_ground *ground, struct bm_rates *rates, int rounds)
{
	uint64_t one, all;
	struct bm_ground huge;

	if (ground->home == ground->away)
		return;
	one = time_kernel(ground, 1, rounds);
	all = one ? time_kernel(ground, BM_SLAB_PAGES, rounds) : 0;
	if (!all)
		return;
	rates->kernel_ns = all / BM_SLAB_PAGES + 1;
	rates->call_ns = one > rates->kernel_ns ? one - rates->kernel_ns : 1;
	if (bm_ground_new(&huge, ground->swap, ground->home, 1) < 0)
		return;
	huge.away = ground->away;
	one = time_kernel(&huge, 1, rounds);
	if (one)
		rates->kernel_huge_ns = one;
	bm_ground_end(&huge);
}

int bm_measure(struct bm_swap *swap, int home, int away, struct bm_rates *rates, int rounds)
{
	struct bm_ground ground;
	struct bm_chunk chunk;
	int known;

	if (bm_ground_new(&ground, swap, home, 0) < 0)
		return -ENOMEM;
	ground.chunk = &chunk;
	if (away >= 0)
		ground.away = away;
	known = measure_base(&ground, rates, rounds);
	measure_sharing(&ground, rates, rounds);
	measure_huge(swap, &ground, rates, rounds);
	measure_kernel(&ground, rates, rounds);
	bm_ground_end(&ground);
	return known ? 0 : -ENOMEM;
}
