/* SPDX-License-Identifier: MIT */
/*
 * records.c - the memory of completion records stays where it is.
 *
 * A device without an event log (DSA 1.0) loses a record whose page it cannot
 * reach, and the kernel makes pages unreachable while it migrates or reclaims
 * them. mlock(2) keeps it from reclaiming only.
 */
#include "channel.h"

void bm_dsa_area_pin(struct bm_channel *channel)
{
	struct bm_engine *engine = channel->engine;
	const struct bm_sys *sys = engine->env.sys;
	uint64_t addr = (uint64_t)(uintptr_t)&channel->area;
	uint64_t page = engine->env.page_size;
	uint64_t length = (sizeof(channel->area) + page - 1) & ~(page - 1);

	channel->pin = sys->pin(addr, length);
	if (channel->pin >= 0)
		return;
	sys->mlock(addr, length, 1);
	if (!atomic_exchange(&engine->warned, 1))
		bm_log(engine->env.log, BM_LOG_WARN,
		       "backend dsa: completion records cannot be pinned (error %d; io_uring, "
		       "RLIMIT_MEMLOCK): those that come while the kernel migrates their page are "
		       "lost, and their copies are waited for in vain",
		       -channel->pin);
}

void bm_dsa_area_unpin(struct bm_channel *channel)
{
	if (channel->pin >= 0)
		channel->engine->env.sys->close(channel->pin);
}
