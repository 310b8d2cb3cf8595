/* SPDX-License-Identifier: MIT */
/*
 * settle.c - copies that nobody waits for any more: when can they write no more?
 *
 * Once the function is no bus master and has answered a read after that, or was
 * reset. Until then its ring is nobody else's, and the targets stay pinned.
 */
#include "channel.h"

static int is_quiet(struct bm_ptdma_function *function)
{
	enum bm_ptdma_how how = bm_ptdma_halted(function);

	if (how == BM_PTDMA_UNSURE) {
		bm_ptdma_recover(function);
		bm_ptdma_cut_off(function);
		how = bm_ptdma_how(function);
	}
	return how == BM_PTDMA_QUIET || how == BM_PTDMA_DEAD;
}

/* Nobody waits: the time for resets of those that can do with one. */
static void recover_all(struct bm_engine *engine)
{
	for (uint32_t i = 0; i < engine->function_count; i++)
		if (atomic_load(&engine->functions[i].lives))
			bm_ptdma_recover(&engine->functions[i]);
}

int bm_ptdma_settle(struct bm_channel *channel)
{
	/* Pages that are pinned are the parent's alone: fork(2) has made copies of them. */
	if (!bm_ptdma_is_owner(channel->engine))
		return 1;
	for (uint32_t i = channel->held; i-- > 0;) {
		struct bm_ptdma_ring *ring = channel->rings[i];

		if (!bm_ptdma_is_busy(ring) || is_quiet(ring->function))
			bm_ptdma_drop(channel, i);
	}
	if (channel->held > 0)
		return 0;
	channel->flying = 0;
	if (channel->lost && bm_pci_unpin(channel->pins, 0) < 0)
		return 0;
	channel->lost = 0;
	recover_all(channel->engine);
	return 1;
}
