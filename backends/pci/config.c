/* SPDX-License-Identifier: MIT */
/* config.c - bus mastering. */
#include <errno.h>
#include <linux/pci_regs.h>

#include "space.h"

/* What a function that does not answer any more reads as: bits of PCI_COMMAND are reserved 0. */
#define ALL_ONES 0xffffu

static int command_of(const struct bm_pci *pci)
{
	uint16_t value = 0;
	ssize_t got = pci->space->sys->pread_raw(pci->config, &value, sizeof(value),
						 (off_t)(pci->config_at + PCI_COMMAND));

	if (got != (ssize_t)sizeof(value))
		return got < 0 ? (int)got : -EIO;
	return value == ALL_ONES ? -ENODEV : value;
}

int bm_pci_command(const struct bm_pci *pci, unsigned int mask, unsigned int bits)
{
	int before = command_of(pci), after;
	uint16_t value;
	ssize_t put;

	if (before < 0)
		return before;
	if (((unsigned int)before & mask) == bits)
		return 0;
	value = (uint16_t)(((unsigned int)before & ~mask) | bits);
	put = pci->space->sys->pwrite_raw(pci->config, &value, sizeof(value),
					  (off_t)(pci->config_at + PCI_COMMAND));
	if (put != (ssize_t)sizeof(value))
		return put < 0 ? (int)put : -EIO;
	/* The read also waits for the write: that may be posted by a bridge. */
	after = command_of(pci);
	if (after < 0)
		return after;
	return ((unsigned int)after & mask) == bits ? 0 : -EIO;
}

/*
 * By vfio a BAR can be accessed only with memory decoding on as the kernel
 * remembers it (Linux 5.7); not each driver that was there before left it on.
 */
int bm_pci_command_begin(const struct bm_pci *pci)
{
	return bm_pci_command(pci, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY);
}

int bm_pci_master(struct bm_pci *pci, int on)
{
	return bm_pci_command(pci, PCI_COMMAND_MASTER, on ? PCI_COMMAND_MASTER : 0);
}

int bm_pci_is_master(const struct bm_pci *pci)
{
	int command = command_of(pci);

	return command < 0 ? -ENODEV : (command & PCI_COMMAND_MASTER) != 0;
}

/*
 * Without bus mastering it begins no write, and a completion passes none that it
 * began before. That must be one of its own: a function that is gone, or hangs,
 * is answered for with all ones, and then nobody knows what it does.
 */
int bm_pci_quiet(struct bm_pci *pci)
{
	return bm_pci_master(pci, 0) == 0 && bm_pci_read(pci, 0) != UINT32_MAX;
}
