/* SPDX-License-Identifier: MIT */
/* ptdma_iommu.c - what is mapped for functions: VFIO_IOMMU_... of type 1, version 2. */
#include "ptdma_table.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "raw.h"

#define POPULATE_READ  22 /* MADV_POPULATE_READ, Linux 5.14 */
#define POPULATE_WRITE 23

struct range {
	uint64_t start, end; /* with it */
};

/* Between the MSI window and the one of HyperTransport, and beside them. */
static const struct range ranges[] = {
	{0, 0xfedfffff}, {0xfef00000, 0xfcffffffff}, {0x10000000000, UINT64_MAX}};
static const struct range low_ranges[] = {{0, 0xfedfffff}, {0xfef00000, 0xffffffff}};

static const struct range *ranges_of(const struct table *table, size_t *count)
{
	*count = table->how.no_user_iova ? 2 : 3;
	return table->how.no_user_iova ? low_ranges : ranges;
}

static int is_usable(const struct table *table, uint64_t start, uint64_t last)
{
	size_t count;
	const struct range *range = ranges_of(table, &count);

	for (size_t i = 0; i < count; i++)
		if (start >= range[i].start && last <= range[i].end)
			return 1;
	return 0;
}

int table_populate(uint64_t address, uint64_t length, int writes)
{
	long rc = bm_raw(SYS_madvise, (long)address, (long)length,
			 writes ? POPULATE_WRITE : POPULATE_READ);

	return rc ? -EFAULT : 0;
}

/* The first mapping that ends behind this address: its place. Lock held. */
static size_t place_of(const struct table *table, unsigned int container, uint64_t iova)
{
	size_t low = 0, high = table->mappings_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct table_mapping *mapping = &table->mappings[middle];

		if (mapping->container < container ||
		    (mapping->container == container && mapping->iova + (mapping->size - 1) < iova))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct table_mapping *mapping_at(const struct table *table, unsigned int container,
					      size_t place)
{
	if (place >= table->mappings_count || table->mappings[place].container != container)
		return NULL;
	return &table->mappings[place];
}

static int may_map(const struct table *table, unsigned int container,
		   const struct vfio_iommu_type1_dma_map *map)
{
	size_t place = place_of(table, container, map->iova);
	const struct table_mapping *next = mapping_at(table, container, place);

	if (next && next->iova <= map->iova + (map->size - 1))
		return -EEXIST;
	if (table->mappings_count == TABLE_MAPPINGS)
		return -ENOSPC;
	if (!is_usable(table, map->iova, map->iova + (map->size - 1)))
		return -EINVAL;
	if (table->how.map_error)
		return table->how.map_error;
	if (table->how.memlock && map->size > table->how.memlock - table->locked)
		return -ENOMEM;
	return 0;
}

static void insert(struct table *table, unsigned int container,
		   const struct vfio_iommu_type1_dma_map *map)
{
	size_t place = place_of(table, container, map->iova);
	struct table_mapping *at = &table->mappings[place];

	memmove(at + 1, at, (table->mappings_count - place) * sizeof(*at));
	*at = (struct table_mapping){map->iova, map->size, map->vaddr, container, map->flags};
	table->mappings_count++;
	table->locked += map->size;
}

static int check_map(const struct vfio_iommu_type1_dma_map *map)
{
	if (map->argsz < sizeof(*map) || !map->flags ||
	    map->flags & ~(uint32_t)(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;
	if (!map->size || (map->size | map->iova | map->vaddr) % TABLE_PAGE)
		return -EINVAL;
	if (map->iova + (map->size - 1) < map->iova || map->vaddr + (map->size - 1) < map->vaddr)
		return -EINVAL;
	return 0;
}

/* Pages are brought in without the lock: whoever has taken them away may need the table. */
static int map_dma(struct table *table, unsigned int container,
		   const struct vfio_iommu_type1_dma_map *map)
{
	int rc = check_map(map);

	table_lock(table);
	table->map_calls++;
	if (!rc)
		rc = may_map(table, container, map);
	table_unlock(table);
	if (!rc)
		rc = table_populate(map->vaddr, map->size, map->flags & VFIO_DMA_MAP_FLAG_WRITE);
	if (rc)
		return rc;
	table_lock(table);
	rc = may_map(table, container, map);
	if (!rc)
		insert(table, container, map);
	table_unlock(table);
	return rc;
}

static void remove_places(struct table *table, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		table->locked -= table->mappings[i].size;
	memmove(&table->mappings[from], &table->mappings[to],
		(table->mappings_count - to) * sizeof(table->mappings[0]));
	table->mappings_count -= to - from;
}

/* No mapping is cut in two; where there is none nothing happens. */
static int remove_range(struct table *table, unsigned int container, uint64_t start, uint64_t *size)
{
	uint64_t last = start + (*size - 1), removed = 0;
	size_t from = place_of(table, container, start), to = from;
	const struct table_mapping *mapping = mapping_at(table, container, from);

	if (mapping && mapping->iova < start)
		return -EINVAL;
	for (; mapping && mapping->iova <= last; mapping = mapping_at(table, container, ++to)) {
		if (mapping->iova + (mapping->size - 1) > last)
			return -EINVAL;
		removed += mapping->size;
	}
	remove_places(table, from, to);
	*size = removed;
	return 0;
}

void table_iommu_drop(struct table *table, unsigned int container)
{
	uint64_t all = UINT64_MAX;

	remove_range(table, container, 0, &all);
}

static int check_unmap(struct vfio_iommu_type1_dma_unmap *unmap)
{
	if (unmap->argsz < sizeof(*unmap))
		return -EINVAL;
	if (unmap->flags == VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return -EINVAL;
		unmap->size = UINT64_MAX;
		return 0;
	}
	if (unmap->flags || !unmap->size || (unmap->size | unmap->iova) % TABLE_PAGE)
		return -EINVAL;
	return unmap->iova + (unmap->size - 1) < unmap->iova ? -EINVAL : 0;
}

/* It is over when no function is in the middle of an access. */
static int unmap_dma(struct table *table, unsigned int container,
		     struct vfio_iommu_type1_dma_unmap *unmap)
{
	int rc = check_unmap(unmap);
	uint64_t size = unmap->size;

	table_lock(table);
	table->unmap_calls++;
	if (!rc)
		rc = remove_range(table, container, unmap->iova, &size);
	table_unlock(table);
	if (!rc)
		unmap->size = size;
	ptdma_pause(table->ptdma);
	return rc;
}

struct capabilities {
	struct vfio_info_cap_header header;
	uint32_t count, reserved;
	struct range ranges[3];
	struct vfio_iommu_type1_info_dma_avail available;
};

/* As many of them as there is room for; a chain of offsets from the beginning. */
static int get_info(const struct table *table, struct vfio_iommu_type1_info *info)
{
	const size_t least = offsetof(struct vfio_iommu_type1_info, iova_pgsizes) + 8;
	const uint32_t begin = sizeof(*info);
	struct capabilities caps = {0};
	size_t count;
	const struct range *usable = ranges_of(table, &count);
	uint32_t length = info->argsz;

	if (length < least)
		return -EINVAL;
	info->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info->iova_pgsizes = ~(uint64_t)(TABLE_PAGE - 1);
	if (length >= sizeof(*info))
		info->cap_offset = 0;
	info->argsz = begin + (uint32_t)sizeof(caps);
	if (length < begin + sizeof(caps))
		return 0;
	caps.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	caps.header.version = 1;
	caps.header.next = begin + (uint32_t)offsetof(struct capabilities, available);
	caps.count = (uint32_t)count;
	memcpy(caps.ranges, usable, count * sizeof(*usable));
	caps.available.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	caps.available.header.version = 1;
	caps.available.avail = (uint32_t)(TABLE_MAPPINGS - table->mappings_count);
	memcpy(info + 1, &caps, sizeof(caps));
	info->cap_offset = begin;
	return 0;
}

int table_iommu_ioctl(struct table *table, unsigned int container, unsigned long request, void *arg)
{
	if (!table->containers[container].iommu)
		return -EINVAL;
	switch (request) {
	case VFIO_IOMMU_GET_INFO:
		return get_info(table, arg);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(table, container, arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(table, container, arg);
	default:
		return -ENOTTY;
	}
}

void *table_iommu_bus(void *user, unsigned int function, uint64_t bus, size_t *length, int writes)
{
	struct table *table = user;
	const struct table_mapping *mapping = NULL;
	uint32_t needed = writes ? VFIO_DMA_MAP_FLAG_WRITE : VFIO_DMA_MAP_FLAG_READ;
	void *at = NULL;
	int container;

	table_lock(table);
	container = table->functions[function].container;
	if (container >= 0)
		mapping = mapping_at(table, (unsigned int)container,
				     place_of(table, (unsigned int)container, bus));
	if (mapping && mapping->iova <= bus && mapping->flags & needed) {
		uint64_t left = mapping->size - (bus - mapping->iova);

		at = (void *)(uintptr_t)(mapping->address + (bus - mapping->iova));
		if (*length > left)
			*length = (size_t)left;
	}
	table_unlock(table);
	return at;
}

int table_iommu_pinned(const struct table *table, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < table->mappings_count; i++) {
		const struct table_mapping *mapping = &table->mappings[i];

		if (mapping->address < end && start < mapping->address + mapping->size)
			return 1;
	}
	return 0;
}
