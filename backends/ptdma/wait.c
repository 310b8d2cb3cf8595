/* SPDX-License-Identifier: MIT */
/* wait.c - passes the time until it is worth to look at a ring. */
#include "channel.h"

#include "least.h"

/* A window of 2 MiB takes one engine some 400 us: so long it is not worth to leave the CPU. */
#define WAIT_NS 20000u
#define WAITS   32u
#define PAUSES  8

static uint64_t next_due(const struct bm_channel *channel)
{
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; i < channel->held; i++) {
		const struct bm_ptdma_ring *ring = channel->rings[i];

		if (ring->fate == BM_PTDMA_WORKS && bm_ptdma_is_busy(ring))
			due = bm_least(due, ring->due);
	}
	return due;
}

/* There is nothing in memory that could be watched: registers are all there is. */
void bm_ptdma_wait(struct bm_channel *channel)
{
	const struct bm_backend_env *env = &channel->engine->env;
	uint64_t end;

	channel->waits++;
	if (env->wait == BM_WAIT_YIELD || (env->wait == BM_WAIT_AUTO && channel->waits > WAITS)) {
		env->sys->yield();
		return;
	}
	end = bm_least(next_due(channel), env->sys->now_ns() + WAIT_NS);
	do {
		for (int i = 0; i < PAUSES; i++)
			bm_ptdma_pause();
	} while (env->sys->now_ns() < end);
}
