/* SPDX-License-Identifier: MIT */
/*
 * ptdma.h - software PTDMA and AE4DMA functions as their users see them:
 * registers, which a thread of the model watches, and rings in memory.
 *
 * It shares no code with the backend. A function reaches memory through a bus,
 * and only while bus mastering is on. Any thread may call it.
 */
#ifndef MODEL_PTDMA_H
#define MODEL_PTDMA_H

#include <stddef.h>
#include <stdint.h>

#define PTDMA_FUNCTIONS_MOST 16

struct ptdma_config {
	int ae4;             /* 1022:149b; otherwise PTDMA, 1022:1498 */
	unsigned int queues; /* ae4: of the hardware, 1 to 16; 0: 16 */
	int node;            /* for the files that describe it */
};

/* What goes wrong. `amount` in brackets. */
enum ptdma_knob {
	PTDMA_DELAY,       /* completes so many microseconds later [us] */
	PTDMA_ERROR,       /* ends with this code, with nothing copied, and stops [code] */
	PTDMA_READ_FAULT,  /* stops reading the source after so many bytes: code 19 [bytes] */
	PTDMA_WRITE_FAULT, /* and writing the target: code 38 [bytes] */
	PTDMA_ERROR_PAST,  /* as PTDMA_ERROR, and HEAD is moved past it [code] */
	PTDMA_ERROR_QUIET, /* as PTDMA_ERROR, and neither STATUS nor INT_STATUS tells [code] */
	PTDMA_STUCK,       /* the function never ends it, nor begins another one */
	PTDMA_LATE,        /* as PTDMA_STUCK, until ptdma_release(): then it is done after all */
	PTDMA_GONE,        /* the function is removed: all reads are 0xffffffff from here on */
	PTDMA_MASTER_LOST, /* bus mastering is turned off by somebody else */
	PTDMA_HEAD_WILD,   /* HEAD (ae4: read_idx) reads this once before it is right [value] */
	PTDMA_RUN_HIDDEN,  /* CONTROL reads without RUN although it runs */
	PTDMA_KNOBS
};

struct ptdma_rule {
	enum ptdma_knob knob;
	uint64_t at;    /* the n-th descriptor that it takes, from 1; 0: none */
	uint64_t every; /* each n-th; 0: none */
	uint64_t amount;
	uint64_t hits; /* out: how often it came true */
};

/* What it has seen, of all functions. */
struct ptdma_counts {
	uint64_t descriptors, bytes;
	uint64_t doorbells;    /* changes of TAIL or write_idx that it saw */
	uint64_t refused;      /* descriptors that are wrong: codes 1, 8, 9, 12; ae4 likewise */
	uint64_t faults;       /* addresses that the bus does not have, or of 2^48 and more */
	uint64_t masterless;   /* accesses while bus mastering was off */
	uint64_t odd_writes;   /* to registers that there are not, or at the wrong time */
	uint64_t inits;        /* times that a queue was set up */
	uint64_t most_waiting; /* descriptors in one ring at a time */
};

/* Where a bus address leads for this access: NULL is a fault. As much as *length can be used. */
typedef void *ptdma_bus_fn(void *user, unsigned int function, uint64_t bus, size_t *length,
			   int writes);

struct ptdma;

/* The rules belong to the caller and are read and written until ptdma_free(). */
struct ptdma *ptdma_new(const struct ptdma_config *functions, size_t count, ptdma_bus_fn *bus,
			void *user, uint32_t seed);
void ptdma_free(struct ptdma *ptdma);
void ptdma_set_rules(struct ptdma *ptdma, struct ptdma_rule *rules, size_t count);
size_t ptdma_functions(const struct ptdma *ptdma);
const struct ptdma_config *ptdma_config_of(const struct ptdma *ptdma, unsigned int function);

/* The BAR with the registers: BAR2 of 512 KiB, or BAR0 of AE4DMA. */
volatile void *ptdma_registers(struct ptdma *ptdma, unsigned int function, size_t *size);
void ptdma_master(struct ptdma *ptdma, unsigned int function, int on);
int ptdma_is_master(const struct ptdma *ptdma, unsigned int function);
/* As after power-on: registers, queues; what PTDMA_STUCK held is forgotten. */
void ptdma_reset(struct ptdma *ptdma, unsigned int function);
/* What PTDMA_LATE held back is done now, if the function is still there and a bus master. */
void ptdma_release(struct ptdma *ptdma);
/* It is pulled out. */
void ptdma_remove(struct ptdma *ptdma, unsigned int function);
/* Returns once no function is in the middle of an access. */
void ptdma_pause(struct ptdma *ptdma);
void ptdma_count(struct ptdma *ptdma, struct ptdma_counts *counts);

#endif
