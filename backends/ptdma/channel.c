/* SPDX-License-Identifier: MIT */
/* channel.c - channels: their memory, and what their pages are pinned with. */
#include "channel.h"

#include <errno.h>

#include "least.h"

/* At a time; of a window it is a huge page, or base pages of 2 MiB. */
#define PINNED_BYTES  ((size_t)8 << 20)
#define PINNED_COPIES ((size_t)2048)

static size_t pinned_most(const struct bm_backend_env *env)
{
	return env->huge_size > PINNED_BYTES ? (size_t)env->huge_size : PINNED_BYTES;
}

int bm_ptdma_chan_open(struct bm_engine *engine, int node, struct bm_channel **opened)
{
	const struct bm_backend_env *env = &engine->env;
	struct bm_channel *channel;
	int rc;

	if (!bm_ptdma_is_owner(engine))
		return -ENODEV;
	channel = env->memory(env->sys, sizeof(*channel));
	if (!channel)
		return -ENOMEM;
	rc = bm_pci_pins_new(engine->space, pinned_most(env), PINNED_COPIES, &channel->pins);
	if (rc < 0) {
		env->memory_end(env->sys, channel, sizeof(*channel));
		return rc;
	}
	channel->engine = engine;
	channel->number = atomic_fetch_add(&engine->channels, 1);
	channel->node = -2; /* no aim yet */
	bm_ptdma_aim(channel, node);
	*opened = channel;
	return 0;
}

void bm_ptdma_chan_close(struct bm_channel *channel)
{
	struct bm_engine *engine = channel->engine;
	const struct bm_backend_env *env = &engine->env;

	/* In a child of a fork pins and rings are the parent's. */
	if (bm_ptdma_is_owner(engine)) {
		if (channel->pinned)
			bm_ptdma_unpin(channel);
		bm_pci_pins_free(channel->pins);
	}
	env->memory_end(env->sys, channel, sizeof(*channel));
}
