/* SPDX-License-Identifier: MIT */
/* pin.c - pages are where the device was told that they are, from pin() to unpin(). */
#include "channel.h"

#include <errno.h>

int bm_ptdma_pin(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	int rc;

	if (channel->pinned || channel->lost)
		return -EBUSY;
	/* What a pin that failed could not free again. */
	if (bm_pci_unpin(channel->pins, 0) < 0)
		return -EBUSY;
	rc = bm_pci_pin(channel->pins, copies, count);
	if (rc < 0)
		return rc;
	channel->pinned = 1;
	channel->waits = 0;
	channel->given = 0;
	atomic_fetch_add(&channel->engine->active, 1);
	return 0;
}

/* Rings that are not known to write nothing are left. */
static void end_rings(struct bm_channel *channel)
{
	for (uint32_t i = channel->held; i-- > 0;) {
		struct bm_ptdma_ring *ring = channel->rings[i];
		enum bm_ptdma_how how = BM_PTDMA_QUIET;

		if (bm_ptdma_is_busy(ring))
			how = bm_ptdma_halted(ring->function);
		if (how == BM_PTDMA_QUIET || how == BM_PTDMA_DEAD) {
			bm_ptdma_drop(channel, i);
			continue;
		}
		bm_ptdma_forget(ring);
		ring->fate = BM_PTDMA_LEFT;
		atomic_fetch_add(&ring->function->left, 1);
	}
	channel->flying = 0;
}

int bm_ptdma_unpin(struct bm_channel *channel)
{
	int rc;

	if (!channel->pinned)
		return 0;
	end_rings(channel);
	rc = bm_pci_unpin(channel->pins, channel->held > 0);
	/*
	 * The IOMMU stands before what was unpinned, but only until the same addresses are
	 * mapped again for another window: the targets are not to be used either.
	 */
	channel->lost = rc < 0 || channel->held > 0;
	channel->pinned = 0;
	atomic_fetch_sub(&channel->engine->active, 1);
	return rc == 0 && channel->lost ? 1 : rc;
}
