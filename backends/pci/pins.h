/* SPDX-License-Identifier: MIT */
/*
 * pins.h - pages that a channel has pinned: tables in memory of their own.
 *
 * A run is a stretch of addresses that is pinned as one: copies that follow each
 * other, upwards or downwards. Nothing between two runs is ever touched: it may be a hole
 * that a userfaultfd watches, where a pin would wait for ever.
 */
#ifndef BM_PCI_PINS_H
#define BM_PCI_PINS_H

#include "space.h"

#define BM_PCI_PAGEMAP  "/proc/self/pagemap"
#define BM_PCI_RUN_MOST ((size_t)1 << 30) /* what io_uring pins as one buffer */

enum { BM_PCI_SOURCES, BM_PCI_TARGETS, BM_PCI_SIDES };

struct bm_pci_run {
	uint64_t start;
	size_t length;
	uint64_t
		bus; /* vfio: its first address there; uio: the number of its first page in frames */
	int mapped;  /* vfio */
};

struct bm_pci_side {
	struct bm_pci_run *runs; /* as many as run_most */
	size_t count;
	size_t bytes;
	size_t last; /* the run that was asked for last: the next one is near */
	/* uio only: */
	int pinner, pinned;
	struct iovec *buffers;
	uint64_t *frames; /* of each page, in the order of the runs */
	uint32_t *follow; /* pages from there on that follow each other */
};

struct bm_pci_pins {
	struct bm_pci_space *space;
	const struct bm_sys *sys;
	size_t total;      /* bytes of all this */
	size_t bytes_most; /* of a side */
	size_t run_most;   /* likewise */
	uint64_t arena;    /* vfio: 2 * bytes_most bus addresses, sources first */
	struct bm_pci_side sides[BM_PCI_SIDES];
	struct bm_pci_side *near; /* sides, to be written by who only looks something up */
};

/* The tables for these copies: 0 or -E2BIG. For windows. */
int bm_pci_runs_make(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count);

/* The frame of the page at this address: 0, or -errno. It must be pinned. For windows, too. */
int bm_pci_frames(const struct bm_pci_space *space, uint64_t addr, uint64_t *frames, size_t pages);

int bm_pci_vfio_pins_begin(struct bm_pci_pins *pins);
void bm_pci_vfio_pins_end(struct bm_pci_pins *pins);
int bm_pci_vfio_pin(struct bm_pci_pins *pins);
int bm_pci_vfio_unpin(struct bm_pci_pins *pins, int keep_targets);
uint64_t bm_pci_vfio_bus(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			 size_t offset, size_t *follow);
int bm_pci_uio_pins_begin(struct bm_pci_pins *pins);
void bm_pci_uio_pins_end(struct bm_pci_pins *pins);
int bm_pci_uio_pin(struct bm_pci_pins *pins);
int bm_pci_uio_unpin(struct bm_pci_pins *pins, int keep_targets);
uint64_t bm_pci_uio_bus(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			size_t offset, size_t *follow);

int bm_pci_vfio_memory_new(struct bm_pci_space *space, struct bm_pci_memory *memory);
void bm_pci_vfio_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory);
int bm_pci_uio_memory_new(struct bm_pci_space *space, struct bm_pci_memory *memory);
void bm_pci_uio_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory);

#endif
