/* SPDX-License-Identifier: MIT */
/* submit.c - copies become descriptors, descriptors batches, and these go into queues. */
#include "channel.h"

#include <errno.h>

#include "least.h"

#define ARRAY_LEAST 32u

/* Slots that lie together and are to be submitted; with copies: they are new. */
struct wish {
	const struct bm_copy *copies;
	uint32_t at, count;
};

static void describe(struct bm_channel *channel, uint32_t at, const struct bm_copy *copy)
{
	struct bm_dsa_desc *desc = &channel->area.descs[at];
	struct bm_dsa_slot *slot = &channel->slots[at];

	desc->from = (uint64_t)(uintptr_t)copy->from;
	desc->to = (uint64_t)(uintptr_t)copy->to;
	desc->size = (uint32_t)copy->length;
	slot->fault = 0;
	slot->length = (uint32_t)copy->length;
	slot->done = 0;
	slot->tag = copy->tag;
	slot->error = 0;
	slot->resumes = 0;
	slot->stalls = 0;
}

static void prepare(struct bm_channel *channel, const struct wish *wish, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		bm_dsa_clear(&channel->area.records[wish->at + i]);
		if (wish->copies)
			describe(channel, wish->at + i, &wish->copies[i]);
	}
}

static int send_batch(struct bm_channel *channel, struct bm_dsa_wq *wq, uint32_t at, uint32_t count)
{
	union bm_dsa_record *record = &channel->area.batches[at / 2];

	bm_dsa_clear(record);
	channel->order.command = BM_DSA_COMMAND(BM_DSA_BATCH);
	channel->order.record = (uint64_t)(uintptr_t)record;
	channel->order.from = (uint64_t)(uintptr_t)&channel->area.descs[at];
	channel->order.size = count;
	return bm_dsa_wq_send(wq, &channel->place, &channel->order, 1);
}

/* They fly: as one load, or each alone. */
static void note(struct bm_channel *channel, const struct wish *wish, uint32_t count, int batch,
		 uint8_t queue)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bm_dsa_slot *slot = &channel->slots[wish->at + i];

		slot->state = BM_DSA_FLYING;
		slot->queue = queue;
		slot->count = 1;
	}
	if (batch)
		channel->slots[wish->at].count = (uint16_t)count;
}

/* As one batch: slots, 0: it takes none now, -errno. */
static int try_batch(struct bm_channel *channel, const struct wish *wish, struct bm_dsa_wq *wq,
		     uint32_t most)
{
	uint32_t count = (uint32_t)bm_least(wish->count, most);
	int sent = bm_dsa_wq_take(wq, 1);

	if (sent <= 0)
		return sent;
	prepare(channel, wish, count);
	sent = send_batch(channel, wq, wish->at, count);
	if (sent > 0)
		return (int)count;
	bm_dsa_wq_give(wq, 1);
	return sent;
}

/* As descriptors alone, as many as there is room for. */
static int try_singles(struct bm_channel *channel, const struct wish *wish, struct bm_dsa_wq *wq)
{
	int entries = bm_dsa_wq_take(wq, wish->count);
	int sent;

	if (entries <= 0)
		return entries;
	prepare(channel, wish, (uint32_t)entries);
	sent = bm_dsa_wq_send(wq, &channel->place, &channel->area.descs[wish->at],
			      (uint32_t)entries);
	bm_dsa_wq_give(wq, (uint32_t)(sent > 0 ? entries - sent : entries));
	return sent;
}

static uint32_t span_of(const struct bm_channel *channel)
{
	return atomic_load_explicit(&channel->engine->span, memory_order_relaxed);
}

/* What one queue is given at a time: without batches, an array for one call of write(2). */
static uint32_t portion_of(const struct bm_channel *channel)
{
	uint32_t span = span_of(channel);

	return span > ARRAY_LEAST ? span : ARRAY_LEAST;
}

/* How many slots this queue took, 0: none now, -ENODEV: it is dead, perhaps from now on. */
static int try_queue(struct bm_channel *channel, const struct wish *wish, uint32_t n)
{
	uint8_t index;
	struct bm_dsa_wq *wq = bm_dsa_queue_at(channel, n, &index);
	uint32_t most = (uint32_t)bm_least(atomic_load_explicit(&wq->batch, memory_order_relaxed),
					   span_of(channel));
	int batch = wish->count > 1 && most > 1;
	int sent = batch ? try_batch(channel, wish, wq, most) : 0;

	/* The driver refuses batches by write(2) where the device cannot check them. */
	if (sent == -EINVAL) {
		atomic_store(&wq->batch, 1);
		batch = 0;
	}
	if (!batch)
		sent = try_singles(channel, wish, wq);
	if (sent > 0)
		note(channel, wish, (uint32_t)sent, batch, index);
	if (sent >= 0)
		return sent;
	bm_dsa_wq_kill(wq);
	return -ENODEV;
}

/* To the first queue that takes any: how many slots, 0: none now, -ENODEV: none ever. */
static int launch(struct bm_channel *channel, const struct wish *wish)
{
	int rc = -ENODEV;

	for (uint32_t n = 0; n < channel->engine->queue_count; n++) {
		int sent = try_queue(channel, wish, n);

		if (sent > 0) {
			channel->turn = channel->turn + 1 < channel->near ? channel->turn + 1 : 0;
			return sent;
		}
		if (sent == 0)
			rc = 0;
	}
	return rc;
}

/* New slots that lie together. */
static size_t room(const struct bm_channel *channel)
{
	return bm_least(BM_DSA_SLOTS - (channel->tail - channel->head),
			BM_DSA_SLOTS - bm_dsa_slot_at(channel->tail));
}

static size_t count_allowed(const struct bm_channel *channel, const struct bm_copy *copies,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (copies[i].length == 0 || copies[i].length > channel->engine->piece)
			return i;
	return count;
}

int bm_dsa_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	size_t taken = 0;
	int sent = 0;

	count = count_allowed(channel, copies, bm_least(count, BM_DSA_SLOTS));
	if (count == 0)
		return -EINVAL;
	while (taken < count) {
		size_t some = bm_least(count - taken, room(channel));
		struct wish wish = {copies + taken, bm_dsa_slot_at(channel->tail),
				    (uint32_t)bm_least(some, portion_of(channel))};

		sent = wish.count ? launch(channel, &wish) : 0;
		if (sent <= 0)
			break;
		channel->tail += (uint32_t)sent;
		taken += (size_t)sent;
	}
	if (taken)
		return (int)taken;
	return sent < 0 ? sent : -EAGAIN;
}

int bm_dsa_send_again(struct bm_channel *channel, uint32_t at, uint32_t most)
{
	struct wish wish = {NULL, at, 0};

	most = (uint32_t)bm_least(most, bm_least(BM_DSA_SLOTS - at, portion_of(channel)));
	while (wish.count < most && channel->slots[at + wish.count].state == BM_DSA_AGAIN)
		wish.count++;
	return launch(channel, &wish);
}
