/* SPDX-License-Identifier: MIT */
/*
 * dsa_scene.h - the backend dsa on a software device: memory, a clock, copies
 * whose every byte is known, and a caller that finishes what the device left.
 */
#ifndef UNIT_DSA_SCENE_H
#define UNIT_DSA_SCENE_H

#include "dsa/dsa.h"
#include "models/dsa.h"
#include "models/dsa_sys.h"
#include "scene.h"

#define PAGE       4096u
#define PAGES      512u /* of an arena */
#define COPIES     600u
#define CHANNELS   4
#define STALE_BYTE 0xa5
#define LOST_BYTE  0x5a

/* How descriptors come to the device. */
enum dsa_way {
	PORTAL_DEDICATED,
	PORTAL_SHARED,
	WRITE_SHARED,
	WRITE_DEDICATED,
	WRITE_BATCH, /* the driver takes batches */
	WRITE_BLIND, /* there are no files that tell what the queue is */
	WAYS
};

enum told { NOT_TAKEN, IN_FLIGHT, TOLD };

struct dsa_work {
	struct bm_copy copies[COPIES];
	unsigned char told[COPIES]; /* enum told */
	size_t count, taken, ended;
	size_t left; /* copies that the device has not made in full */
	int end;     /* what submit() said when it will take no more, 0 */
};

struct dsa_scene {
	struct bm_sys sys;
	struct bm_log log;
	struct bm_backend_env env;
	struct dsa_sys_how how;
	struct dsa *device;
	enum dsa_pace pace;
	struct bm_engine *engine;
	struct bm_channel *channels[CHANNELS];
	unsigned char *from, *to, *expected; /* arenas */
	size_t pages;                        /* of each */
	struct dsa_work work;
	char lines[4096]; /* that were logged */
	void *blocks[64]; /* of env.memory() */
	size_t sizes[64];
	int fail_at; /* the memory() that fails, from 1 */
	uint64_t clock;
	int halts; /* a device that has stopped drops what comes to a dedicated queue */
};

extern struct dsa_scene dsa;
extern size_t dsa_pages; /* of the arenas of the next scene */

/* One queue, or several alike; copies are cleared. */
void dsa_begin(enum dsa_way way, unsigned int queues, unsigned int size, enum dsa_pace pace);
/* With these queues. */
void dsa_begin_with(const struct dsa_queue_config *configs, size_t count, enum dsa_pace pace,
		    const struct dsa_sys_how *how);
void dsa_open_all(int channels);
/* Fails the test when memory was left, an address was foreign or a descriptor dropped. */
void dsa_end(void);
/* When copies are in flight for ever. */
void dsa_end_stuck(void);

/* Adds a copy of pages by number. */
void dsa_add_copy(size_t to, size_t from, size_t pages);
/* Copies of 1 to `most` pages to all of the arena, in any order. */
void dsa_add_copies(size_t count, size_t most);
/* Submits and reaps until all are told, or nothing happens any more: how many are in flight. */
size_t dsa_drive(struct bm_channel *channel, struct dsa_work *work);
/* One round of it; 0: nothing happened. */
int dsa_turn(struct bm_channel *channel, struct dsa_work *work);
/* Finishes what is left, as the library does, and compares everything. */
void dsa_verify(const char *what);
struct dsa_counts dsa_counted(void);

#endif
