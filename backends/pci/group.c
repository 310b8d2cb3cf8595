/* SPDX-License-Identifier: MIT */
/* group.c - the container of a space, and the IOMMU groups in it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "vfio.h"

#define CONTAINER "/dev/vfio/vfio"

int bm_pci_container(const struct bm_sys *sys, char *why)
{
	int fd = sys->open(CONTAINER, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, BM_WHY_MAX, CONTAINER " cannot be opened (error %d)", -fd);
		return fd;
	}
	if (sys->ioctl(fd, VFIO_GET_API_VERSION, NULL) != VFIO_API_VERSION ||
	    sys->ioctl(fd, VFIO_CHECK_EXTENSION, (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU) <= 0) {
		snprintf(why, BM_WHY_MAX,
			 "vfio has no IOMMU of type 1 (version 2) here: is the module "
			 "vfio_iommu_type1 there?");
		sys->close(fd);
		return -ENODEV;
	}
	return fd;
}

/* -EBUSY also where another process has it. */
static int open_group(const struct bm_sys *sys, int number, char *why)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char path[32];
	int fd, rc;

	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	fd = sys->open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, BM_WHY_MAX, "%s cannot be opened (error %d)%s", path, -fd,
			 fd == -EBUSY ? ": another process has it" : "");
		return fd;
	}
	rc = sys->ioctl(fd, VFIO_GROUP_GET_STATUS, &status);
	if (rc >= 0 && status.flags & VFIO_GROUP_FLAGS_VIABLE)
		return fd;
	sys->close(fd);
	snprintf(why, BM_WHY_MAX,
		 "IOMMU group %d is not viable: another function of it has a driver of the kernel",
		 number);
	return rc < 0 ? rc : -EPERM;
}

/* A container has an IOMMU once a group is in it. */
static int join(struct bm_pci_space *space, int fd, char *why)
{
	int rc = space->sys->ioctl(fd, VFIO_GROUP_SET_CONTAINER, &space->fd);

	if (rc >= 0 && space->group_count == 0)
		rc = space->sys->ioctl(space->fd, VFIO_SET_IOMMU,
				       (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU);
	if (rc >= 0)
		rc = bm_pci_ranges_read(space);
	if (rc < 0)
		snprintf(why, BM_WHY_MAX, "its IOMMU group cannot be used (error %d)%s", -rc,
			 rc == -EPERM ? ": without interrupt remapping only with "
					"vfio_iommu_type1.allow_unsafe_interrupts=1"
				      : "");
	return rc;
}

static struct bm_pci_group *find_free(struct bm_pci_space *space)
{
	for (size_t i = 0; i < BM_PCI_FUNCTIONS_MOST; i++)
		if (space->groups[i].users == 0)
			return &space->groups[i];
	return NULL;
}

static int add_group(struct bm_pci_space *space, int number, char *why)
{
	struct bm_pci_group *group = find_free(space);
	int fd, rc;

	if (!group) {
		snprintf(why, BM_WHY_MAX, "more than %u IOMMU groups", BM_PCI_FUNCTIONS_MOST);
		return -ENOSPC;
	}
	fd = open_group(space->sys, number, why);
	if (fd < 0)
		return fd;
	rc = join(space, fd, why);
	if (rc < 0) {
		space->sys->close(fd);
		return rc;
	}
	*group = (struct bm_pci_group){number, fd, 1};
	space->group_count++;
	return fd;
}

/* A group can be opened once only: its functions share the descriptor. */
int bm_pci_group_take(struct bm_pci_space *space, int number, char *why)
{
	for (size_t i = 0; i < BM_PCI_FUNCTIONS_MOST; i++) {
		struct bm_pci_group *group = &space->groups[i];

		if (group->users > 0 && group->number == number) {
			group->users++;
			return group->fd;
		}
	}
	return add_group(space, number, why);
}

void bm_pci_group_give(struct bm_pci_space *space, int fd)
{
	for (size_t i = 0; i < BM_PCI_FUNCTIONS_MOST; i++) {
		struct bm_pci_group *group = &space->groups[i];

		if (group->users == 0 || group->fd != fd || --group->users > 0)
			continue;
		space->sys->close(fd);
		space->group_count--;
		return;
	}
}

int bm_pci_group_is_lone(const struct bm_pci_space *space, int fd)
{
	for (size_t i = 0; i < BM_PCI_FUNCTIONS_MOST; i++)
		if (space->groups[i].users > 0 && space->groups[i].fd == fd)
			return space->groups[i].users == 1;
	return 0;
}
