/* SPDX-License-Identifier: MIT */
/* vfio.h - the parts of the way by vfio. */
#ifndef BM_PCI_VFIO_H
#define BM_PCI_VFIO_H

#include "space.h"

/* ---------------------------------------------------------------- groups (group.c) */

/* A container without groups: a descriptor or -errno with why. */
int bm_pci_container(const struct bm_sys *sys, char *why);
/* The group is in the container of the space from then on: its descriptor or -errno with why. */
int bm_pci_group_take(struct bm_pci_space *space, int number, char *why);
/* By its descriptor; the last function of it closes it. */
void bm_pci_group_give(struct bm_pci_space *space, int fd);
/* 1 when only one function of it is open. */
int bm_pci_group_is_lone(const struct bm_pci_space *space, int fd);

/* ---------------------------------------------------------------- bus addresses (iova.c) */

/* Asks the container again: each group that comes may take some away. 0 or -errno. */
int bm_pci_ranges_read(struct bm_pci_space *space);
/* 1 when all of these may be mapped (ranges.c); for windows, too. */
int bm_pci_ranges_have(const struct bm_pci_space *space, uint64_t start, uint64_t size);
/* Some that nobody else of the space gets, a multiple of `align`: 0, or -ENOSPC. */
int bm_pci_reserve(struct bm_pci_space *space, uint64_t size, uint64_t align, uint64_t *start);
void bm_pci_reserve_end(struct bm_pci_space *space, uint64_t start);

/* ---------------------------------------------------------------- mappings (map.c), for windows */

int bm_pci_map(const struct bm_pci_space *space, uint64_t addr, uint64_t bus, size_t size,
	       int writes);
/* 0, or -errno: it may still be there. */
int bm_pci_unmap(const struct bm_pci_space *space, uint64_t bus, size_t size);

#endif
