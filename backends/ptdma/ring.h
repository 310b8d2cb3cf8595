/* SPDX-License-Identifier: MIT */
/*
 * ring.h - a ring of descriptors, the same for both kinds of functions.
 *
 * Slots are counted from when the ring was set up: those before `head` have ended,
 * those before `rung` the function knows of, those before `tail` are filled. One
 * slot stays free, because equal ends mean an empty ring. What the copies are that
 * the slots are of is in a queue beside it.
 *
 * A ring belongs to one channel at a time, and only that uses it.
 */
#ifndef BM_PTDMA_RING_H
#define BM_PTDMA_RING_H

#include <stdatomic.h>

#include "abi.h"
#include "function.h"

#define BM_PTDMA_SLOTS_LEAST 2u
#define BM_PTDMA_SLOTS_MOST  8192u
/* Of one descriptor: nobody is known to have used more. */
#define BM_PTDMA_LENGTH_MOST ((size_t)2 << 20)

/*
 * When nothing has ended for so long, and so many times what it should take, the
 * function is asked what is the matter.
 */
#define BM_PTDMA_LATE_NS    100000u
#define BM_PTDMA_LATE_TIMES 4u

/* A copy that a ring has. */
struct bm_ptdma_entry {
	uint32_t tag, length;
	uint32_t end; /* it has ended when all slots before this one have */
};

/* What became of a ring that its channel has. */
enum bm_ptdma_fate {
	BM_PTDMA_WORKS,
	BM_PTDMA_FAILED, /* what has not ended will not, and writes nothing that matters */
	BM_PTDMA_LOST,   /* it may still write to the targets */
	BM_PTDMA_LEFT,   /* likewise, and the channel looks at it no more */
};

struct bm_ptdma_ring {
	struct bm_ptdma_function *function;
	struct bm_pci_memory memory;
	struct bm_ptdma_entry *entries;
	uint32_t entry_count; /* that there is room for, a power of two */
	_Atomic uint32_t taken;
	uint32_t registers;          /* offset of those of the queue */
	uint32_t slots;              /* a power of two */
	uint32_t start;              /* slot number 0 is here */
	_Atomic uint32_t head, rung; /* looked at by who halts the function, too */
	uint32_t tail;
	uint32_t first, last; /* entries, counted likewise */
	enum bm_ptdma_fate fate;
	/* Slots that were filled when bus mastering was found to be off: they ended, or not. */
	uint32_t doubt_begin, doubt_end;
	int doubts;
	uint32_t losses;   /* of bus mastering, as many as are known here */
	int rests;         /* it did before it was stopped, see bm_ptdma_kind */
	uint32_t control;  /* of PTDMA: CONTROL without RUN */
	uint32_t old_code; /* likewise: of an error before it was set up */
	struct {           /* what the last slot was filled with */
		uint64_t from, to;
		size_t length;
	} run;
	uint64_t bytes; /* of copies that have not ended */
	uint64_t moved; /* when something ended, or began in an empty ring, ns */
	uint64_t late;  /* when to ask what is the matter */
	uint64_t due;   /* when it is worth to look */
	uint64_t wild;  /* since when what it shows cannot be; 0: it can */
	uint64_t
		stopped; /* since when it reads as stopped, as far as it was asked; 0: it does not */
	uint32_t rate;   /* bytes in 1024 ns, as far as it was seen */
};

/* What is different. */
struct bm_ptdma_kind {
	struct bm_pci_id id;
	unsigned int bar;
	const char *name;
	/* How many rings there are; the last of them has the offset of its registers. */
	uint32_t (*rings)(const struct bm_pci *pci);
	uint32_t (*registers)(uint32_t number);
	uint32_t slots; /* of a ring, 0: any power of two */
	/* The rest may be called in windows. */
	/* Registers that all rings have in common; bus mastering is off. */
	void (*begin)(struct bm_ptdma_function *function);
	/* An empty ring in the registers: 0 or -EIO. */
	int (*set_up)(struct bm_ptdma_ring *ring);
	void (*fill)(struct bm_ptdma_ring *ring, uint32_t slot);
	void (*doorbell)(struct bm_ptdma_ring *ring);
	/*
	 * The new head, as far as it can be believed: 0; -EAGAIN: what is shown cannot
	 * be; -EIO: an error is shown.
	 */
	int (*progress)(struct bm_ptdma_ring *ring, uint32_t *head);
	/* Of one that does not move: 0, 1: it does not run, -EIO: it shows an error. */
	int (*check)(struct bm_ptdma_ring *ring);
	/* 1 when it has gone through all that it knows of. */
	int (*is_idle)(const struct bm_ptdma_ring *ring);
	/* 1 when it shows an error, and writes nothing more of what it had, also later. */
	int (*rests)(struct bm_ptdma_ring *ring);
	void (*stop)(struct bm_ptdma_ring *ring);
};

extern const struct bm_ptdma_kind bm_ptdma_kind_ptdma, bm_ptdma_kind_ae4dma;

static inline uint32_t bm_ptdma_slot(const struct bm_ptdma_ring *ring, uint32_t count)
{
	return (ring->start + count) & (ring->slots - 1);
}

static inline struct bm_ptdma_desc *bm_ptdma_desc_at(const struct bm_ptdma_ring *ring,
						     uint32_t slot)
{
	return (struct bm_ptdma_desc *)ring->memory.at + slot;
}

static inline uint32_t bm_ptdma_read(const struct bm_ptdma_ring *ring, uint32_t offset)
{
	return bm_pci_read(&ring->function->pci, ring->registers + offset);
}

static inline void bm_ptdma_write(const struct bm_ptdma_ring *ring, uint32_t offset, uint32_t value)
{
	bm_pci_write(&ring->function->pci, ring->registers + offset, value);
}

static inline int bm_ptdma_is_busy(const struct bm_ptdma_ring *ring)
{
	return ring->head != ring->tail;
}

/* The function has addresses of that many bits. */
static inline int bm_ptdma_is_reached(uint64_t bus, size_t length)
{
	return bus < (uint64_t)1 << BM_PTDMA_BUS_BITS &&
	       ((uint64_t)1 << BM_PTDMA_BUS_BITS) - bus >= length;
}

/* Spent between two reads of a register: each takes hundreds of ns. */
static inline void bm_ptdma_pause(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ring.c; for windows. */
/*
 * A value from nowhere is read again: 1 when it was read twice, or is what is
 * expected; 0: no two reads are the same, or the function has gone.
 */
int bm_ptdma_read_sure(const struct bm_ptdma_ring *ring, uint32_t offset, uint32_t expected,
		       uint32_t *value);
/* 1: it is the caller's now, until it gives it back empty. */
int bm_ptdma_take(struct bm_ptdma_ring *ring);
void bm_ptdma_give(struct bm_ptdma_ring *ring);
/* Nothing is in it, whatever was. */
void bm_ptdma_forget(struct bm_ptdma_ring *ring);
/* Room for a copy of so many descriptors. */
int bm_ptdma_has_room(const struct bm_ptdma_ring *ring, uint32_t descriptors);
/* A run of bytes: in the last slot, if they go on where it ends, or in one of their own. */
void bm_ptdma_add(struct bm_ptdma_ring *ring, uint64_t from, uint64_t to, size_t length);
/* What was added since the last one is this copy. */
void bm_ptdma_add_end(struct bm_ptdma_ring *ring, const struct bm_copy *copy);
/* The function begins with what is new. */
void bm_ptdma_launch(struct bm_ptdma_ring *ring, uint64_t now);

/* poll.c; for windows. */
/* Looks at the function, if that is worth it: 0; -EIO: it is to be stopped. */
int bm_ptdma_poll(struct bm_ptdma_ring *ring, uint64_t now);
/* How long what is in it takes, by what was seen, ns. */
uint64_t bm_ptdma_expects(const struct bm_ptdma_ring *ring);

#endif
