/* SPDX-License-Identifier: MIT */
/* cost.c - thresholds, each with the measurement it comes from. */
#include "cost.h"

#include "workers.h"

/*
 * Starting a thread costs about 30 us, a call of 4096 pages some milliseconds.
 * Beyond four the lock of the drain and the LRU locks are what is shared.
 */
#define AUTO_THREADS_MAX 4u
#define CALLS_PER_THREAD 2u
#define PAUSE_MAX_US     100000u
/* A PAGEMAP_SCAN of one page costs about 300 ns, the node of a page 110 ns. */
#define PROBE_UNITS 4u

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

unsigned int bm_cost_threads(int64_t asked, int cpus, size_t calls)
{
	size_t most = asked > 0 ? (size_t)asked : least((size_t)cpus, AUTO_THREADS_MAX);
	size_t fed = asked > 0 ? calls : calls / CALLS_PER_THREAD;

	most = least(least(most, fed), BM_WORKERS_MAX);
	return most > 0 ? (unsigned int)most : 1;
}

uint64_t bm_cost_pause_us(uint64_t first_us, unsigned int round)
{
	uint64_t pause = first_us;

	while (--round > 0 && pause < PAUSE_MAX_US)
		pause *= 4;
	return least(pause, first_us > PAUSE_MAX_US ? first_us : PAUSE_MAX_US);
}

int bm_cost_probe_pays(size_t units)
{
	return units >= PROBE_UNITS;
}
