/* SPDX-License-Identifier: MIT */
/* channel.c - channels: their memory, and what of their descriptors never changes. */
#include "channel.h"

#include <errno.h>

_Static_assert(offsetof(struct bm_channel, area) == 0, "the area is aligned to a page");
_Static_assert(offsetof(struct bm_dsa_area, records) % 64 == 0, "records are aligned");
_Static_assert(offsetof(struct bm_channel, order) % 64 == 0, "so are descriptors");
_Static_assert(sizeof(struct bm_dsa_area) < 65536,
	       "one channel fits into the least RLIMIT_MEMLOCK");

/*
 * Children of batches have records on success, too: where a batch fails, those
 * that have ended are told from those that were never begun. The price is 32
 * bytes that the device writes beside 4096; nobody reads them otherwise.
 */
static void prepare(struct bm_dsa_area *area)
{
	for (uint32_t i = 0; i < BM_DSA_SLOTS; i++) {
		area->descs[i].command = BM_DSA_COMMAND(BM_DSA_MEMMOVE);
		area->descs[i].record = (uint64_t)(uintptr_t)&area->records[i];
	}
}

int bm_dsa_chan_open(struct bm_engine *engine, int node, struct bm_channel **opened)
{
	struct bm_channel *channel = engine->env.memory(engine->env.sys, sizeof(*channel));

	if (!channel)
		return -ENOMEM;
	channel->engine = engine;
	channel->number = atomic_fetch_add(&engine->channels, 1);
	prepare(&channel->area);
	bm_dsa_area_pin(channel);
	channel->node = -2; /* no aim yet */
	bm_dsa_aim(channel, node);
	*opened = channel;
	return 0;
}

void bm_dsa_chan_close(struct bm_channel *channel)
{
	const struct bm_backend_env *env = &channel->engine->env;

	bm_dsa_area_unpin(channel);
	env->memory_end(env->sys, channel, sizeof(*channel));
}
