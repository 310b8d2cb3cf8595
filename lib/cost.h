/* SPDX-License-Identifier: MIT */
/* cost.h - decisions by what things cost. Pure. */
#ifndef BM_COST_H
#define BM_COST_H

#include <stddef.h>
#include <stdint.h>

/* How many threads share a slice: `asked` 0 leaves it to the sizes. */
unsigned int bm_cost_threads(int64_t asked, int cpus, size_t calls);

/* How long to wait before retry number `round` (from 1), microseconds. */
uint64_t bm_cost_pause_us(uint64_t first_us, unsigned int round);

/* 1 when asking about each unit of a region is dearer than asking whether it is huge. */
int bm_cost_probe_pays(size_t units);

#endif
