/* SPDX-License-Identifier: MIT */
/* probes.c - the semaphores of the probes, in the section where tracers look for them. */
#include "probes.h"

#ifdef BATCHMIG_USDT
#define SEMAPHORE(name)                                     \
	volatile unsigned short batchmig_##name##_semaphore \
		__attribute__((section(".probes"), used))

SEMAPHORE(batch__begin);
SEMAPHORE(batch__end);
SEMAPHORE(chunk__begin);
SEMAPHORE(chunk__end);
SEMAPHORE(call__begin);
SEMAPHORE(call__end);
#endif
