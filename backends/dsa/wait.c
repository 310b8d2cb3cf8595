/* SPDX-License-Identifier: MIT */
/* wait.c - passes the time until the oldest load has a record. */
#include "channel.h"

/* Cycles of the time stamp counter; Linux allows 100000 in one piece. */
#define UMWAIT_CYCLES 20000u
/* A batch of 32 pages takes some 5 us: so long it is not worth to leave the CPU. */
#define PAUSES 32
#define POLLS  16u

static union bm_dsa_record *oldest(struct bm_channel *channel)
{
	for (uint32_t next = channel->head; next != channel->tail; next++) {
		uint32_t at = bm_dsa_slot_at(next);
		unsigned int state = channel->slots[at].state;

		if (state == BM_DSA_FLYING)
			return bm_dsa_record_of(channel, at);
		if (state == BM_DSA_AGAIN || state == BM_DSA_ENDED)
			return NULL;
	}
	return NULL;
}

static void pause_some(union bm_dsa_record *record)
{
	for (int i = 0; i < PAUSES && bm_dsa_status_of(record) == BM_DSA_NONE; i++) {
#ifdef __x86_64__
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ volatile("yield");
#endif
	}
}

void bm_dsa_wait(struct bm_channel *channel)
{
	const struct bm_engine *engine = channel->engine;
	enum bm_engine_wait how = engine->env.wait;
	int monitors = (engine->cpu_facts & BM_CPU_WAITPKG) != 0;
	union bm_dsa_record *record = oldest(channel);

	channel->waits++;
	if (how == BM_WAIT_YIELD || (how != BM_WAIT_POLL && !monitors && channel->waits > POLLS))
		engine->env.sys->yield();
	else if (record && monitors && how != BM_WAIT_POLL)
		engine->env.sys->umwait(record, UMWAIT_CYCLES);
	else if (record)
		pause_some(record);
}
