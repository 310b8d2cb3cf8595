/* SPDX-License-Identifier: MIT */
/*
 * channel.h - one thread's copies in flight.
 *
 * Each copy has a slot of a ring, with its descriptor and its record. What is
 * submitted together, a batch, lies together in the ring: its descriptors are
 * the list. A *load* is what has one entry of a queue: a batch, or a copy
 * alone; what belongs to it is kept in its first slot. Loads end in any order;
 * the ring goes on behind the oldest slot that is not free.
 */
#ifndef BM_DSA_CHANNEL_H
#define BM_DSA_CHANNEL_H

#include "engine.h"

/* The base pages of a chunk of 2 MiB. */
#define BM_DSA_SLOTS 512u

enum bm_dsa_slot_state {
	BM_DSA_FREE,
	BM_DSA_FLYING,   /* or a later slot of a batch that does */
	BM_DSA_AGAIN,    /* the rest is to be submitted */
	BM_DSA_ENDED,    /* and not yet told */
	BM_DSA_GIVEN_UP, /* in flight, and nobody asks for it any more */
};

struct bm_dsa_slot {
	uint64_t fault; /* the last one */
	uint32_t length, done;
	uint32_t tag;
	int32_t error;
	uint16_t count;  /* slots of the load that begins here */
	uint8_t queue;   /* that has it */
	uint8_t state;   /* enum bm_dsa_slot_state */
	uint8_t resumes; /* of this copy */
	uint8_t stalls;  /* of these, the last ones that had copied nothing */
};

/* What the device reads and writes. */
struct bm_dsa_area {
	struct bm_dsa_desc descs[BM_DSA_SLOTS];
	union bm_dsa_record records[BM_DSA_SLOTS];
	union bm_dsa_record batches[BM_DSA_SLOTS / 2]; /* by half of the first slot */
	union bm_dsa_record drains[BM_DSA_QUEUES_MOST];
};

struct bm_channel {
	struct bm_dsa_area area;  /* first: aligned to a page */
	struct bm_dsa_desc order; /* a batch, or a drain, while it is submitted */
	struct bm_dsa_slot slots[BM_DSA_SLOTS];
	struct bm_engine *engine;
	uint32_t head, tail; /* slots, counted from the beginning */
	uint32_t number;     /* of the channel */
	uint32_t place;      /* in portals */
	uint32_t turn;       /* of the queues */
	uint32_t near;       /* the first ones in `queues` */
	int node;            /* that they are near */
	uint32_t waits;      /* since something ended */
	int pin;
	uint64_t drained; /* queues that were sent a drain */
	uint8_t queues[BM_DSA_QUEUES_MOST];
};

static inline uint32_t bm_dsa_slot_at(uint32_t count)
{
	return count % BM_DSA_SLOTS;
}

static inline union bm_dsa_record *bm_dsa_record_of(struct bm_channel *channel, uint32_t at)
{
	return channel->slots[at].count > 1 ? &channel->area.batches[at / 2]
					    : &channel->area.records[at];
}

/* All that follows it in the record is valid once this is not 0. */
static inline unsigned int bm_dsa_status_of(union bm_dsa_record *record)
{
	return atomic_load_explicit(&record->fields.status, memory_order_acquire);
}

static inline void bm_dsa_clear(union bm_dsa_record *record)
{
	for (int i = 0; i < 4; i++)
		record->words[i] = 0;
}

/* channel.c */
int bm_dsa_chan_open(struct bm_engine *engine, int node, struct bm_channel **channel);
void bm_dsa_chan_close(struct bm_channel *channel);

/* records.c: keeps the area where it is, or says that it cannot. */
void bm_dsa_area_pin(struct bm_channel *channel);
void bm_dsa_area_unpin(struct bm_channel *channel);

/* order.c */
void bm_dsa_aim(struct bm_channel *channel, int node);
/* The n-th queue to try. */
struct bm_dsa_wq *bm_dsa_queue_at(struct bm_channel *channel, uint32_t n, uint8_t *index);

/* submit.c */
int bm_dsa_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count);
/* Submits what is AGAIN from this slot on, up to `most` slots: how many, 0, or -ENODEV. */
int bm_dsa_send_again(struct bm_channel *channel, uint32_t at, uint32_t most);

/* reap.c */
int bm_dsa_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most);

/* wait.c */
void bm_dsa_wait(struct bm_channel *channel);

/* settle.c */
int bm_dsa_settle(struct bm_channel *channel);

#endif
