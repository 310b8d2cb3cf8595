/* SPDX-License-Identifier: MIT */
/*
 * queue.h - one opened work queue, shared by all channels of the engine.
 *
 * An entry is one descriptor that was submitted alone, or one batch. Who
 * submits takes entries first and gives them back when their records are
 * there: more than the queue has are never in flight, because a dedicated
 * queue that is full drops descriptors without a word.
 */
#ifndef BM_DSA_QUEUE_H
#define BM_DSA_QUEUE_H

#include <stdatomic.h>

#include "abi.h"
#include "queues.h"

struct bm_dsa_wq {
	_Atomic uint64_t state;     /* entries in flight, given up; dead, closed: queue.c */
	_Atomic uint32_t batch;     /* descriptors that a batch may have, 1: no batches */
	_Atomic unsigned int ended; /* it was closed: nothing of it writes any more */
	const struct bm_sys *sys;
	uint64_t portal; /* 0: by write(2) */
	uint32_t room;   /* entries for copies */
	uint32_t size;   /* and for a drain behind them */
	int fd;
	int node;
	enum bm_dsa_mode mode;
	char device[16];
	char name[24];
};

/* 0, or what open(2) said; maps the portal when this CPU has the instruction for it. */
int bm_dsa_wq_open(struct bm_dsa_wq *wq, const struct bm_backend_env *env,
		   const struct bm_dsa_queue *facts);
/* When no channel is left. */
void bm_dsa_wq_close(struct bm_dsa_wq *wq);

/* The rest down to is_dead() may be called in windows. */

/* Takes up to so many entries: how many, 0: it is full, -ENODEV: it is dead. */
int bm_dsa_wq_take(struct bm_dsa_wq *wq, uint32_t most);
void bm_dsa_wq_give(struct bm_dsa_wq *wq, uint32_t count);
/*
 * Submits descriptors for which there are entries: how many, 0: it takes none
 * now, or -errno: it refuses the first. The place in the portal is of the caller.
 */
int bm_dsa_wq_send(struct bm_dsa_wq *wq, uint32_t *place, const struct bm_dsa_desc *descs,
		   uint32_t count);
/* Nobody gets entries any more. */
void bm_dsa_wq_kill(struct bm_dsa_wq *wq);
int bm_dsa_wq_is_dead(const struct bm_dsa_wq *wq);

/* An entry for a drain, even of a dead queue: 1, or 0 when it is full or closed. */
int bm_dsa_wq_take_last(struct bm_dsa_wq *wq);
/* Whoever took these entries waits for them no more. */
void bm_dsa_wq_give_up(struct bm_dsa_wq *wq, uint32_t count);
/* Entries that were given up have ended after all. */
void bm_dsa_wq_give_late(struct bm_dsa_wq *wq, uint32_t count);
/*
 * Closes a dead queue if all that is in flight was given up; 1 once it is
 * closed and nothing of it can write any more. May block in the driver.
 */
int bm_dsa_wq_shut(struct bm_dsa_wq *wq);

#endif
