/* SPDX-License-Identifier: MIT */
/* vfio.c - functions by vfio: the IOMMU keeps them to what is mapped, and that is pinned. */
#include "vfio.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "pins.h"

static int begin(struct bm_pci_space *space, char *why)
{
	space->fd = bm_pci_container(space->sys, why);
	return space->fd < 0 ? space->fd : 0;
}

static void end(struct bm_pci_space *space)
{
	space->sys->close(space->fd);
}

static int region_of(const struct bm_pci *pci, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){.argsz = sizeof(*info), .index = index};
	return pci->space->sys->ioctl(pci->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

static int map_bar(struct bm_pci *pci, unsigned int bar)
{
	const uint32_t needed = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
				VFIO_REGION_INFO_FLAG_MMAP;
	struct vfio_region_info info;
	int rc = region_of(pci, VFIO_PCI_BAR0_REGION_INDEX + bar, &info);

	if (rc < 0)
		return rc;
	if (info.size == 0 || (info.flags & needed) != needed)
		return -ENXIO;
	return bm_pci_registers_map(pci, pci->fd, (off_t)info.offset, 0, (size_t)info.size);
}

static int find_config(struct bm_pci *pci)
{
	struct vfio_region_info info;
	int rc = region_of(pci, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (rc < 0)
		return rc;
	pci->config = pci->fd;
	pci->config_at = (int64_t)info.offset;
	return 0;
}

static int set_up(struct bm_pci *pci, unsigned int bar, char *why)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	int rc = pci->space->sys->ioctl(pci->fd, VFIO_DEVICE_GET_INFO, &info);

	if (rc >= 0)
		rc = info.flags & VFIO_DEVICE_FLAGS_PCI ? find_config(pci) : -ENOTSUP;
	if (rc >= 0)
		rc = map_bar(pci, bar);
	if (rc < 0) {
		snprintf(why, BM_WHY_MAX, "its registers (BAR%u) cannot be mapped (error %d)", bar,
			 -rc);
		return rc;
	}
	pci->resets = (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0;
	return 0;
}

static int open_device(struct bm_pci_space *space, const struct bm_pci_found *found,
		       unsigned int bar, struct bm_pci *pci, char *why)
{
	char address[sizeof(pci->address)];

	pci->group = bm_pci_group_take(space, found->group, why);
	if (pci->group < 0)
		return pci->group;
	/* The kernel's argument is not const. */
	snprintf(address, sizeof(address), "%s", found->address);
	pci->fd = space->sys->ioctl(pci->group, VFIO_GROUP_GET_DEVICE_FD, address);
	if (pci->fd >= 0)
		return set_up(pci, bar, why);
	snprintf(why, BM_WHY_MAX, "vfio does not give it out (error %d): is its driver vfio-pci?",
		 -pci->fd);
	return pci->fd;
}

/* What sysfs tells beforehand is the better reason, unless the kernel has one of its own. */
static int open_function(struct bm_pci_space *space, const struct bm_pci_found *found,
			 unsigned int bar, struct bm_pci *pci, char *why)
{
	char reason[BM_WHY_MAX], remedy[BM_WHY_MAX];
	int rc;

	if (found->group < 0)
		return bm_pci_usable(space->sys, found, BM_PCI_VFIO, why, remedy);
	rc = open_device(space, found, bar, pci, why);
	if (rc < 0 && rc != -EBUSY &&
	    bm_pci_usable(space->sys, found, BM_PCI_VFIO, reason, remedy) < 0)
		snprintf(why, BM_WHY_MAX, "%s", reason);
	return rc;
}

/* Closing the device turns bus mastering off and resets it, where that can be. */
static void let_go(struct bm_pci *pci)
{
	if (pci->fd >= 0)
		pci->space->sys->close(pci->fd);
	if (pci->group >= 0)
		bm_pci_group_give(pci->space, pci->group);
	pci->fd = pci->group = pci->config = -1;
}

static int reset(struct bm_pci *pci)
{
	int rc = pci->space->sys->ioctl(pci->fd, VFIO_DEVICE_RESET, NULL);

	return rc < 0 ? rc : 0;
}

const struct bm_pci_way bm_pci_vfio = {
	.begin = begin,
	.end = end,
	.open = open_function,
	.let_go = let_go,
	.reset = reset,
	.memory_new = bm_pci_vfio_memory_new,
	.memory_free = bm_pci_vfio_memory_free,
	.pins_begin = bm_pci_vfio_pins_begin,
	.pins_end = bm_pci_vfio_pins_end,
	.pin = bm_pci_vfio_pin,
	.unpin = bm_pci_vfio_unpin,
	.bus = bm_pci_vfio_bus,
	.guards = 1,
};
