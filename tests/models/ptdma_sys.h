/* SPDX-License-Identifier: MIT */
/*
 * ptdma_sys.h - a table of system calls in which the functions of the model
 * are on the PCI bus: /sys/bus/pci, /dev/vfio or /dev/uioN, an IOMMU or frames.
 *
 * Function f is 0000:0f:00.2 (f in hexadecimal, from 1), alone in the IOMMU group
 * 20 + f. All else is the table given.
 *
 * With vfio the bus leads through what VFIO_IOMMU_MAP_DMA has mapped, and nowhere
 * else, and what is mapped may not be moved (see ptdma_sys_pinned). With uio a page has a frame
 * in the model's /proc/self/pagemap, a number that has nothing to do with its
 * address; it is kept while the page is pinned by the table's pin_buffers(), and
 * another one from then on: a device that uses it later reaches nothing, which is counted.
 *
 * In a child of a fork functions are other ones, with the same rules, once it opens one.
 * What it inherits it may close; any other call on a descriptor of its parent ends it.
 */
#ifndef MODEL_PTDMA_SYS_H
#define MODEL_PTDMA_SYS_H

#include "ptdma.h"
#include "sys.h"

enum ptdma_driver { PTDMA_NO_DRIVER, PTDMA_VFIO_PCI, PTDMA_UIO_PCI };

struct ptdma_sys_how {
	enum ptdma_driver driver; /* of all functions */
	const char *group_type;   /* NULL: "DMA" with vfio, "identity" otherwise; "": no groups */
	int open_error;           /* open() of /dev/vfio/N and /dev/uioN fails with it */
	int map_error;            /* VFIO_IOMMU_MAP_DMA does; pin_buffers() does */
	int reset_error;          /* resets do */
	uint64_t memlock;         /* bytes that may be mapped or pinned at a time; 0: any number */
	int no_user_iova; /* only low addresses may be mapped: what is above 2^32 is reserved */
	int no_pfn;       /* pagemap tells no frames (CAP_SYS_ADMIN is lacking) */
	int encrypted;    /* memory encryption is active: raw frames read as other bytes */
	int master_lost_config; /* configuration space does not take bus mastering (lockdown) */
};

/* One at a time; calls of the table go to this model until the next one. The model is made here. */
struct ptdma *ptdma_sys_use(struct bm_sys *sys, const struct ptdma_config *functions, size_t count,
			    const struct ptdma_sys_how *how, uint32_t seed);
/* And ended here: what is still mapped, pinned or open is forgotten. */
void ptdma_sys_end(void);

/* What the user of the table has. */
struct ptdma_sys_held {
	unsigned int files, mappings, pinned_pages, bus_masters, locks;
	uint64_t map_calls, unmap_calls, pin_calls; /* since the beginning */
	uint64_t stale; /* accesses of functions to frames that nobody has pinned any more */
};
void ptdma_sys_count(struct ptdma_sys_held *held);
/* 1 when a page of this range is mapped or pinned: it could not be moved by UFFDIO_MOVE. */
int ptdma_sys_pinned(const void *start, size_t length);
/* The addresses of all functions, as for the option ptdma_functions. */
const char *ptdma_sys_names(void);

#endif
