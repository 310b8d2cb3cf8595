/* SPDX-License-Identifier: MIT */
/*
 * order.c - which queues a channel tries first: those of devices on the node
 * that is written to, one after the other; the others when these are full.
 * Processes and threads begin with different ones.
 */
#include "channel.h"

static uint32_t collect(struct bm_channel *channel, int near, uint32_t count)
{
	const struct bm_engine *engine = channel->engine;

	for (uint32_t i = 0; i < engine->queue_count; i++)
		if ((engine->queues[i].node == channel->node) == near)
			channel->queues[count++] = (uint8_t)i;
	return count;
}

void bm_dsa_aim(struct bm_channel *channel, int node)
{
	if (channel->node == node)
		return;
	channel->node = node;
	channel->near = collect(channel, 1, 0);
	collect(channel, 0, channel->near);
	/* A node without a device, or none: all are equally far. */
	if (channel->near == 0 || node < 0)
		channel->near = channel->engine->queue_count;
	channel->turn = (channel->engine->env.rank + channel->number) % channel->near;
}

struct bm_dsa_wq *bm_dsa_queue_at(struct bm_channel *channel, uint32_t n, uint8_t *index)
{
	if (n < channel->near) {
		n += channel->turn;
		if (n >= channel->near)
			n -= channel->near;
	}
	*index = channel->queues[n];
	return &channel->engine->queues[*index];
}
