/* SPDX-License-Identifier: MIT */
/*
 * space.h - what the functions of an engine share, and the three things in which
 * vfio and uio differ: how a function is opened, how it is reset, and how
 * memory gets bus addresses.
 */
#ifndef BM_PCI_SPACE_H
#define BM_PCI_SPACE_H

#include <pthread.h>
#include <stdatomic.h>

#include "pci.h"

#define BM_PCI_DEVICES       "/sys/bus/pci/devices"
#define BM_PCI_PATH          128 /* bytes of a path in there */
#define BM_PCI_RANGES_MOST   64u
#define BM_PCI_RESERVED_MOST 1024u

struct bm_pci_way {
	int (*begin)(struct bm_pci_space *space, char *why);
	void (*end)(struct bm_pci_space *space);
	int (*open)(struct bm_pci_space *space, const struct bm_pci_found *found, unsigned int bar,
		    struct bm_pci *pci, char *why);
	/* Its descriptors; also in a child of the process that opened it. */
	void (*let_go)(struct bm_pci *pci);
	int (*reset)(struct bm_pci *pci);
	int (*memory_new)(struct bm_pci_space *space, struct bm_pci_memory *memory);
	void (*memory_free)(struct bm_pci_space *space, struct bm_pci_memory *memory);
	/* Of what the pins need besides their tables; it undoes itself. */
	int (*pins_begin)(struct bm_pci_pins *pins);
	void (*pins_end)(struct bm_pci_pins *pins);
	/* Of the runs in the tables; for windows. */
	int (*pin)(struct bm_pci_pins *pins);
	int (*unpin)(struct bm_pci_pins *pins, int keep_targets);
	uint64_t (*bus)(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			size_t offset, size_t *follow);
	int guards;
};

extern const struct bm_pci_way bm_pci_vfio, bm_pci_uio;

struct bm_pci_group {
	int number, fd;
	unsigned int users; /* functions that are open; 0: it is free */
};

/* Bus addresses, the last one included. */
struct bm_pci_range {
	uint64_t start, last;
};

struct bm_pci_space {
	const struct bm_sys *sys;
	const struct bm_backend_env *env;
	const struct bm_pci_way *way;
	pid_t owner; /* what is opened is the device of this process, not of its children */
	size_t page_size;
	int fd; /* vfio: of the container; uio: of /proc/self/pagemap */
	/* vfio only: */
	struct bm_pci_group groups[BM_PCI_FUNCTIONS_MOST];
	_Atomic unsigned int group_count;               /* that are open */
	struct bm_pci_range ranges[BM_PCI_RANGES_MOST]; /* that may be mapped, ascending */
	size_t range_count;
	pthread_mutex_t lock; /* of groups while channels are open, and of what follows */
	struct bm_pci_range reserved[BM_PCI_RESERVED_MOST];
	size_t reserved_count;
};

/* 1: this process has opened it. Its children leave the device alone. */
static inline int bm_pci_is_owner(const struct bm_pci_space *space)
{
	return space->sys->getpid() == space->owner;
}

/* Sets the bits of `mask` in PCI_COMMAND: 0 once they read so, or -errno. For windows, too. */
int bm_pci_command(const struct bm_pci *pci, unsigned int mask, unsigned int bits);

/* Memory decoding on and bus mastering off, which is what an opened function has. */
int bm_pci_command_begin(const struct bm_pci *pci);

/*
 * Maps registers from a file: `start` is their bus address, which may be in the
 * middle of a page. 0 or -errno.
 */
int bm_pci_registers_map(struct bm_pci *pci, int fd, off_t offset, uint64_t start, size_t size);
void bm_pci_registers_unmap(struct bm_pci *pci);

#endif
