/* SPDX-License-Identifier: MIT */
/*
 * ptdma_table.h - what the parts of the table of system calls share.
 *
 * All of it is shared memory and has no lock of the C library: calls are made, and
 * the model's thread looks for addresses, while private memory is out of reach. Whoever
 * holds the lock calls neither the model nor the table below.
 */
#ifndef MODEL_PTDMA_TABLE_H
#define MODEL_PTDMA_TABLE_H

#include "ptdma_device.h"
#include "ptdma_sys.h"

#define TABLE_FDS_FIRST    (1 << 21)
#define TABLE_FDS_MOST     256
#define TABLE_TEXT_MOST    1024
#define TABLE_CONTAINERS   16
#define TABLE_MAPPINGS     65535 /* dma_entry_limit of vfio_iommu_type1 */
#define TABLE_PAGE         4096u
#define TABLE_REGION_SHIFT 40 /* of vfio: where regions are in the file of a device */
#define TABLE_GROUP_FIRST  20 /* less one: of the first function, which is called 1 */
#define TABLE_UIO_FIRST    3  /* of the first function: no number of anything else */

enum table_kind {
	TABLE_CLOSED,
	TABLE_TEXT,
	TABLE_CONFIG,   /* of sysfs */
	TABLE_RESET,    /* likewise */
	TABLE_RESOURCE, /* likewise: the BAR */
	TABLE_UIO,
	TABLE_CONTAINER,
	TABLE_GROUP,
	TABLE_DEVICE, /* of vfio */
	TABLE_PAGEMAP,
	TABLE_PINNER,
};

struct table_fd {
	enum table_kind kind;
	unsigned int function, container;
	int locked;
	int below; /* pagemap: the real one */
	size_t length, read;
	char text[TABLE_TEXT_MOST];
};

struct table_function {
	uint32_t command;     /* of PCI, but bus mastering: that is the model's */
	unsigned int devices; /* open /dev/uioN, or devices of vfio */
	unsigned int group;   /* open group and devices: they hold it */
	int container;        /* -1: in none */
};

/* Holders are its own descriptor and groups; mappings end with the last group. */
struct table_container {
	unsigned int held, groups;
	int iommu; /* VFIO_SET_IOMMU: its type, 0: not yet */
};

struct table_mapping {
	uint64_t iova, size, address;
	uint32_t container, flags;
};

struct table_frames;

struct table {
	struct bm_sys base;
	struct ptdma *ptdma;
	struct ptdma_sys_how how;
	_Atomic uint32_t ticket, serving;
	unsigned char *mark; /* 0: this is a child of the process whose table it is */
	int fds_first;       /* the number of the first one; those before are of parents */
	struct table_fd fds[TABLE_FDS_MOST];
	struct table_function functions[PTDMA_FUNCTIONS_MOST];
	struct table_container containers[TABLE_CONTAINERS];
	size_t mappings_count;
	struct table_mapping mappings[TABLE_MAPPINGS]; /* by container and iova */
	struct table_frames *frames;                   /* uio */
	uint64_t locked;                               /* bytes mapped or pinned */
	uint64_t map_calls, unmap_calls, pin_calls, stale;
	char names[PTDMA_FUNCTIONS_MOST * 16];
};

void table_lock(struct table *table);
void table_unlock(struct table *table);
struct table_fd *table_find(struct table *table, int fd);
/* A descriptor of this kind; NULL: there are too many. */
struct table_fd *table_new_fd(struct table *table, enum table_kind kind, unsigned int function);
/* Its number, -EMFILE for NULL. */
int table_number(const struct table *table, const struct table_fd *fd);
/* The address of a function, 16 bytes. */
void table_address(unsigned int function, char *address);

/* ptdma_files.c: what is in this file of /sys, or where the link leads: its length, or -errno. */
int table_text(const struct table *table, const char *path, char *text, size_t size);
int table_link(const struct table *table, const char *path, char *text, size_t size);
/* Names in a folder, each ended by NUL: their length or -errno. */
ssize_t table_list(const struct table *table, const char *path, char *names, size_t size);
/* The function whose folder this path begins with, and what is behind it; -1: none. */
int table_function_of(const struct table *table, const char *path, const char **rest);
int table_is_ours(const struct table *table, const char *path);

/* ptdma_begin.c: one without a model, which is made after; and what a child has in its place. */
struct table *table_new(const struct bm_sys *sys, const struct ptdma_sys_how *how);
void table_begin(struct table *table, const struct ptdma_config *functions, size_t count,
		 uint32_t seed);
struct table *table_of_child(const struct table *parents);

/* ptdma_open.c */
int table_is_pagemap(const struct table *table, const char *path);
int table_open(struct table *table, const char *path, int flags);
int table_close(struct table *table, struct table_fd *fd);
/* The function of /dev/vfio/N or /dev/uioN; -1: none. */
int table_node(const struct table *table, const char *path);

/* ptdma_config.c: configuration space. */
ssize_t table_config_read(struct table *table, unsigned int function, void *buffer, size_t size,
			  uint64_t offset);
ssize_t table_config_write(struct table *table, unsigned int function, const void *buffer,
			   size_t size, uint64_t offset);
unsigned int table_bar(const struct table *table, unsigned int function);
uint64_t table_bar_size(const struct table *table, unsigned int function, unsigned int bar);
uint64_t table_bar_address(const struct table *table, unsigned int function, unsigned int bar);
uint16_t table_device_id(const struct table *table, unsigned int function);
int table_reset(struct table *table, unsigned int function);

/* ptdma_io.c */
ssize_t table_read_at(struct table *table, const struct table_fd *fd, void *buffer, size_t size,
		      uint64_t at);
ssize_t table_write_at(struct table *table, const struct table_fd *fd, const void *buffer,
		       size_t size, uint64_t at);
/* The BAR that a file and an offset stand for: a file of it, or -errno. */
int table_bar_behind(struct table *table, const struct table_fd *fd, uint64_t offset,
		     size_t length);
/* As flock(2): of the open file, and there is none of it twice. */
int table_lock_file(struct table *table, struct table_fd *fd);

/* ptdma_vfio.c */
int table_ioctl(struct table *table, struct table_fd *fd, unsigned long request, void *arg);
/* The group of a function is in none any more. Lock held. */
void table_leave_container(struct table *table, unsigned int function);

/* ptdma_iommu.c */
int table_iommu_ioctl(struct table *table, unsigned int container, unsigned long request,
		      void *arg);
/* All mappings of a container end. Lock held. */
void table_iommu_drop(struct table *table, unsigned int container);
ptdma_bus_fn table_iommu_bus;
int table_iommu_pinned(const struct table *table, uint64_t start, uint64_t end);

/* ptdma_frames.c: pages and their frames, for uio. */
struct table_frames *table_frames_new(uint32_t seed);
void table_frames_free(struct table_frames *frames);
int table_pin(struct table *table, const struct table_fd *pinner, const struct iovec *buffers,
	      size_t count);
/* What a pinner has pinned: 0, or -ENXIO: nothing. */
int table_unpin(struct table *table, const struct table_fd *pinner);
void table_unpin_all(struct table *table, const struct table_fd *pinner);
ptdma_bus_fn table_frames_bus;
/* Entries of the page map, from this page on, get the frames of the model. */
void table_show_frames(struct table *table, uint64_t *entries, size_t count, uint64_t address);
int table_frames_pinned(const struct table *table, uint64_t start, uint64_t end);
unsigned int table_frames_count(const struct table *table);
/* Makes pages resident, as a pin does: 0 or -EFAULT. */
int table_populate(uint64_t address, uint64_t length, int writes);

#endif
