/* SPDX-License-Identifier: MIT */
/*
 * cpu_scene.h - arenas for the tests of the backend cpu. All of the
 * destination is compared, so that a store beside its target is seen.
 */
#ifndef UNIT_CPU_SCENE_H
#define UNIT_CPU_SCENE_H

#include "cpu/cpu.h"
#include "scene.h"

#define PIECE      4096u
#define ARENA      1200u /* pieces */
#define HUGE       (256u << 10)
#define MOST       (2 * BM_CPU_DEPTH + 7)
#define STALE_BYTE 0xa5

struct cpu_scene {
	struct bm_backend_env env;
	struct bm_sys sys;
	struct bm_log log;
	struct bm_engine *engine;
	struct bm_channel *channel;
	unsigned char *from, *to, *expected; /* arenas */
	struct bm_copy copies[MOST];
	size_t count;
	char line[512]; /* the last one that was logged */
	int blocks;     /* of memory() that were not given back */
	int fail_at;    /* the memory() that fails, from 1 */
	uint64_t clock, tick;
	unsigned int clock_reads;
};

extern struct cpu_scene cpu;

void cpu_set_up(void);
/* Fails the test when memory was left. */
void cpu_tear_down(void);

/* Opens the engine and a channel; the result of open(). */
int cpu_open_loop(const char *name);
void cpu_close_loop(void);

/* An empty list of copies, and a destination without contents. */
void cpu_begin(void);
/* Appends a copy: pieces by number. */
void cpu_add(size_t to, size_t from, size_t pieces);
/* Copies the list; all of the arena is to be as expected. */
void cpu_run(const char *what);

#endif
