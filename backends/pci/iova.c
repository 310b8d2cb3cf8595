/* SPDX-License-Identifier: MIT */
/*
 * iova.c - bus addresses behind an IOMMU: which there are, and who has them.
 *
 * Memory of the application has its own address on the bus where it can. What
 * is reserved comes from the top of what there is: on x86 no memory of a
 * process is above 2^47. Where both want the same one the kernel refuses the
 * second mapping.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio.h"

#define LAST ((UINT64_C(1) << 48) - 1) /* that the engines can address */
/* 0 is easily taken for no address, and firmware likes what is below 1 MiB. */
#define FIRST 0x100000u
/* Without a list (before Linux 5.4): below the window of interrupts. */
#define UNLISTED_LAST 0xfedfffffu
#define INFO_MOST     65536u
/* A list that grows between the calls is asked for again. */
#define INFO_TRIES 4

static void add_range(struct bm_pci_space *space, uint64_t start, uint64_t last)
{
	start = start < FIRST ? FIRST : start;
	last = last > LAST ? LAST : last;
	if (start >= last || space->range_count == BM_PCI_RANGES_MOST)
		return;
	space->ranges[space->range_count++] = (struct bm_pci_range){start, last};
}

static void add_ranges(struct bm_pci_space *space, const unsigned char *info, size_t at,
		       size_t size)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	struct vfio_iova_range range;

	if (sizeof(head) > size - at)
		return;
	memcpy(&head, info + at, sizeof(head));
	at += sizeof(head);
	for (uint32_t i = 0; i < head.nr_iovas && size - at >= sizeof(range); i++) {
		memcpy(&range, info + at, sizeof(range));
		add_range(space, range.start, range.end);
		at += sizeof(range);
	}
}

/* Capabilities are a list: each tells where the next one is, behind it or 0. */
static void find_ranges(struct bm_pci_space *space, const unsigned char *info, size_t at,
			size_t size)
{
	struct vfio_info_cap_header head;

	space->range_count = 0;
	while (at && at < size && size - at >= sizeof(head)) {
		memcpy(&head, info + at, sizeof(head));
		if (head.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			add_ranges(space, info, at, size);
			return;
		}
		if (head.next <= at)
			break;
		at = head.next;
	}
	add_range(space, 0, UNLISTED_LAST);
}

/* 0, or the size that it takes, or -errno. */
static int read_info(struct bm_pci_space *space, size_t size)
{
	struct vfio_iommu_type1_info head = {.argsz = (uint32_t)size};
	unsigned char *info = space->sys->alloc(1, size);
	int rc;

	if (!info)
		return -ENOMEM;
	memcpy(info, &head, sizeof(head));
	rc = space->sys->ioctl(space->fd, VFIO_IOMMU_GET_INFO, info);
	memcpy(&head, info, sizeof(head));
	if (rc >= 0)
		rc = head.argsz > size && head.argsz <= INFO_MOST ? (int)head.argsz : 0;
	if (rc == 0)
		find_ranges(space, info, head.flags & VFIO_IOMMU_INFO_CAPS ? head.cap_offset : 0,
			    size);
	free(info);
	return rc;
}

int bm_pci_ranges_read(struct bm_pci_space *space)
{
	int rc = (int)sizeof(struct vfio_iommu_type1_info);

	for (int i = 0; rc > 0 && i < INFO_TRIES; i++)
		rc = read_info(space, (size_t)rc);
	return rc > 0 ? -EAGAIN : rc;
}

/* ---------------------------------------------------------------- reservations */

static const struct bm_pci_range *taken(const struct bm_pci_space *space, uint64_t start,
					uint64_t last)
{
	for (size_t i = 0; i < space->reserved_count; i++)
		if (space->reserved[i].start <= last && start <= space->reserved[i].last)
			return &space->reserved[i];
	return NULL;
}

/* The highest place in the range; 0: there is none. */
static uint64_t place_in(const struct bm_pci_space *space, const struct bm_pci_range *range,
			 uint64_t size, uint64_t align)
{
	const struct bm_pci_range *other;
	uint64_t end = range->last + 1, start;

	while (end - range->start >= size && end > range->start) {
		start = (end - size) / align * align;
		if (start < range->start)
			return 0;
		other = taken(space, start, start + size - 1);
		if (!other)
			return start;
		end = other->start;
	}
	return 0;
}

static int reserve(struct bm_pci_space *space, uint64_t size, uint64_t align, uint64_t *start)
{
	uint64_t place = 0;

	if (space->reserved_count == BM_PCI_RESERVED_MOST)
		return -ENOSPC;
	for (size_t i = space->range_count; i > 0 && !place; i--)
		place = place_in(space, &space->ranges[i - 1], size, align);
	if (!place)
		return -ENOSPC;
	space->reserved[space->reserved_count++] = (struct bm_pci_range){place, place + size - 1};
	*start = place;
	return 0;
}

int bm_pci_reserve(struct bm_pci_space *space, uint64_t size, uint64_t align, uint64_t *start)
{
	int rc;

	pthread_mutex_lock(&space->lock);
	rc = reserve(space, size, align, start);
	pthread_mutex_unlock(&space->lock);
	return rc;
}

void bm_pci_reserve_end(struct bm_pci_space *space, uint64_t start)
{
	pthread_mutex_lock(&space->lock);
	for (size_t i = 0; i < space->reserved_count; i++) {
		if (space->reserved[i].start != start)
			continue;
		space->reserved[i] = space->reserved[--space->reserved_count];
		break;
	}
	pthread_mutex_unlock(&space->lock);
}
