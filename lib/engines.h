/* SPDX-License-Identifier: MIT */
/*
 * engines.h - the engines that a context has opened, and which of them copy
 * for a batch: the first of its list that can be had, and the backend cpu
 * beside it where the list has that too.
 */
#ifndef BM_ENGINES_H
#define BM_ENGINES_H

#include "copy.h"
#include "nodes.h"

#define BM_ENGINES_MOST 4

enum bm_share { BM_SHARE_AUTO, BM_SHARE_OFF, BM_SHARE_ON };

/* Backends in order of preference. */
struct bm_picks {
	const struct bm_backend *list[BM_ENGINES_MOST];
	size_t count;
	int named; /* one of them was asked for by name, which is a quiet promise */
};

/* Who copies: places in a struct bm_engines, -1 nobody. */
struct bm_use {
	int main;
	int cpu; /* beside it; -1 where it is the main one itself */
};

struct bm_engine_slot {
	const struct bm_backend *backend; /* NULL: the slot is free */
	struct bm_engine *engine;
	int is_open;
	int error;        /* why it is not */
	size_t least;     /* bytes: where the cpu stands by, fewer are its own; 0: not decided */
	int shares;       /* and the two work on one chunk */
	uint32_t batch;   /* copies in one batch, measured; 0: not */
	int is_measured;  /* either is */
	size_t run_bytes; /* see struct bm_copier */
	atomic_uint told; /* what was told of it: bits, channels.c */
	/* Nodes that pins move pages away from. */
	_Atomic uint64_t astray[BM_NODES_MAX / 64];
	int is_silent; /* it did not answer once, and may still write: never used again */
};

struct bm_engines {
	struct bm_backend_env env;
	uint64_t patience_ns;
	size_t least;        /* as asked for; 0: measured */
	enum bm_share share; /* likewise */
	struct bm_engine_slot slots[BM_ENGINES_MOST];
};

/*
 * Opens what is not open yet of the picks until there is one, and the cpu:
 * 0, or why the last one cannot be had. By one thread at a time; what was
 * opened stays where it is.
 */
int bm_engines_use(struct bm_engines *engines, const struct bm_picks *picks, struct bm_use *use);
/* All channels are closed, but those of engines that are silent, which stay as they are. */
void bm_engines_close(struct bm_engines *engines);

#endif
