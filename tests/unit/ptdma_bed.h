/* SPDX-License-Identifier: MIT */
/*
 * ptdma_bed.h - rings of the backend ptdma on registers that are plain memory: a
 * function gets on by as many descriptors as a test says, and shows what it says.
 *
 * The engine is put together here, without files of a device. Bus addresses are
 * those of the process; where pages are scattered, odd ones are far from even ones.
 */
#ifndef UNIT_PTDMA_BED_H
#define UNIT_PTDMA_BED_H

#include "pci/space.h"
#include "ptdma/channel.h"
#include "ptdma/functions.h"
#include "ptdma/ptdma.h"
#include "scene.h"

#define BED_PAGE      4096u
#define BED_PAGES     1024u /* of an arena */
#define BED_FUNCTIONS 4u
#define BED_CHANNELS  4
#define BED_BAR       0x7000u
#define BED_FAR       (UINT64_C(1) << 47)

struct bed {
	struct bm_sys sys;
	struct bm_log log;
	struct bm_pci_way way;
	struct bm_pci_space space;
	struct bm_engine *engine;
	struct bm_channel *channels[BED_CHANNELS];
	unsigned char *from, *to;
	unsigned char *registers[BED_FUNCTIONS];
	uint16_t command[BED_FUNCTIONS]; /* PCI_COMMAND */
	int refuses;                     /* writes to it come to nothing */
	int reset_error;
	int scattered; /* pages */
	int lags;      /* AE4DMA: statuses are not written */
	unsigned int resets, yields, unpins, kept;
	uint64_t executed, bytes; /* descriptors */
	uint64_t clock, tick;     /* ns; of a look at it */
	struct bm_copied told[1024];
	size_t told_count, told_errors;
};

extern struct bed bed;

/* So many functions, all alike; PTDMA with rings of so many slots, 0: AE4DMA with `rings` rings. */
void bed_begin(unsigned int functions, uint32_t slots, uint32_t rings);
void bed_end(void);
struct bm_channel *bed_channel(int i);
uint32_t bed_get(unsigned int function, uint32_t offset);
void bed_put(unsigned int function, uint32_t offset, uint32_t value);

/* A function executes so many descriptors of each of its rings, as long as it may: how many. */
unsigned int bed_step(unsigned int function, unsigned int most);
/* Copy i: a page, from BED_PAGES - 1 - i to i; or to neighbours, from neighbours. */
void bed_copies(struct bm_copy *copies, size_t count, int neighbours);
/* Reaps what comes now, into told[]: how many, or -errno. */
int bed_reap(struct bm_channel *channel);
/* Submits all of them, with functions that get on: asserts that all are told. */
void bed_run(struct bm_channel *channel, struct bm_copy *copies, size_t count);
/* What was told to be copied is. */
void bed_verify(const struct bm_copy *copies, size_t count);

#endif
