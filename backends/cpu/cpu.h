/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the backend cpu: the calling thread copies, with the loop that this
 * machine was measured to be fastest with, or with the one that was asked for.
 */
#ifndef BM_BACKEND_CPU_H
#define BM_BACKEND_CPU_H

#include "backend.h"

extern const struct bm_backend bm_backend_cpu;

/* Copies that a channel takes before some have to be reaped. */
#define BM_CPU_DEPTH 1024

/* By the length of a copy; each class has its loop. */
enum bm_cpu_class {
	BM_CPU_PAGES, /* single pages: less than 16 KiB */
	BM_CPU_RUNS,  /* up to a huge page */
	BM_CPU_HUGE,
	BM_CPU_CLASSES
};

enum bm_cpu_class bm_cpu_class_of(size_t length, uint64_t huge_size);

/* The loops of this build, the plainest first. */
size_t bm_cpu_loop_count(void);
const char *bm_cpu_loop_name(size_t loop);
int bm_cpu_loop_here(size_t loop); /* this CPU can run it */

/* The loop that an open engine uses for a class. */
size_t bm_cpu_loop_used(const struct bm_engine *engine, enum bm_cpu_class which);

#endif
