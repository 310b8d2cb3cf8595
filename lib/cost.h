/* SPDX-License-Identifier: MIT */
/* cost.h - decisions by what things cost. Pure. */
#ifndef BM_COST_H
#define BM_COST_H

#include <stddef.h>
#include <stdint.h>

/* How many threads share a slice: `asked` 0 leaves it to the sizes. */
unsigned int bm_cost_threads(int64_t asked, int cpus, size_t calls);

/* 1 when a batch of single pages is so small that swap is out of the question. */
int bm_cost_swap_too_small(size_t pages);

/* The same for the mover swap, by the bytes of the batch. */
unsigned int bm_cost_swap_threads(int64_t asked, int cpus, uint64_t bytes);

/* Units worked on at a time: some calls for each thread, in memory that is used again. */
size_t bm_cost_slice_units(unsigned int threads, size_t call_pages);

/* How long to wait before retry number `round` (from 1), microseconds. */
uint64_t bm_cost_pause_us(uint64_t first_us, unsigned int round);

/* 1 when a batch is large enough to be looked at in pagemap. */
int bm_cost_look_pays(size_t pages);

/* 1 when asking about each unit of a region is dearer than asking whether it is huge. */
int bm_cost_probe_pays(size_t units);

/* 1 when looking at every page of a span finds holes for less than they would cost. */
int bm_cost_scan_pays(size_t units, uint64_t span_pages);

/* One of how many units is asked for before a block moves; 0: none. */
size_t bm_cost_sample_step(size_t units);

/*
 * How many pages a chunk has best where each leaves its old pages to the next
 * one: the first has to populate as many, and each costs something.
 */
uint64_t bm_cost_recycling_pages(uint64_t pages, uint64_t chunk_ns, uint64_t populate_ns);

#endif
