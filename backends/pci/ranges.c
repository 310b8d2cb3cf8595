/* SPDX-License-Identifier: MIT */
/* ranges.c - whether memory can have its own address on the bus. For windows. */
#include "vfio.h"

int bm_pci_ranges_have(const struct bm_pci_space *space, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < space->range_count; i++) {
		const struct bm_pci_range *range = &space->ranges[i];

		if (start >= range->start && start <= range->last &&
		    size - 1 <= range->last - start)
			return 1;
	}
	return 0;
}
