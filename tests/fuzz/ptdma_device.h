/* SPDX-License-Identifier: MIT */
/*
 * ptdma_device.h - the functions of ptdma_heads.c, a PTDMA and an AE4DMA, that
 * do what the input says, and the access to them in place of backends/pci.
 *
 * A bus address is the address with another bit set: one that is not asked for
 * leads nowhere.
 */
#ifndef FUZZ_PTDMA_DEVICE_H
#define FUZZ_PTDMA_DEVICE_H

#include "input.h"
#include "pci/pci.h"

#define FUZZ_PAGE      4096u
#define FUZZ_COPIES    16u
#define FUZZ_SLOT      3u /* pages: a copy, and at least one behind it */
#define FUZZ_STALE     0xa5
#define FUZZ_ARENA     ((size_t)FUZZ_COPIES * FUZZ_SLOT * FUZZ_PAGE)
#define FUZZ_FUNCTIONS 2u
#define FUZZ_QUEUES    2u /* of AE4DMA */
#define FUZZ_BUS       (UINT64_C(1) << 46)
#define FUZZ_MOST      200000u /* registers and clocks that one call looks at */

/* What a register shows once that is not so. */
struct fuzz_lie {
	uint32_t value;
	int waits; /* for the next read */
	int was_told;
};

struct fuzz_queue {
	uint32_t control, tail, head, int_enable, int_status, status; /* ae4: indexes */
	uint32_t most, base_low, base_high;                           /* ae4 */
	struct fuzz_lie head_lie, control_lie;
};

struct fuzz_function {
	int ae4, is_master, is_gone;
	uint32_t enabled; /* ae4: queues */
	struct fuzz_queue queues[FUZZ_QUEUES];
};

struct fuzz_device {
	unsigned int present; /* functions, a bit each */
	int guards, scattered, no_resets;
	int plain; /* it does as it should */
	uint64_t clock;
	unsigned int looks;             /* since the backend was called */
	unsigned char said[FUZZ_ARENA]; /* the destination, by what was done */
	unsigned char flying[FUZZ_COPIES];
	struct fuzz_function functions[FUZZ_FUNCTIONS];
};

extern struct fuzz_device device;
extern unsigned char fuzz_from[FUZZ_ARENA], fuzz_to[FUZZ_ARENA];

/* Something happens to a function. */
void fuzz_device_event(struct fuzz_function *function);
/* All that waits is done, where it does as it should. */
void fuzz_device_look(void);
void fuzz_device_reset(struct fuzz_function *function);

/* The access: nothing is opened or pinned any more. */
void fuzz_access_end(void);
/* The clock of the device, in a table of calls. */
void fuzz_access_use(struct bm_sys *sys);
/* Memory of rings. */
int fuzz_is_ring(uint64_t bus, size_t length);
/* 1: all of it is pinned, as a source or a target. */
int fuzz_is_pinned(uint64_t bus, size_t length, int target);

#endif
