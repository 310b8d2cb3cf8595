/* SPDX-License-Identifier: MIT */
/* reap.c - what has ended, in whatever order it has. */
#include "resume.h"

#include <errno.h>

static void end(struct bm_dsa_slot *slot, uint32_t done, int error)
{
	slot->done = done;
	slot->error = error;
	slot->state = BM_DSA_ENDED;
}

/* Again, or as far as it has come: the caller finishes it. */
static void go_on(struct bm_dsa_slot *slot, int again)
{
	if (again)
		slot->state = BM_DSA_AGAIN;
	else
		end(slot, slot->done, 0);
}

static void end_copy(struct bm_channel *channel, uint32_t at, struct bm_dsa_wq *wq)
{
	struct bm_dsa_slot *slot = &channel->slots[at];
	enum bm_dsa_verdict verdict = bm_dsa_judge(bm_dsa_status_of(&channel->area.records[at]), 0);

	switch (verdict) {
	case BM_DSA_DONE:
		end(slot, slot->length, 0);
		return;
	case BM_DSA_WAITS:
		go_on(slot, bm_dsa_retry(slot));
		return;
	case BM_DSA_RESUME:
		go_on(slot, bm_dsa_resume(channel, at));
		return;
	default:
		if (verdict == BM_DSA_NO_QUEUE)
			bm_dsa_wq_kill(wq);
		end(slot, 0, -EIO);
	}
}

/*
 * The record of a batch comes after those of its copies. Where they are to be
 * looked at, they tell all: how many descriptors the batch claims is not asked.
 */
static void end_batch(struct bm_channel *channel, uint32_t at, struct bm_dsa_wq *wq,
		      enum bm_dsa_verdict verdict)
{
	uint32_t count = channel->slots[at].count;

	if (verdict == BM_DSA_MEMBERS)
		bm_dsa_touch_list(channel, at);
	if (verdict == BM_DSA_NO_QUEUE)
		bm_dsa_wq_kill(wq);
	else if (verdict == BM_DSA_NO_BATCH)
		atomic_store(&wq->batch, 1);
	for (uint32_t i = at; i < at + count; i++) {
		if (verdict == BM_DSA_DONE)
			end(&channel->slots[i], channel->slots[i].length, 0);
		else if (verdict == BM_DSA_MEMBERS)
			end_copy(channel, i, wq);
		else
			end(&channel->slots[i], 0, -EIO);
	}
}

/* Its record says nothing of its copies: it counts as in flight until the queue is drained. */
static int doubt(struct bm_channel *channel, uint32_t at, struct bm_dsa_wq *wq)
{
	bm_dsa_wq_kill(wq);
	bm_dsa_clear(bm_dsa_record_of(channel, at));
	return 0;
}

/* A load that was in flight; 0: it still is. */
static int land(struct bm_channel *channel, uint32_t at)
{
	struct bm_dsa_slot *slot = &channel->slots[at];
	struct bm_dsa_wq *wq = &channel->engine->queues[slot->queue];
	uint32_t count = slot->count;
	unsigned int status = bm_dsa_status_of(bm_dsa_record_of(channel, at));

	if (status == BM_DSA_NONE)
		return 0;
	if (count > 1 && bm_dsa_judge(status, 1) == BM_DSA_UNSURE)
		return doubt(channel, at, wq);
	if (slot->state == BM_DSA_GIVEN_UP) {
		bm_dsa_wq_give_late(wq, 1);
		for (uint32_t i = at; i < at + count; i++)
			channel->slots[i].state = BM_DSA_FREE;
		return 1;
	}
	bm_dsa_wq_give(wq, 1);
	if (count > 1)
		end_batch(channel, at, wq, bm_dsa_judge(status, 1));
	else
		end_copy(channel, at, wq);
	return 1;
}

/* What did not find room once would not for each of its slots. */
static uint32_t count_again(const struct bm_channel *channel, uint32_t at, uint32_t most)
{
	uint32_t count = 1;

	while (count < most && at + count < BM_DSA_SLOTS &&
	       channel->slots[at + count].state == BM_DSA_AGAIN)
		count++;
	return count;
}

/* Slots of the ring from this one on that need not be looked at again now. */
static uint32_t look_at(struct bm_channel *channel, uint32_t at, uint32_t most)
{
	struct bm_dsa_slot *slot = &channel->slots[at];
	int sent;

	switch (slot->state) {
	case BM_DSA_FLYING:
	case BM_DSA_GIVEN_UP:
		return land(channel, at) ? 0 : slot->count;
	case BM_DSA_AGAIN:
		sent = bm_dsa_send_again(channel, at, most);
		if (sent < 0)
			go_on(slot, 0);
		if (sent == 0)
			return count_again(channel, at, most);
		return sent > 0 ? (uint32_t)sent : 0;
	default:
		return 1;
	}
}

static void advance(struct bm_channel *channel)
{
	while (channel->head != channel->tail &&
	       channel->slots[bm_dsa_slot_at(channel->head)].state == BM_DSA_FREE)
		channel->head++;
}

int bm_dsa_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	uint32_t next = channel->head;
	size_t count = 0;

	while (next != channel->tail && count < most) {
		uint32_t at = bm_dsa_slot_at(next);
		struct bm_dsa_slot *slot = &channel->slots[at];

		if (slot->state != BM_DSA_ENDED) {
			next += look_at(channel, at, channel->tail - next);
			continue;
		}
		copied[count].done = slot->done;
		copied[count].tag = slot->tag;
		copied[count++].error = slot->error;
		slot->state = BM_DSA_FREE;
		next++;
	}
	advance(channel);
	if (count > 0)
		channel->waits = 0;
	return (int)count;
}
