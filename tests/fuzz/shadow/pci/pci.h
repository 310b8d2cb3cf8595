/* SPDX-License-Identifier: MIT */
/* pci.h - backends/pci/pci.h, with registers that are read and written by calls. */
#ifndef FUZZ_SHADOW_PCI_H
#define FUZZ_SHADOW_PCI_H

#define bm_pci_read  bm_pci_read_memory
#define bm_pci_write bm_pci_write_memory
#include "backends/pci/pci.h"
#undef bm_pci_read
#undef bm_pci_write

uint32_t bm_pci_read(const struct bm_pci *pci, size_t offset);
void bm_pci_write(const struct bm_pci *pci, size_t offset, uint32_t value);

#endif
