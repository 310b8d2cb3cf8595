/* SPDX-License-Identifier: MIT */
/* ptdma_vfio.c - containers, groups and devices of VFIO: their ioctls. */
#include "ptdma_table.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#define CONFIG_SIZE 4096u
#define REGIONS     VFIO_PCI_NUM_REGIONS

static int has_extension(long type)
{
	return type == VFIO_TYPE1_IOMMU || type == VFIO_TYPE1v2_IOMMU || type == VFIO_UNMAP_ALL;
}

static int set_iommu(struct table *table, unsigned int container, long type)
{
	struct table_container *at = &table->containers[container];
	int rc = 0;

	table_lock(table);
	if (!at->groups || at->iommu)
		rc = -EINVAL;
	else if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
		rc = -ENODEV;
	else
		at->iommu = (int)type;
	table_unlock(table);
	return rc;
}

static int container_ioctl(struct table *table, unsigned int container, unsigned long request,
			   void *arg)
{
	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return has_extension((long)(intptr_t)arg);
	case VFIO_SET_IOMMU:
		return set_iommu(table, container, (long)(intptr_t)arg);
	default:
		return table_iommu_ioctl(table, container, request, arg);
	}
}

static int group_status(const struct table *table, unsigned int function,
			struct vfio_group_status *status)
{
	if (status->argsz < sizeof(*status))
		return -EINVAL;
	status->flags = VFIO_GROUP_FLAGS_VIABLE;
	if (table->functions[function].container >= 0)
		status->flags |= VFIO_GROUP_FLAGS_CONTAINER_SET;
	return 0;
}

static int set_container(struct table *table, unsigned int function, const int *fd)
{
	struct table_function *at = &table->functions[function];
	const struct table_fd *container = table_find(table, *fd);
	int rc = 0;

	if (!container || container->kind != TABLE_CONTAINER)
		return container ? -EINVAL : -EBADF;
	table_lock(table);
	if (at->container >= 0) {
		rc = -EINVAL;
	} else {
		at->container = (int)container->container;
		table->containers[container->container].held++;
		table->containers[container->container].groups++;
	}
	table_unlock(table);
	return rc;
}

void table_leave_container(struct table *table, unsigned int function)
{
	struct table_function *at = &table->functions[function];
	struct table_container *container;

	if (at->container < 0)
		return;
	container = &table->containers[at->container];
	if (--container->groups == 0) {
		table_iommu_drop(table, (unsigned int)at->container);
		container->iommu = 0;
	}
	container->held--;
	at->container = -1;
}

static int unset_container(struct table *table, unsigned int function)
{
	struct table_function *at = &table->functions[function];
	int rc = 0;

	table_lock(table);
	if (at->container < 0)
		rc = -EINVAL;
	else if (at->devices)
		rc = -EBUSY;
	else
		table_leave_container(table, function);
	table_unlock(table);
	ptdma_pause(table->ptdma);
	return rc;
}

/* The first one resets it, and turns bus mastering off. */
static int get_device(struct table *table, unsigned int function, const char *name)
{
	struct table_function *at = &table->functions[function];
	char address[16];
	struct table_fd *fd;
	int is_first;

	table_address(function, address);
	if (strcmp(name, address) != 0)
		return -ENODEV;
	if (at->container < 0 || !table->containers[at->container].iommu)
		return -EINVAL;
	fd = table_new_fd(table, TABLE_DEVICE, function);
	if (!fd)
		return -EMFILE;
	table_lock(table);
	at->group++;
	is_first = !at->devices++;
	table_unlock(table);
	if (is_first) {
		ptdma_master(table->ptdma, function, 0);
		table_reset(table, function);
	}
	return table_number(table, fd);
}

static int group_ioctl(struct table *table, unsigned int function, unsigned long request, void *arg)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		return group_status(table, function, arg);
	case VFIO_GROUP_SET_CONTAINER:
		return set_container(table, function, arg);
	case VFIO_GROUP_UNSET_CONTAINER:
		return unset_container(table, function);
	case VFIO_GROUP_GET_DEVICE_FD:
		return get_device(table, function, arg);
	default:
		return -ENOTTY;
	}
}

static int device_info(const struct table *table, struct vfio_device_info *info)
{
	if (info->argsz < offsetof(struct vfio_device_info, num_irqs) + 4)
		return -EINVAL;
	info->flags = VFIO_DEVICE_FLAGS_PCI;
	if (table->how.reset_error != -ENOTTY)
		info->flags |= VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

static int region_info(const struct table *table, unsigned int function,
		       struct vfio_region_info *info)
{
	if (info->argsz < sizeof(*info) || info->index >= VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info->flags = 0;
	info->cap_offset = 0;
	info->offset = (uint64_t)info->index << TABLE_REGION_SHIFT;
	info->size = 0;
	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX)
		info->size = CONFIG_SIZE;
	else if (info->index < VFIO_PCI_ROM_REGION_INDEX)
		info->size = table_bar_size(table, function, info->index);
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (info->index == table_bar(table, function))
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

static int device_ioctl(struct table *table, unsigned int function, unsigned long request,
			void *arg)
{
	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		return device_info(table, arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(table, function, arg);
	case VFIO_DEVICE_RESET:
		return table_reset(table, function);
	default:
		return -ENOTTY;
	}
}

int table_ioctl(struct table *table, struct table_fd *fd, unsigned long request, void *arg)
{
	switch (fd->kind) {
	case TABLE_CONTAINER:
		return container_ioctl(table, fd->container, request, arg);
	case TABLE_GROUP:
		return group_ioctl(table, fd->function, request, arg);
	case TABLE_DEVICE:
		return device_ioctl(table, fd->function, request, arg);
	case TABLE_PAGEMAP:
		return table->base.ioctl(fd->below, request, arg);
	default:
		return fd->kind == TABLE_CLOSED ? -EBADF : -ENOTTY;
	}
}
