/* SPDX-License-Identifier: MIT */
/*
 * channel.h - one thread's copies: their pages are pinned, they go to some rings.
 *
 * From pin() to unpin() it takes rings as it needs them, those of functions on the
 * node that it writes to first, and no more than its part where others want some.
 */
#ifndef BM_PTDMA_CHANNEL_H
#define BM_PTDMA_CHANNEL_H

#include "engine.h"

/* Copies in flight: the base pages of a chunk of 2 MiB. */
#define BM_PTDMA_COPIES 512u

struct bm_channel {
	struct bm_engine *engine;
	struct bm_pci_pins *pins;
	uint32_t number;                    /* of the channel */
	int node;                           /* that the copies go to */
	int pinned;                         /* pin() was called, unpin() not yet */
	int lost;                           /* targets are pinned still, see unpin() */
	uint32_t flying;                    /* copies */
	uint32_t waits;                     /* since something ended */
	uint32_t held;                      /* rings that it has */
	uint32_t turn;                      /* of those, which one gets the next copy */
	uint64_t given;                     /* bytes that it got in this turn */
	uint32_t near;                      /* the first ones in `order` */
	uint8_t order[BM_PTDMA_RINGS_MOST]; /* in which rings are wanted */
	struct bm_ptdma_ring *rings[BM_PTDMA_RINGS_MOST];
};

/* channel.c */
int bm_ptdma_chan_open(struct bm_engine *engine, int node, struct bm_channel **channel);
void bm_ptdma_chan_close(struct bm_channel *channel);

/* The rest but settle.c is for windows. */

/* order.c */
void bm_ptdma_aim(struct bm_channel *channel, int node);
/* The ring that gets a copy of so many descriptors: NULL: none has room. */
struct bm_ptdma_ring *bm_ptdma_next_ring(struct bm_channel *channel, uint32_t descriptors,
					 uint64_t now);
/* Gives back the ring in that place. */
void bm_ptdma_drop(struct bm_channel *channel, uint32_t place);

/* pin.c */
int bm_ptdma_pin(struct bm_channel *channel, const struct bm_copy *copies, size_t count);
int bm_ptdma_unpin(struct bm_channel *channel);

/* submit.c */
int bm_ptdma_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count);

/* reap.c */
int bm_ptdma_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most);

/* wait.c */
void bm_ptdma_wait(struct bm_channel *channel);

/* settle.c */
int bm_ptdma_settle(struct bm_channel *channel);

#endif
