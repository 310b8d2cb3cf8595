/* SPDX-License-Identifier: MIT */
/* usable.h - why a function cannot be used. */
#ifndef BM_PCI_USABLE_H
#define BM_PCI_USABLE_H

#include "space.h"

/* What was found out so far; the texts have BM_WHY_MAX bytes each. */
struct bm_pci_verdict {
	const struct bm_sys *sys;
	const struct bm_pci_found *found;
	char *why, *remedy;
};

__attribute__((format(printf, 2, 3))) void bm_pci_why(const struct bm_pci_verdict *verdict,
						      const char *format, ...);
__attribute__((format(printf, 2, 3))) void bm_pci_remedy(const struct bm_pci_verdict *verdict,
							 const char *format, ...);

/* With this driver: 0, or -errno with why and the remedy. */
int bm_pci_has_driver(const struct bm_pci_verdict *verdict, const char *driver);
/* A node in /dev can be read and written: likewise. */
int bm_pci_has_node(const struct bm_pci_verdict *verdict, const char *path);

/* All that uio takes but the driver: likewise. */
int bm_pci_uio_is_safe(const struct bm_pci_verdict *verdict);
int bm_pci_uio_can(const struct bm_pci_verdict *verdict);

#endif
