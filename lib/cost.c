/* SPDX-License-Identifier: MIT */
/* cost.c - thresholds, each with the measurement it comes from. */
#include "cost.h"

#include "least.h"
#include "workers.h"

/*
 * Starting a thread costs about 30 us, a call of 4096 pages some milliseconds.
 * Beyond four the lock of the drain and the LRU locks are what is shared.
 */
#define AUTO_THREADS_MAX 4u
#define CALLS_PER_THREAD 2u
/* A batch of one page takes 107 us with swap and each further one 0.5, the kernel 15 and 2. */
#define SWAP_LEAST 64u
/* Copying so much takes 500 us, starting a thread 30. */
#define SWAP_BYTES_PER_THREAD (4u << 20)
/*
 * 70 bytes for each unit of a slice, used again and again. Once for each slice
 * threads wait for each other and /proc/vmstat is read: 75000 instructions,
 * for a slice of 8192 pages 9 for each.
 */
#define CALLS_PER_SLICE 16u
#define CALLS_ALONE     2u
#define SLICE_LEAST     8192u
#define SLICE_MOST      (1u << 20)
#define PAUSE_MAX_US    100000u
/* A PAGEMAP_SCAN of one page costs about 300 ns, the node of a page 110 ns. */
#define PROBE_UNITS 4u
/* To open and close pagemap takes 20000 instructions, one page 14000. */
#define LOOK_PAGES 256u
/* Looking at an entry of a page table costs about 15 ns, a hole in a call 100 ns and a flush. */
#define SCAN_SPAN 8u
/* With one in 64 a block of 4096 where 5 % need no move is noticed in 96 of 100 cases. */
#define SAMPLE_STEP 64u
/* The first question of a call costs as much as three pages more. */
#define SAMPLE_LEAST 128u

unsigned int bm_cost_threads(int64_t asked, int cpus, size_t calls)
{
	size_t most = asked > 0 ? (size_t)asked : bm_least((size_t)cpus, AUTO_THREADS_MAX);
	size_t fed = asked > 0 ? calls : calls / CALLS_PER_THREAD;

	most = bm_least(bm_least(most, fed), BM_WORKERS_MAX);
	return most > 0 ? (unsigned int)most : 1;
}

int bm_cost_swap_too_small(size_t pages)
{
	return pages < SWAP_LEAST;
}

unsigned int bm_cost_swap_threads(int64_t asked, int cpus, uint64_t bytes)
{
	uint64_t fed = bytes / SWAP_BYTES_PER_THREAD;
	uint64_t most = asked > 0 ? (uint64_t)asked : (uint64_t)cpus;

	most = bm_least(bm_least(most, BM_WORKERS_MAX), fed > 0 ? fed : 1);
	return most > 0 ? (unsigned int)most : 1;
}

size_t bm_cost_slice_units(unsigned int threads, size_t call_pages)
{
	size_t calls = threads > 1 ? threads * (size_t)CALLS_PER_SLICE : CALLS_ALONE;
	size_t units = calls * call_pages;

	units = units < SLICE_LEAST ? SLICE_LEAST : units;
	return units < SLICE_MOST ? units : SLICE_MOST;
}

uint64_t bm_cost_pause_us(uint64_t first_us, unsigned int round)
{
	uint64_t pause = first_us;

	while (--round > 0 && pause < PAUSE_MAX_US)
		pause *= 4;
	return bm_least(pause, first_us > PAUSE_MAX_US ? first_us : PAUSE_MAX_US);
}

int bm_cost_look_pays(size_t pages)
{
	return pages >= LOOK_PAGES;
}

int bm_cost_probe_pays(size_t units)
{
	return units >= PROBE_UNITS;
}

int bm_cost_scan_pays(size_t units, uint64_t span_pages)
{
	return span_pages <= (uint64_t)units * SCAN_SPAN;
}

size_t bm_cost_sample_step(size_t units)
{
	if (units < SAMPLE_LEAST)
		return 0;
	return units < SAMPLE_STEP ? units : SAMPLE_STEP;
}

uint64_t bm_cost_recycling_pages(uint64_t pages, uint64_t chunk_ns, uint64_t populate_ns)
{
	uint64_t each = 1;

	/* each * populate + pages / each * chunk is least at the root of pages * chunk / populate. */
	while (each < pages && each * each * populate_ns < pages * chunk_ns)
		each *= 2;
	return each;
}
