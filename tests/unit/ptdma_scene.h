/* SPDX-License-Identifier: MIT */
/*
 * ptdma_scene.h - the backend ptdma on software functions: arenas of which every
 * byte is known, and a caller that takes pages back as soon as it may.
 */
#ifndef UNIT_PTDMA_SCENE_H
#define UNIT_PTDMA_SCENE_H

#include "models/ptdma_sys.h"
#include "ptdma/ptdma.h"
#include "scene.h"

#define PT_PAGE     4096u
#define PT_PAGES    2048u /* of an arena */
#define PT_COPIES   512u
#define PT_RULES    2u
#define PT_CHANNELS 2
#define PT_PATIENCE 40u    /* ms: what engines lose is not waited for for long */
#define PT_EVER     20000u /* ms: engines that lose nothing, on a machine that is busy */

enum pt_state { PT_WAITING, PT_FLYING, PT_LOST, PT_TOLD };

struct pt_scene {
	struct bm_sys sys;
	struct bm_log log;
	struct bm_backend_env env;
	struct ptdma *functions;
	struct ptdma_rule rules[PT_RULES];
	struct bm_engine *engine;
	struct bm_channel *channels[PT_CHANNELS];
	struct bm_channel *channel; /* the first */
	size_t piece;               /* pages of the longest copy that it takes */
	unsigned char *from, *to;   /* arenas, aligned to huge pages */
	unsigned char *expected;    /* what `to` is to be, but for copies that are lost */
	struct bm_copy copies[PT_COPIES];
	unsigned char states[PT_COPIES]; /* enum pt_state */
	size_t count, taken, ended;
	size_t done;   /* in full, by the engine, since the scene began */
	size_t failed; /* told with errors, likewise */
	int end;       /* what submit() or reap() said when nothing more comes, 0 */
	int blocks;    /* of env.memory() */
	int errors;    /* lines of that level */
	char lines[16384];
	char what[160]; /* is tried, for messages */
};

extern struct pt_scene pt;

/* A model, a table of calls, options: by uio if that is the driver. Nothing is opened. */
void pt_begin(const struct ptdma_config *functions, size_t count, const struct ptdma_sys_how *how,
	      uint32_t ring);
/* An engine and a channel; asserts that they can be had. */
void pt_open(void);
/* The channel alone. */
void pt_open_channel(void);
/* Closes what is open, and ends the model; asserts that nothing is left. */
void pt_close(void);
/* Without asking what is left. */
void pt_end(void);
/* Asserts, telling what is tried. */
#define pt_assert(holds, ...)                           \
	do {                                            \
		if (!(holds))                           \
			pt_fail(__LINE__, __VA_ARGS__); \
	} while (0)
__attribute__((noreturn, format(printf, 2, 3))) void pt_fail(int line, const char *format, ...);

/* An empty list; what was expected stays. */
void pt_clear(void);
void pt_add(size_t to, size_t from, size_t pages);
/* Copies of 1 to `most` pages, as the channel takes them, none beside another one. */
void pt_add_apart(size_t count, size_t most);

int pt_pin(void);
/*
 * Asserts that sources are free and, unless it gives 1, targets. That it may only where
 * copies were given up: then none of the list is free before pt_settle().
 */
void pt_unpin(void);
/*
 * Submits and reaps until all is told or submit() wants no more, and nothing came for
 * so long: how many are in flight. What was told is the caller's again, who writes there where it failed.
 */
size_t pt_drive(unsigned int patience_ms);
/* What is in flight is given up: it may be written until pt_settle(). */
void pt_give_up(void);
/* Until it says so, a few times: 1; then the caller has what was lost, and writes there. 0. */
int pt_settle(void);
/* All bytes are as expected, sources too. */
void pt_compare(const char *when);

struct ptdma_counts pt_counted(void);
struct ptdma_sys_held pt_held(void);

#endif
