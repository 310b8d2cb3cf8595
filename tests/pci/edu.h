/* SPDX-License-Identifier: MIT */
/* edu.h - qemu's device for exercises as an engine: it copies by way of a buffer of its own. */
#ifndef PCI_EDU_H
#define PCI_EDU_H

#include <stddef.h>
#include <stdint.h>

#include "pci/pci.h"

#define EDU_VENDOR 0x1234u
#define EDU_DEVICE 0x11e8u

/*
 * Bytes of one command. The buffer has 4096, but qemu 7.2 ends itself when a
 * command reaches the last of them.
 */
#define EDU_PIECE 2048u

/* It is one, and it answers. */
int edu_is_there(const struct bm_pci *pci);

/* From memory at a bus address into its buffer, and the other way: 0, or -ETIMEDOUT. */
int edu_fetch(const struct bm_pci *pci, uint64_t bus, size_t length);
int edu_store(const struct bm_pci *pci, uint64_t bus, size_t length);
/* The second, without waiting for its end; it takes 100 ms. */
void edu_store_begin(const struct bm_pci *pci, uint64_t bus, size_t length);
int edu_wait(const struct bm_pci *pci);

/* A copy whose pages are pinned, piece by piece: 0 or -errno. */
int edu_copy(const struct bm_pci *pci, const struct bm_pci_pins *pins, const struct bm_copy *copy);

#endif
