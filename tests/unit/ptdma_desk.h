/* SPDX-License-Identifier: MIT */
/*
 * ptdma_desk.h - a software PTDMA with memory to copy, for its own tests.
 *
 * Registers and descriptors are numbers at offsets here, as the hardware defines
 * them: what the model calls them does not matter.
 */
#ifndef UNIT_PTDMA_DESK_H
#define UNIT_PTDMA_DESK_H

#include <stdint.h>

#include "models/ptdma.h"

#define PD_BUS    0x12ffffe00000ull /* where the memory is for the bus: across 4 GiB */
#define PD_MEMORY (4u << 20)
#define PD_RING   0x100000u /* in the memory: aligned to 1 MiB also on the bus */
#define PD_SOURCE 0x180000u /* from both sides of the 4 GiB */
#define PD_TARGET 0x300000u
#define PD_SLOTS  32u
#define PD_PIECE  8192u

#define PD_CONTROL    0x1000u
#define PD_TAIL       0x1004u
#define PD_HEAD       0x1008u
#define PD_INT_STATUS 0x1010u
#define PD_STATUS     0x1100u
#define PD_SETTING    (4u << 3 | 0x12ffu << 16) /* 32 descriptors */

/* AE4DMA: of queue q. */
#define PD_AE4(q, offset) (0x20u * ((q) + 1) + (offset))

struct ptdma_desk {
	struct ptdma *ptdma;
	volatile unsigned char *registers;
	unsigned char *memory;
	uint64_t hole;        /* an address in memory where there is nothing for the bus, 0: none */
	unsigned int slow_us; /* for each address */
	unsigned int asked;   /* how often for an address, by any function */
	uint32_t tail;        /* slots so far */
};

/* One function, with bus mastering; its ring is set up but for RUN. */
void ptdma_desk_open(struct ptdma_desk *desk, const struct ptdma_config *config,
		     struct ptdma_rule *rules, size_t count);
void ptdma_desk_close(struct ptdma_desk *desk);
uint32_t pd_read(const struct ptdma_desk *desk, size_t at);
void pd_write(const struct ptdma_desk *desk, size_t at, uint32_t value);
/* Waits until the register is that: 1, or 0 when it has not come to that. */
int pd_wait(const struct ptdma_desk *desk, size_t at, uint32_t mask, uint32_t value);
/* Long enough for the model to do what it is about to do. */
void pd_settle(const struct ptdma_desk *desk);

/* A descriptor of 8 words that copies a piece. */
void pd_copy(uint32_t *words, size_t piece, uint32_t length);
/* Puts it into the next slot. */
void pd_put(struct ptdma_desk *desk, const uint32_t *words);
/* TAIL, and CONTROL with RUN. */
void pd_go(const struct ptdma_desk *desk);
/* Copies a piece by the next slot. */
void pd_submit(struct ptdma_desk *desk, size_t piece);
uint32_t pd_low(size_t slot);
/* 1: HEAD has left the first slot, before long. */
int pd_wait_begun(const struct ptdma_desk *desk);
/* 1: HEAD stands at this slot, before long. */
int pd_wait_head(const struct ptdma_desk *desk, size_t slot);
int pd_is_copied(const struct ptdma_desk *desk, size_t piece, size_t length);
int pd_is_untouched(const struct ptdma_desk *desk, size_t piece);
/* 1: so many odd writes were counted, before long. */
int pd_wait_odd(const struct ptdma_desk *desk, uint64_t count);
/* And so many accesses without bus mastering. */
int pd_wait_masterless(const struct ptdma_desk *desk, uint64_t count);
struct ptdma_counts pd_counts(const struct ptdma_desk *desk);

/* AE4DMA: queue q, set up and enabled; its ring is the q-th KiB of the memory for rings. */
void pd_ae4_set_up(const struct ptdma_desk *desk, unsigned int queue);
void pd_ae4_copy(uint32_t *words, size_t piece, uint32_t length);
/* Into this slot of its ring. */
void pd_ae4_put(const struct ptdma_desk *desk, unsigned int queue, size_t slot,
		const uint32_t *words);
/* The status word of a slot. */
uint32_t pd_ae4_status(const struct ptdma_desk *desk, unsigned int queue, size_t slot);

#endif
