/* SPDX-License-Identifier: MIT */
/* pins_vfio.c - pins by mapping. For windows, but the beginning and the end. */
#include "pins.h"
#include "vfio.h"

int bm_pci_vfio_pins_begin(struct bm_pci_pins *pins)
{
	return bm_pci_reserve(pins->space, BM_PCI_SIDES * pins->bytes_most, pins->space->page_size,
			      &pins->arena);
}

/* Addresses at which something may still be mapped are given to nobody. */
void bm_pci_vfio_pins_end(struct bm_pci_pins *pins)
{
	if (bm_pci_is_owner(pins->space) && pins->sides[BM_PCI_SOURCES].count == 0 &&
	    pins->sides[BM_PCI_TARGETS].count == 0)
		bm_pci_reserve_end(pins->space, pins->arena);
}

static int unmap_side(const struct bm_pci_space *space, struct bm_pci_side *side)
{
	int rc = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct bm_pci_run *run = &side->runs[i];
		int failed = run->mapped ? bm_pci_unmap(space, run->bus, run->length) : 0;

		if (failed < 0)
			rc = failed;
		else
			run->mapped = 0;
	}
	if (rc == 0)
		side->count = 0;
	return rc;
}

/*
 * The IOMMU lets nothing through to what is not mapped: targets need not be kept.
 * They go first: a function that is not quiet may still read, but not write what it misread.
 */
int bm_pci_vfio_unpin(struct bm_pci_pins *pins, int keep_targets)
{
	int targets = unmap_side(pins->space, &pins->sides[BM_PCI_TARGETS]);
	int sources = unmap_side(pins->space, &pins->sides[BM_PCI_SOURCES]);

	(void)keep_targets;
	return sources < 0 ? sources : targets;
}

static int map_side(struct bm_pci_pins *pins, unsigned int which)
{
	const struct bm_pci_space *space = pins->space;
	struct bm_pci_side *side = &pins->sides[which];
	uint64_t low = pins->arena + which * pins->bytes_most;
	int rc = 0;

	for (size_t i = 0; i < side->count && rc == 0; i++) {
		struct bm_pci_run *run = &side->runs[i];

		run->bus = bm_pci_ranges_have(space, run->start, run->length) ? run->start : low;
		low += run->length;
		rc = bm_pci_map(space, run->start, run->bus, run->length, which == BM_PCI_TARGETS);
		run->mapped = rc == 0;
	}
	return rc;
}

int bm_pci_vfio_pin(struct bm_pci_pins *pins)
{
	int rc = map_side(pins, BM_PCI_SOURCES);

	if (rc == 0)
		rc = map_side(pins, BM_PCI_TARGETS);
	if (rc < 0)
		bm_pci_vfio_unpin(pins, 0);
	return rc;
}

uint64_t bm_pci_vfio_bus(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			 size_t offset, size_t *follow)
{
	const struct bm_pci_run *of = &pins->sides[side].runs[run];

	*follow = of->length - offset;
	return of->bus + offset;
}
