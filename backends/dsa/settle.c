/* SPDX-License-Identifier: MIT */
/*
 * settle.c - copies that nobody waits for any more: when can they write no more?
 *
 * A load is over when its record is there. One whose record does not come is
 * over when a drain that was submitted behind it has ended: a device ends a
 * drain after all that came before it in this queue from this process. And all
 * is over once the queue is closed: the driver waits for the device before it
 * takes away the process's address space from it.
 *
 * Who may be where: other channels may be in windows and use the same queues.
 * A drain does not disturb them. A queue that does not answer it in time is
 * dead for all; what they have in flight there they may still reap, or give up
 * themselves. It is closed by the last one that gives up, when nothing is in
 * flight that somebody waits for; by then nobody is between taking an entry
 * and the end of its submission (queue.c), and a channel that comes later finds
 * the queue dead. So no portal is unmapped and no descriptor reused under
 * another thread. Its own channel is used by nobody else meanwhile.
 *
 * While a device works, closing would block for as long as it does, for ever
 * if it has lost something; and it waits for nothing where a child of fork(2)
 * has the queue open, too. So only queues of devices that have stopped are
 * closed. Where that cannot be told, and no drain is answered, it is never over.
 */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DRAIN_NS 20000000u
#define NAP_US   50u

static int is_in_flight(const struct bm_dsa_slot *slot)
{
	return slot->state == BM_DSA_FLYING || slot->state == BM_DSA_GIVEN_UP;
}

static void mark(struct bm_dsa_slot *slot, enum bm_dsa_slot_state state)
{
	uint32_t count = slot->count;

	for (uint32_t i = 0; i < count; i++)
		slot[i].state = (uint8_t)state;
}

/* What has ended and was not told is forgotten; what is in flight is so for nobody. */
static void give_up(struct bm_channel *channel)
{
	uint32_t next = channel->head;

	while (next != channel->tail) {
		struct bm_dsa_slot *slot = &channel->slots[bm_dsa_slot_at(next)];

		if (!is_in_flight(slot)) {
			slot->state = BM_DSA_FREE;
			next++;
			continue;
		}
		next += slot->count;
		if (slot->state == BM_DSA_FLYING)
			bm_dsa_wq_give_up(&channel->engine->queues[slot->queue], 1);
		mark(slot, BM_DSA_GIVEN_UP);
	}
}

/* Nothing in this queue writes any more. */
static void forget(struct bm_channel *channel, uint32_t queue)
{
	uint32_t next = channel->head;

	while (next != channel->tail) {
		struct bm_dsa_slot *slot = &channel->slots[bm_dsa_slot_at(next)];

		if (!is_in_flight(slot)) {
			next++;
			continue;
		}
		next += slot->count;
		if (slot->queue != queue)
			continue;
		bm_dsa_wq_give_late(&channel->engine->queues[queue], 1);
		mark(slot, BM_DSA_FREE);
	}
}

/* A queue whose drain has ended; returns 0 when that tells nothing. */
static int end_drain(struct bm_channel *channel, uint32_t queue)
{
	unsigned int status = bm_dsa_status_of(&channel->area.drains[queue]);

	if (status == BM_DSA_NONE)
		return 1;
	channel->drained &= ~((uint64_t)1 << queue);
	bm_dsa_wq_give_late(&channel->engine->queues[queue], 1);
	if (status != BM_DSA_SUCCESS)
		return 0;
	forget(channel, queue);
	return 1;
}

static uint64_t count_queues(struct bm_channel *channel)
{
	uint64_t queues = channel->drained;
	uint32_t next = channel->head;

	while (next != channel->tail) {
		const struct bm_dsa_slot *slot = &channel->slots[bm_dsa_slot_at(next)];

		if (is_in_flight(slot))
			queues |= (uint64_t)1 << slot->queue;
		next += is_in_flight(slot) ? slot->count : 1;
	}
	return queues;
}

/* Takes what came meanwhile; the queues that may still write, and those that take no drain. */
static uint64_t sweep(struct bm_channel *channel, uint64_t *refuse)
{
	struct bm_copied none;

	bm_dsa_reap(channel, &none, 1);
	for (uint32_t i = 0; i < channel->engine->queue_count; i++)
		if (channel->drained >> i & 1 && !end_drain(channel, i))
			*refuse |= (uint64_t)1 << i;
	return count_queues(channel);
}

/* 0, or -errno when it will never take one. */
static int drain(struct bm_channel *channel, uint32_t queue)
{
	struct bm_dsa_wq *wq = &channel->engine->queues[queue];
	union bm_dsa_record *record = &channel->area.drains[queue];
	int sent;

	if (channel->drained >> queue & 1 || !bm_dsa_wq_take_last(wq))
		return 0;
	bm_dsa_clear(record);
	channel->order.command = BM_DSA_COMMAND(BM_DSA_DRAIN);
	channel->order.record = (uint64_t)(uintptr_t)record;
	channel->order.from = 0;
	channel->order.size = 0;
	sent = bm_dsa_wq_send(wq, &channel->place, &channel->order, 1);
	if (sent <= 0) {
		bm_dsa_wq_give(wq, 1);
		return sent;
	}
	bm_dsa_wq_give_up(wq, 1);
	channel->drained |= (uint64_t)1 << queue;
	return 0;
}

static uint64_t drain_all(struct bm_channel *channel, uint64_t queues)
{
	uint64_t refuse = 0;

	for (uint32_t i = 0; i < channel->engine->queue_count; i++)
		if (queues >> i & 1 && drain(channel, i) < 0)
			refuse |= (uint64_t)1 << i;
	return refuse;
}

/* Halted, or disabled by its administrator; not when that cannot be told. */
static int has_stopped(const struct bm_dsa_wq *wq)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/sys/bus/dsa/devices/%s/state", wq->device);
	return bm_sys_text(wq->sys, path, text, sizeof(text)) > 0 && strcmp(text, "enabled") != 0;
}

static void end_queue(struct bm_channel *channel, uint32_t queue)
{
	struct bm_dsa_wq *wq = &channel->engine->queues[queue];

	if (!bm_dsa_wq_is_dead(wq))
		bm_log(channel->engine->env.log, BM_LOG_WARN,
		       "backend dsa: %s does not answer, it is used no more", wq->name);
	bm_dsa_wq_kill(wq);
	if (!atomic_load(&wq->ended) && !(has_stopped(wq) && bm_dsa_wq_shut(wq)))
		return;
	channel->drained &= ~((uint64_t)1 << queue);
	forget(channel, queue);
}

int bm_dsa_settle(struct bm_channel *channel)
{
	const struct bm_sys *sys = channel->engine->env.sys;
	uint64_t end = sys->now_ns() + DRAIN_NS;
	uint64_t refuse = 0, left;

	give_up(channel);
	/* A queue that has no room for a drain now may have it in a moment. */
	while ((left = sweep(channel, &refuse)) & ~refuse && sys->now_ns() < end) {
		refuse |= drain_all(channel, left & ~refuse);
		sys->sleep_us(NAP_US);
	}
	for (uint32_t i = 0; i < channel->engine->queue_count; i++)
		if (left >> i & 1)
			end_queue(channel, i);
	return sweep(channel, &refuse) == 0;
}
