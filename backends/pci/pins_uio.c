/* SPDX-License-Identifier: MIT */
/*
 * pins_uio.c - pins by buffers of io_uring(7): first they are pinned, which may
 * move pages, then is looked up where they are. For windows, but the beginning and
 * the end.
 */
#include <errno.h>

#include "pins.h"

/* Of an entry of /proc/PID/pagemap. */
#define PRESENT (UINT64_C(1) << 63)
#define FRAME   ((UINT64_C(1) << 55) - 1)

int bm_pci_frames(const struct bm_pci_space *space, uint64_t addr, uint64_t *frames, size_t pages)
{
	size_t size = pages * sizeof(*frames);
	off_t at = (off_t)(addr / space->page_size * sizeof(*frames));
	ssize_t got = space->sys->pread_raw(space->fd, frames, size, at);

	if (got != (ssize_t)size)
		return got < 0 ? (int)got : -EIO;
	for (size_t i = 0; i < pages; i++) {
		if (!(frames[i] & PRESENT))
			return -EFAULT;
		frames[i] &= FRAME;
		if (frames[i] == 0) /* what it reads without CAP_SYS_ADMIN */
			return -EPERM;
	}
	return 0;
}

/* ---------------------------------------------------------------- descriptors */

/* One for each side: sources are free earlier. */
int bm_pci_uio_pins_begin(struct bm_pci_pins *pins)
{
	struct bm_pci_side *sides = pins->sides;

	sides[BM_PCI_SOURCES].pinner = pins->sys->pinner();
	if (sides[BM_PCI_SOURCES].pinner < 0)
		return sides[BM_PCI_SOURCES].pinner;
	sides[BM_PCI_TARGETS].pinner = pins->sys->pinner();
	if (sides[BM_PCI_TARGETS].pinner >= 0)
		return 0;
	pins->sys->close(sides[BM_PCI_SOURCES].pinner);
	return sides[BM_PCI_TARGETS].pinner;
}

void bm_pci_uio_pins_end(struct bm_pci_pins *pins)
{
	for (unsigned int i = 0; i < BM_PCI_SIDES; i++)
		pins->sys->close(pins->sides[i].pinner);
}

/* ---------------------------------------------------------------- pins */

static int unpin_side(const struct bm_sys *sys, struct bm_pci_side *side)
{
	int rc = side->pinned ? sys->unpin_buffers(side->pinner) : 0;

	if (rc < 0)
		return rc;
	side->pinned = 0;
	side->count = 0;
	return 0;
}

int bm_pci_uio_unpin(struct bm_pci_pins *pins, int keep_targets)
{
	int sources = unpin_side(pins->sys, &pins->sides[BM_PCI_SOURCES]);
	int targets = keep_targets ? 0 : unpin_side(pins->sys, &pins->sides[BM_PCI_TARGETS]);

	return sources < 0 ? sources : targets;
}

static int pin_side(const struct bm_sys *sys, struct bm_pci_side *side)
{
	int rc;

	for (size_t i = 0; i < side->count; i++)
		side->buffers[i] = (struct iovec){(void *)(uintptr_t)side->runs[i].start,
						  side->runs[i].length};
	rc = sys->pin_buffers(side->pinner, side->buffers, side->count);
	side->pinned = rc == 0;
	return rc;
}

static int look_up(const struct bm_pci_space *space, struct bm_pci_side *side)
{
	size_t at = 0;

	for (size_t i = 0; i < side->count; i++) {
		struct bm_pci_run *run = &side->runs[i];
		size_t pages = run->length / space->page_size;
		int rc = bm_pci_frames(space, run->start, side->frames + at, pages);

		if (rc < 0)
			return rc;
		run->bus = at;
		at += pages;
		for (size_t page = at; page-- > run->bus;)
			side->follow[page] =
				page + 1 < at && side->frames[page + 1] == side->frames[page] + 1
					? side->follow[page + 1] + 1
					: 1;
	}
	return 0;
}

int bm_pci_uio_pin(struct bm_pci_pins *pins)
{
	int rc = 0;

	for (unsigned int i = 0; i < BM_PCI_SIDES && rc == 0; i++) {
		if (pins->sides[i].count == 0)
			continue;
		rc = pin_side(pins->sys, &pins->sides[i]);
		if (rc == 0)
			rc = look_up(pins->space, &pins->sides[i]);
	}
	if (rc < 0)
		bm_pci_uio_unpin(pins, 0);
	return rc;
}

uint64_t bm_pci_uio_bus(const struct bm_pci_pins *pins, unsigned int side, size_t run,
			size_t offset, size_t *follow)
{
	const struct bm_pci_side *of = &pins->sides[side];
	size_t page_size = pins->space->page_size, within = offset % page_size;
	size_t page = (size_t)of->runs[run].bus + offset / page_size;

	*follow = of->follow[page] * page_size - within;
	return of->frames[page] * page_size + within;
}
