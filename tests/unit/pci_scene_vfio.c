/* SPDX-License-Identifier: MIT */
/* pci_scene_vfio.c - the ioctls of vfio. */
#include <linux/vfio.h>

#include "pci_scene.h"

struct caps {
	struct vfio_info_cap_header other;
	uint32_t filler[2];
	struct vfio_info_cap_header header;
	uint32_t count, reserved;
	struct vfio_iova_range ranges[16];
};

static int get_info(struct vfio_iommu_type1_info *info)
{
	size_t skipped = pci.other_caps ? 0 : offsetof(struct caps, header);
	size_t size = offsetof(struct caps, ranges) +
		      pci.range_count * sizeof(struct vfio_iova_range) - skipped;
	struct caps caps = {.count = (uint32_t)pci.range_count};
	uint32_t room = info->argsz;

	info->flags = VFIO_IOMMU_INFO_PGSIZES;
	info->cap_offset = 0;
	if (pci.no_ranges)
		return 0;
	info->flags |= VFIO_IOMMU_INFO_CAPS;
	info->argsz = (uint32_t)(sizeof(*info) + size);
	if (room < info->argsz)
		return 0;
	caps.other.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	caps.other.next = (uint32_t)(sizeof(*info) + offsetof(struct caps, header));
	caps.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	memcpy(caps.ranges, pci.ranges, pci.range_count * sizeof(*pci.ranges));
	memcpy(info + 1, (unsigned char *)&caps + skipped, size);
	info->cap_offset = sizeof(*info);
	return 0;
}

static int is_allowed(uint64_t start, uint64_t last)
{
	for (size_t i = 0; i < pci.range_count; i++)
		if (start >= pci.ranges[i].start && last <= pci.ranges[i].end)
			return 1;
	return pci.no_ranges && last < 0xfee00000u;
}

static int map_dma(const struct vfio_iommu_type1_dma_map *map)
{
	pci.map_calls++;
	ck_assert_uint_eq(map->argsz, sizeof(*map));
	ck_assert_uint_gt(map->size, 0);
	ck_assert_uint_eq((map->iova | map->size | map->vaddr) % PCI_PAGE, 0);
	if (pci.map_error)
		return pci.map_error;
	if (!is_allowed(map->iova, map->iova + map->size - 1))
		return -EINVAL;
	for (size_t i = 0; i < pci.map_count; i++)
		if (pci.maps[i].iova < map->iova + map->size &&
		    map->iova < pci.maps[i].iova + pci.maps[i].size)
			return -EEXIST;
	ck_assert_uint_lt(pci.map_count, PCI_MAPS);
	pci.maps[pci.map_count++] = (struct pci_map){map->iova, map->size, map->vaddr, map->flags};
	return 0;
}

/* By exactly what was mapped, as the contract of this layer has it. */
static int unmap_dma(struct vfio_iommu_type1_dma_unmap *unmap)
{
	pci.unmap_calls++;
	ck_assert_uint_eq(unmap->flags, 0);
	if (pci.unmap_errors > 0) {
		pci.unmap_errors--;
		if (pci.unmap_error != -ERANGE)
			return pci.unmap_error;
		unmap->size = 0;
		return 0;
	}
	for (size_t i = 0; i < pci.map_count; i++) {
		if (pci.maps[i].iova != unmap->iova || pci.maps[i].size != unmap->size)
			continue;
		pci.maps[i] = pci.maps[--pci.map_count];
		return 0;
	}
	unmap->size = 0;
	return 0;
}

static int container_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case VFIO_GET_API_VERSION:
		return pci.version;
	case VFIO_CHECK_EXTENSION:
		return (uintptr_t)arg == VFIO_TYPE1v2_IOMMU ? pci.extension : 0;
	case VFIO_SET_IOMMU:
		ck_assert_uint_eq((uintptr_t)arg, VFIO_TYPE1v2_IOMMU);
		ck_assert_int_eq(pci.containers_set, 1);
		pci_step('I');
		pci.iommus_set++;
		return pci.iommu_error;
	case VFIO_IOMMU_GET_INFO:
		return get_info(arg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(arg);
	default:
		ck_abort_msg("ioctl %lx of the container", request);
		return -ENOTTY;
	}
}

static int get_device(const char *name)
{
	int fd;

	ck_assert(strcmp(name, PCI_A) == 0 || strcmp(name, PCI_B) == 0 || strcmp(name, PCI_C) == 0);
	if (pci.device_error)
		return pci.device_error;
	pci_step('D');
	fd = pci_new_fd(PCI_DEVICE);
	return fd;
}

static int group_ioctl(struct pci_fd *group, unsigned long request, void *arg)
{
	struct vfio_group_status *status = arg;

	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		ck_assert_uint_eq(status->argsz, sizeof(*status));
		status->flags = pci.viable;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		ck_assert_int_eq(pci_fds[*(int *)arg].kind, PCI_CONTAINER);
		group->in_container = 1;
		pci.containers_set++;
		pci_step('S');
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return get_device(arg);
	default:
		ck_abort_msg("ioctl %lx of a group", request);
		return -ENOTTY;
	}
}

static int region_info(struct vfio_region_info *info)
{
	ck_assert_uint_eq(info->argsz, sizeof(*info));
	info->offset = (uint64_t)info->index << 40;
	info->size = info->index == 2 ? PCI_PAGE : info->index == 7 ? 256 : 0;
	info->flags = info->index == 2 ? pci.bar_flags : 3;
	return 0;
}

static int device_ioctl(unsigned long request, void *arg)
{
	struct vfio_device_info *info = arg;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		info->flags = pci.device_flags;
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_RESET:
		pci.resets++;
		return pci.reset_error;
	default:
		ck_abort_msg("ioctl %lx of a device", request);
		return -ENOTTY;
	}
}

int pci_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	if (request != VFIO_IOMMU_UNMAP_DMA && pci_fails(&rc))
		return rc;
	switch (pci_fds[fd].kind) {
	case PCI_CONTAINER:
		return container_ioctl(request, arg);
	case PCI_GROUP:
		return group_ioctl(&pci_fds[fd], request, arg);
	case PCI_DEVICE:
		return device_ioctl(request, arg);
	default:
		ck_abort_msg("ioctl %lx of descriptor %d", request, fd);
		return -EBADF;
	}
}
