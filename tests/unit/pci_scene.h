/* SPDX-License-Identifier: MIT */
/*
 * pci_scene.h - a machine with functions on its PCI bus, as a table of system
 * calls: files that can be changed, vfio, uio, and what is held of all that.
 *
 * No byte is copied and no address of a copy is touched: whatever would reach the
 * bus is written down instead.
 */
#ifndef UNIT_PCI_SCENE_H
#define UNIT_PCI_SCENE_H

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../report.h"
#include "pci/pci.h"

#define PCI_PAGE    4096u
#define PCI_HUGE    (512u * PCI_PAGE)
#define PCI_MAPS    256
#define PCI_PINNERS 4
#define PCI_A       "0000:02:00.2" /* alone in group 14, uio 7, /dev/vfio/14 */
#define PCI_B       "0000:41:00.2" /* in group 31 with PCI_C */
#define PCI_C       "0000:41:00.3"
#define PCI_DIR     "/sys/bus/pci/devices/"
#define PCI_FRAME   UINT64_C(0x100000) /* the first one that there is */

struct pci_map {
	uint64_t iova, size, vaddr;
	uint32_t flags;
};

struct pci_scene {
	struct bm_sys sys;
	struct bm_log log;
	struct bm_backend_env env;
	struct bm_pci_space *space;
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX], lines[1024];
	pid_t pid;
	/* What is so. */
	struct vfio_iova_range *ranges;
	size_t range_count;
	int no_ranges;  /* the container tells none */
	int other_caps; /* and before them something else */
	unsigned int viable;
	int version, extension; /* of the container */
	int iommu_error, device_error, reset_error, lock_error, map_error, pin_error, frames_error;
	int unmap_error, unpin_error; /* how often is in unmap_errors; -ERANGE: less is unmapped */
	int unmap_errors, unpin_errors;
	uint32_t device_flags, bar_flags;
	uint16_t command, command_fixed; /* of all functions; bits that cannot be written */
	uint32_t bar[PCI_PAGE / 4];
	uint64_t frames_together; /* pages from a multiple of so many on that follow each other */
	/* What is held. */
	int fds, registers, locks, containers_set;
	long memory, mapped;
	struct pci_map maps[PCI_MAPS];
	size_t map_count;
	struct iovec pinned[PCI_PINNERS][PCI_MAPS]; /* by pinner */
	size_t pinned_count[PCI_PINNERS];
	/* What was done. */
	unsigned int map_calls, unmap_calls, pin_calls, unpin_calls, iommus_set, config_writes,
		resets;
	char order[256]; /* a letter for each step of opening */
	/* The call that fails, of all that can, from 1; 0: none. */
	unsigned long fail_at, calls;
	int failed;
};

extern struct pci_scene pci;

/* Three functions, with this driver. */
void pci_begin(const char *driver);
/* Asserts that nothing is held. */
void pci_end(void);
size_t pci_pinned_all(void);
/* NULL: there is none. */
void pci_file(const char *path, const char *text);
void pci_link(const char *path, const char *to);
void pci_space(enum bm_pci_access access);
struct bm_pci_found pci_found(const char *address);
struct bm_pci pci_opened(const char *address);
/* 1: one of the mappings is exactly this. */
int pci_is_mapped(uint64_t iova, uint64_t vaddr, uint64_t size, uint32_t flags);
void pci_check_nothing_held(void);
/* Lets each call fail in turn, until one round passes without; rounds that failed. */
unsigned long pci_try_each(void (*round)(void));

/* pci_scene_files.c */
ssize_t pci_text_of(const char *path, const char **text);
ssize_t pci_list(const char *path, char *buffer, size_t size);
ssize_t pci_readlink(const char *path, char *buffer, size_t size);
int pci_access(const char *path, int mode);
void pci_files_begin(const char *driver);
void pci_files_end(void);
int pci_fails(int *rc);

/* pci_scene_memory.c */
void pci_memory_calls(void);
ssize_t pci_read_frames(uint64_t *entries, size_t size, off_t offset);

/* pci_scene_vfio.c */
int pci_ioctl(int fd, unsigned long request, void *arg);

enum pci_kind {
	PCI_CLOSED,
	PCI_TEXT,
	PCI_CONTAINER,
	PCI_GROUP,
	PCI_DEVICE,
	PCI_UIO,
	PCI_CONFIG,
	PCI_RESET,
	PCI_RESOURCE,
	PCI_PAGEMAP,
	PCI_PINNER
};
#define PCI_FDS 64
struct pci_fd {
	enum pci_kind kind;
	int number; /* of the group */
	int side;   /* of a pinner: its place in pinned */
	int locked, in_container;
	const char *text;
	size_t length;
};
extern struct pci_fd pci_fds[PCI_FDS];
int pci_new_fd(enum pci_kind kind);
void pci_step(char letter);

#endif
