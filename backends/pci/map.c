/* SPDX-License-Identifier: MIT */
/* map.c - lets functions reach memory by vfio, and no longer. */
#include <errno.h>
#include <linux/vfio.h>

#include "vfio.h"

/* Targets are also readable: not each IOMMU has pages that can only be written. */
int bm_pci_map(const struct bm_pci_space *space, uint64_t addr, uint64_t bus, size_t size,
	       int writes)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | (writes ? (uint32_t)VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = addr,
		.iova = bus,
		.size = size,
	};
	int rc = space->sys->ioctl(space->fd, VFIO_IOMMU_MAP_DMA, &map);

	return rc < 0 ? rc : 0;
}

/* What is not mapped is no error to the kernel: it tells how much was. */
int bm_pci_unmap(const struct bm_pci_space *space, uint64_t bus, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = bus,
		.size = size,
	};
	int rc = space->sys->ioctl(space->fd, VFIO_IOMMU_UNMAP_DMA, &unmap);

	if (rc == 0 && unmap.size == size)
		return 0;
	/* With the last group that was cut off all that was mapped has gone. */
	if (atomic_load(&space->group_count) == 0)
		return 0;
	return rc < 0 ? rc : -EIO;
}
