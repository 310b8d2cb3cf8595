/* SPDX-License-Identifier: MIT */
/*
 * pci.h - a DMA engine that is a PCI function, driven from user space.
 *
 * There are two ways to one. By vfio the IOMMU keeps the function to what is
 * mapped for it, and the kernel pins that. By uio it sees all of the memory: pages
 * are pinned as buffers of io_uring(7) and then looked up in
 * /proc/self/pagemap. An engine does the same with both:
 *
 *   find ── space_new ── open ... ── pins_new ── pin, unpin, ... ── pins_free ── close ── space_free
 *
 * Here is nothing about any particular engine. What may be called in windows (see
 * backend.h) says so.
 */
#ifndef BM_PCI_H
#define BM_PCI_H

#include <stddef.h>
#include <stdint.h>

#include "backend.h"

#define BM_PCI_FUNCTIONS_MOST 32u

enum bm_pci_access { BM_PCI_VFIO, BM_PCI_UIO };

struct bm_pci_id {
	uint16_t vendor, device;
};

/* What sysfs tells of a function. */
struct bm_pci_found {
	char address[16]; /* "0000:02:00.2" */
	struct bm_pci_id id;
	int node;            /* -1: none, or not known */
	int group;           /* of the IOMMU, -1: none */
	char group_type[16]; /* "identity", "DMA", "DMA-FQ", ...; "": not known */
	char driver[32];     /* that has it, "": none */
	int uio;             /* N of its /dev/uioN, -1: none */
};

/* All functions with one of these ids, by address: how many, at most `most`; or -errno. */
int bm_pci_find(const struct bm_sys *sys, const struct bm_pci_id *ids, size_t id_count,
		struct bm_pci_found *found, size_t most);
/* One by its address: 0, -ENODEV: there is none, -EINVAL: that is no address, or -errno. */
int bm_pci_look(const struct bm_sys *sys, const char *address, struct bm_pci_found *found);

/*
 * Whether it could be opened, without opening it: 0, or -errno with why (BM_WHY_MAX
 * bytes), and in remedy (likewise) the commands that would change it; "" where none would.
 */
int bm_pci_usable(const struct bm_sys *sys, const struct bm_pci_found *found,
		  enum bm_pci_access access, char *why, char *remedy);

/* ---------------------------------------------------------------- functions */

/* Bus addresses that all functions of an engine have in common. */
struct bm_pci_space;

int bm_pci_space_new(const struct bm_backend_env *env, enum bm_pci_access access,
		     struct bm_pci_space **space, char *why);
/* All functions are closed, all pins freed. */
void bm_pci_space_free(struct bm_pci_space *space);

/* A function in use; to be read only. */
struct bm_pci {
	struct bm_pci_space *space;
	volatile unsigned char *registers; /* of the BAR */
	size_t size;                       /* of it, bytes */
	int fd;                            /* of the device: vfio; of /dev/uioN */
	int group;                         /* vfio: of the group; -1 */
	int config;                        /* configuration space is in this file... */
	int64_t config_at;                 /* ...from here on */
	int resets;                        /* it can be reset */
	char address[16];
};

/*
 * Opens a function and maps a BAR; bus mastering is off. 0, or -errno with why in
 * BM_WHY_MAX bytes (-EBUSY: another process has it).
 */
int bm_pci_open(struct bm_pci_space *space, const struct bm_pci_found *found, unsigned int bar,
		struct bm_pci *pci, char *why);
/* Bus mastering is off before it is let go. */
void bm_pci_close(struct bm_pci *pci);

/* These three may be called in windows. */
/* Turns bus mastering on or off: 0 once it reads so, or -errno (-ENODEV: it reads all ones). */
int bm_pci_master(struct bm_pci *pci, int on);
/* 1: it is on, 0: it is off, -ENODEV: the function has gone. */
int bm_pci_is_master(const struct bm_pci *pci);
/*
 * Bus mastering off, and what was under way has arrived (a read of a register
 * pushes it): 1 when nothing is written any more, 0: it is not known.
 */
int bm_pci_quiet(struct bm_pci *pci);

/* 0, or -errno: -ENOTTY where it cannot be reset. Configuration is as after open. */
int bm_pci_reset(struct bm_pci *pci);

/*
 * Closes one that cannot be made quiet, for good: 1 when that is enough, because the
 * IOMMU lets nothing of it through any more (vfio, alone in its group); 0: it is still open.
 */
int bm_pci_cut_off(struct bm_pci *pci);

/* 32 bits, little-endian, in program order with one another. For windows, too. */
static inline uint32_t bm_pci_read(const struct bm_pci *pci, size_t offset)
{
	const volatile void *at = pci->registers + offset;

	return __atomic_load_n((const volatile uint32_t *)at, __ATOMIC_ACQUIRE);
}

/* What was stored to memory before is there first: on x86 also non-temporal stores. */
static inline void bm_pci_write(const struct bm_pci *pci, size_t offset, uint32_t value)
{
	volatile void *at = pci->registers + offset;

#if defined(__x86_64__)
	__asm__ volatile("sfence" : : : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("dsb st" : : : "memory");
#endif
	__atomic_store_n((volatile uint32_t *)at, value, __ATOMIC_RELEASE);
}

/* ---------------------------------------------------------------- memory */

/* For rings: its bus addresses follow each other, and its pages stay. */
struct bm_pci_memory {
	void *at;
	uint64_t bus;
	size_t size;
	int pinner; /* uio: -1 otherwise */
};

/*
 * Zeroed; a power of two, and its bus address is a multiple of it. 0, -ENOMEM, or
 * -EFBIG: by uio no memory of that size lies together here.
 */
int bm_pci_memory_new(struct bm_pci_space *space, size_t size, struct bm_pci_memory *memory);
/* No function may write there any more. */
void bm_pci_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory);

/* ---------------------------------------------------------------- pins */

/* The pages that one channel has pinned; one thread at a time. */
struct bm_pci_pins;

/* For copies of up to so many bytes in all at a time, in up to `copies` copies. */
int bm_pci_pins_new(struct bm_pci_space *space, size_t bytes, size_t copies,
		    struct bm_pci_pins **pins);
/* Unpins what is left. */
void bm_pci_pins_free(struct bm_pci_pins *pins);

/* The rest may be called in windows. */

/*
 * As pin() of backend.h, in as few calls as there are runs of pages. -E2BIG: more than
 * was said; -ENOMEM: often RLIMIT_MEMLOCK.
 */
int bm_pci_pin(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count);
/* Where a device finds this byte of a pinned page; so many bytes from there on follow each other. */
uint64_t bm_pci_bus(const struct bm_pci_pins *pins, const void *address, size_t *run);
/*
 * Frees the sources, and the targets too unless keep_targets: then they stay until
 * the next call without it. 0, or -errno: something is still pinned.
 */
int bm_pci_unpin(struct bm_pci_pins *pins, int keep_targets);
/* 1: what is not pinned no function of the space can write to (vfio: the IOMMU stands before it). */
int bm_pci_guards(const struct bm_pci_space *space);

#endif
