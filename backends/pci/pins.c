/* SPDX-License-Identifier: MIT */
/* pins.c - pinning what is to be copied, and where a function finds it. For windows. */
#include "pins.h"

#include <errno.h>

#include "least.h"

/* Where nothing is: no engine can address it. */
#define NOWHERE UINT64_MAX

/* Copies that follow each other, upwards or downwards, are one run. */
static int extend(struct bm_pci_side *side, uint64_t start, size_t length)
{
	struct bm_pci_run *run;

	if (side->count == 0)
		return 0;
	run = &side->runs[side->count - 1];
	if (run->length + length > BM_PCI_RUN_MOST)
		return 0;
	if (start + length == run->start)
		run->start = start;
	else if (run->start + run->length != start)
		return 0;
	run->length += length;
	return 1;
}

static int add(const struct bm_pci_pins *pins, struct bm_pci_side *side, uint64_t start,
	       size_t length)
{
	if (length > pins->bytes_most - side->bytes)
		return -E2BIG;
	side->bytes += length;
	while (length > 0) {
		size_t part = bm_least(length, BM_PCI_RUN_MOST);

		if (!extend(side, start, part)) {
			if (side->count == pins->run_most)
				return -E2BIG;
			side->runs[side->count++] = (struct bm_pci_run){start, part, 0, 0};
		}
		start += part;
		length -= part;
	}
	return 0;
}

static void forget(struct bm_pci_pins *pins)
{
	for (unsigned int i = 0; i < BM_PCI_SIDES; i++)
		pins->sides[i].count = pins->sides[i].bytes = pins->sides[i].last = 0;
}

int bm_pci_runs_make(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count)
{
	int rc = 0;

	forget(pins);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct bm_copy *copy = &copies[i];

		rc = add(pins, &pins->sides[BM_PCI_SOURCES], (uint64_t)(uintptr_t)copy->from,
			 copy->length);
		if (rc == 0)
			rc = add(pins, &pins->sides[BM_PCI_TARGETS], (uint64_t)(uintptr_t)copy->to,
				 copy->length);
	}
	if (rc < 0)
		forget(pins);
	return rc;
}

/* What could not be unpinned, or is kept, is in the tables still. */
int bm_pci_pin(struct bm_pci_pins *pins, const struct bm_copy *copies, size_t count)
{
	int rc;

	if (pins->sides[BM_PCI_SOURCES].count || pins->sides[BM_PCI_TARGETS].count)
		return -EBUSY;
	rc = bm_pci_runs_make(pins, copies, count);
	return rc < 0 ? rc : pins->space->way->pin(pins);
}

int bm_pci_unpin(struct bm_pci_pins *pins, int keep_targets)
{
	return pins->space->way->unpin(pins, keep_targets);
}

int bm_pci_guards(const struct bm_pci_space *space)
{
	return space->way->guards;
}

/* ---------------------------------------------------------------- looking up */

static int holds(const struct bm_pci_side *side, size_t run, uint64_t addr)
{
	return run < side->count && addr >= side->runs[run].start &&
	       addr - side->runs[run].start < side->runs[run].length;
}

/* Copies are asked for in the order in which they were pinned. */
static int find_near(struct bm_pci_side *side, uint64_t addr)
{
	if (!holds(side, side->last, addr)) {
		if (!holds(side, side->last + 1, addr))
			return 0;
		side->last++;
	}
	return 1;
}

static int find_far(struct bm_pci_side *side, uint64_t addr)
{
	for (size_t i = 0; i < side->count; i++) {
		if (holds(side, i, addr)) {
			side->last = i;
			return 1;
		}
	}
	return 0;
}

static unsigned int find_side(struct bm_pci_side *sides, uint64_t addr)
{
	for (unsigned int i = 0; i < BM_PCI_SIDES; i++)
		if (find_near(&sides[i], addr))
			return i;
	for (unsigned int i = 0; i < BM_PCI_SIDES; i++)
		if (find_far(&sides[i], addr))
			return i;
	return BM_PCI_SIDES;
}

uint64_t bm_pci_bus(const struct bm_pci_pins *pins, const void *address, size_t *run)
{
	uint64_t addr = (uint64_t)(uintptr_t)address;
	unsigned int i = find_side(pins->near, addr);
	const struct bm_pci_side *side;

	if (i == BM_PCI_SIDES) {
		*run = 0;
		return NOWHERE;
	}
	side = &pins->sides[i];
	return pins->space->way->bus(pins, i, side->last, addr - side->runs[side->last].start, run);
}
