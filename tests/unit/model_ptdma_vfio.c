/* SPDX-License-Identifier: MIT */
/* model_ptdma_vfio.c - VFIO as the machine of the software PTDMA has it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ptdma_desk.h"
#include "ptdma_machine.h"
#include "unit.h"

#define MASTER 4u
#define CONFIG ((off_t)7 << 40)

static uint16_t command(const struct vfio *vfio)
{
	uint16_t value = 0;

	ck_assert_int_eq(vfio->sys.pread_raw(vfio->device, &value, 2, CONFIG + 4), 2);
	return value;
}

static void set_command(const struct vfio *vfio, uint16_t value)
{
	ck_assert_int_eq(vfio->sys.pwrite_raw(vfio->device, &value, 2, CONFIG + 4), 2);
}

START_TEST(vfio_containers_and_groups)
{
	struct vfio vfio;
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char name[] = "0000:01:00.2", other[] = "0000:02:00.2";
	int container, group, second;

	vfio_use(&vfio, (struct ptdma_sys_how){0});
	container = vfio.sys.open("/dev/vfio/vfio", O_RDWR);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_GET_API_VERSION, NULL), 0);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_CHECK_EXTENSION, vfio_number(1)), 1);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_CHECK_EXTENSION, vfio_number(3)), 1);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_CHECK_EXTENSION, vfio_number(8)), 0);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_SET_IOMMU, vfio_number(3)), -EINVAL);
	group = vfio.sys.open("/dev/vfio/21", O_RDWR);
	ck_assert_int_eq(vfio.sys.open("/dev/vfio/21", O_RDWR), -EBUSY);
	ck_assert_int_eq(vfio.sys.open("/dev/vfio/23", O_RDWR), -ENOENT);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_STATUS, &status), 0);
	ck_assert_uint_eq(status.flags, VFIO_GROUP_FLAGS_VIABLE);
	status.argsz = 4;
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_STATUS, &status), -EINVAL);
	/* Neither a container, nor an IOMMU. */
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_DEVICE_FD, name), -EINVAL);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_SET_CONTAINER, &group), -EINVAL);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_SET_CONTAINER, &container), 0);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_SET_CONTAINER, &container), -EINVAL);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_DEVICE_FD, name), -EINVAL);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_SET_IOMMU, vfio_number(7)), -ENODEV);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_SET_IOMMU, vfio_number(3)), 0);
	ck_assert_int_eq(vfio_control(&vfio, container, VFIO_SET_IOMMU, vfio_number(3)), -EINVAL);
	status.argsz = sizeof(status);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_STATUS, &status), 0);
	ck_assert_uint_eq(status.flags, 3);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_GET_DEVICE_FD, other), -ENODEV);
	second = vfio_control(&vfio, group, VFIO_GROUP_GET_DEVICE_FD, name);
	ck_assert_int_ge(second, 1 << 21);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EBUSY);
	ck_assert_int_eq(vfio_control(&vfio, group, VFIO_DEVICE_RESET, NULL), -ENOTTY);
	/* The device holds the group. */
	ck_assert_int_eq(vfio.sys.close(group), 0);
	ck_assert_int_eq(vfio.sys.open("/dev/vfio/21", O_RDWR), -EBUSY);
	ck_assert_int_eq(vfio.sys.close(second), 0);
	group = vfio.sys.open("/dev/vfio/21", O_RDWR);
	ck_assert_int_ge(group, 1 << 21);
	ck_assert_uint_eq(machine_held().files, 2);
	vfio_detach(&vfio);
}
END_TEST

START_TEST(vfio_device)
{
	struct vfio vfio;
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_region_info region = {.argsz = sizeof(region), .index = 2};
	volatile uint32_t *registers;
	uint64_t at;
	uint32_t id;

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_GET_INFO, &info), 0);
	ck_assert_uint_eq(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	ck_assert(info.num_regions == 9 && info.num_irqs == 5);
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region), 0);
	ck_assert(region.size == 512 << 10 && region.offset == (uint64_t)2 << 40);
	ck_assert_uint_eq(region.flags, 7);
	region.index = 0;
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region), 0);
	ck_assert(region.size == 0 && region.flags == 0);
	region.index = 7;
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region), 0);
	ck_assert(region.size == 4096 && region.offset == (uint64_t)CONFIG && region.flags == 3);
	region.index = 9;
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region),
			 -EINVAL);
	ck_assert_int_eq(vfio.sys.pread(vfio.device, &id, 4, CONFIG), 4);
	ck_assert_uint_eq(id, 0x14981022);
	ck_assert_int_eq(vfio.sys.map_device(vfio.device, 0, 4096, &at), -EINVAL);
	ck_assert_int_eq(vfio.sys.map_device(vfio.device, (off_t)2 << 40, (512 << 10) + 1, &at),
			 -EINVAL);
	ck_assert_int_eq(vfio.sys.map_device(vfio.device, (off_t)2 << 40, 512 << 10, &at), 0);
	registers = (volatile uint32_t *)(uintptr_t)at;
	ck_assert_uint_eq(registers[4], 1u << 15 | 5);
	ptdma_remove(vfio.ptdma, 0);
	ck_assert_uint_eq(registers[4], 0xffffffff);
	ck_assert_uint_eq(command(&vfio), 0xffff);
	ck_assert_int_eq(vfio.sys.unmap(at, 512 << 10), 0);
	vfio_detach(&vfio);
}
END_TEST

START_TEST(vfio_bus_mastering)
{
	struct vfio vfio;
	uint16_t before;

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	before = command(&vfio);
	ck_assert(!(before & MASTER) && before & 2);
	set_command(&vfio, before | MASTER);
	ck_assert(command(&vfio) == (before | MASTER) && ptdma_is_master(vfio.ptdma, 0));
	ck_assert(machine_held().bus_masters == 1 && !ptdma_is_master(vfio.ptdma, 1));
	/* A reset leaves configuration space as it was. */
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_RESET, NULL), 0);
	ck_assert_uint_eq(command(&vfio), before | MASTER);
	ptdma_master(vfio.ptdma, 0, 0);
	ck_assert_uint_eq(command(&vfio), before);
	set_command(&vfio, before | MASTER);
	ck_assert_int_eq(vfio.sys.close(vfio.device), 0);
	ck_assert(!ptdma_is_master(vfio.ptdma, 0) && machine_held().bus_masters == 0);
	vfio_detach(&vfio);
	vfio_attach(&vfio, (struct ptdma_sys_how){.master_lost_config = 1, .reset_error = -EIO});
	set_command(&vfio, command(&vfio) | MASTER);
	ck_assert(!(command(&vfio) & MASTER) && !ptdma_is_master(vfio.ptdma, 0));
	ck_assert_int_eq(vfio_control(&vfio, vfio.device, VFIO_DEVICE_RESET, NULL), -EIO);
	vfio_detach(&vfio);
}
END_TEST

START_TEST(vfio_maps)
{
	struct vfio vfio;
	char *memory;

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	memory = vfio.memory;
	ck_assert_int_eq(vfio_map(&vfio, 0x10000, memory, 4 * 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x14000, memory + 4096, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x13000, memory, 4096), -EEXIST);
	ck_assert_int_eq(vfio_map(&vfio, 0xf000, memory, 8 * 4096), -EEXIST);
	ck_assert_int_eq(vfio_map(&vfio, 0xf000, memory, 4096), 0);
	ck_assert(machine_held().mappings == 3 && machine_held().pinned_pages == 6 &&
		  machine_held().map_calls == 5);
	ck_assert(ptdma_sys_pinned(memory + 3 * 4096 + 1, 1));
	ck_assert(!ptdma_sys_pinned(memory + 4 * 4096, 4096));
	/* No mapping is cut. */
	ck_assert_int_eq(vfio_unmap(&vfio, 0x10000, 4096), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x11000, 0x4000), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x10000, 0x5000), 5 * 4096);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x10000, 0x5000), 0);
	ck_assert(machine_held().mappings == 1 && machine_held().unmap_calls == 4);
	ck_assert(!ptdma_sys_pinned(memory + 4096, 63 * 4096));
	ck_assert_int_eq(vfio.sys.close(vfio.device), 0);
	ck_assert_uint_eq(machine_held().mappings, 1);
	/* They go with the last group of the container. */
	ck_assert_int_eq(vfio.sys.close(vfio.group), 0);
	ck_assert(machine_held().mappings == 0 && machine_held().pinned_pages == 0);
	ck_assert_int_eq(vfio_map(&vfio, 0xf000, memory, 4096), -EINVAL);
	vfio_detach(&vfio);
}
END_TEST

START_TEST(vfio_maps_that_are_refused)
{
	struct vfio vfio;
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg) - 1, .flags = VFIO_BOTH};
	char *readable;

	vfio_attach(&vfio, (struct ptdma_sys_how){.memlock = 5 * 4096});
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_MAP_DMA, &arg), -EINVAL);
	arg = (struct vfio_iommu_type1_dma_map){
		.argsz = sizeof(arg), .vaddr = (uint64_t)(uintptr_t)vfio.memory, .size = 4096};
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_MAP_DMA, &arg), -EINVAL);
	arg.flags = 8;
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_MAP_DMA, &arg), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 0), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 100), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0x1001, vfio.memory, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory + 1, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, UINT64_MAX - 4095, vfio.memory, 8192), -EINVAL);
	/* The windows of interrupts and of HyperTransport. */
	ck_assert_int_eq(vfio_map(&vfio, 0xfee00000, vfio.memory, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0xfedff000, vfio.memory, 8192), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0xfd00000000, vfio.memory, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0xfffffff000, vfio.memory, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0xfedff000, vfio.memory, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x10000000000, vfio.memory, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 4 * 4096), -ENOMEM);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 3 * 4096), 0);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x1000, 3 * 4096), 3 * 4096);
	readable = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, readable, 4096), -EFAULT);
	munmap(readable, 4096);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, readable, 4096), -EFAULT);
	munmap(readable + 4096, 4096);
	ck_assert_uint_eq(machine_held().pinned_pages, 2);
	vfio_detach(&vfio);
}
END_TEST

START_TEST(vfio_unmaps_that_are_refused)
{
	struct vfio vfio;
	struct vfio_iommu_type1_dma_unmap arg = {.argsz = sizeof(arg) - 1};

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_UNMAP_DMA, &arg), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x1000, 0), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x1000, 100), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, 0x1100, 4096), -EINVAL);
	ck_assert_int_eq(vfio_unmap(&vfio, UINT64_MAX - 4095, 8192), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x20000000000, vfio.memory, 4096), 0);
	arg = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(arg), .flags = VFIO_DMA_UNMAP_FLAG_ALL, .size = 4096};
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_UNMAP_DMA, &arg), -EINVAL);
	arg.size = 0;
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_UNMAP_DMA, &arg), 0);
	ck_assert(arg.size == 8192 && machine_held().mappings == 0);
	vfio_detach(&vfio);
	vfio_attach(&vfio, (struct ptdma_sys_how){.map_error = -ENOSPC});
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 4096), -ENOSPC);
	vfio_detach(&vfio);
}
END_TEST

/* The ranges that may be mapped, by the chain of capabilities. */
static size_t read_ranges(const struct vfio *vfio, uint64_t (*ranges)[2], uint32_t *available)
{
	char buffer[256] = {0};
	struct vfio_iommu_type1_info info = {.argsz = 16};
	size_t count = 0;

	ck_assert_int_eq(vfio_control(vfio, vfio->container, VFIO_IOMMU_GET_INFO, &info), 0);
	ck_assert_uint_gt(info.argsz, sizeof(info));
	ck_assert_uint_le(info.argsz, sizeof(buffer));
	memcpy(buffer, &info, sizeof(info));
	ck_assert_int_eq(vfio_control(vfio, vfio->container, VFIO_IOMMU_GET_INFO, buffer), 0);
	memcpy(&info, buffer, sizeof(info));
	ck_assert_uint_eq(info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	ck_assert(info.iova_pgsizes & 4096);
	for (uint32_t at = info.cap_offset, next; at; at = next) {
		struct vfio_info_cap_header header;

		memcpy(&header, buffer + at, sizeof(header));
		next = header.next;
		if (header.id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
			memcpy(available, buffer + at + sizeof(header), 4);
		if (header.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		memcpy(&count, buffer + at + sizeof(header), 4);
		memcpy(ranges, buffer + at + 16, count * 16);
	}
	return count;
}

START_TEST(vfio_ranges)
{
	static const uint64_t expected[3][2] = {
		{0, 0xfedfffff}, {0xfef00000, 0xfcffffffff}, {0x10000000000, UINT64_MAX}};
	struct vfio vfio;
	uint64_t ranges[3][2];
	uint32_t available = 0;

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	ck_assert_uint_eq(read_ranges(&vfio, ranges, &available), 3);
	ck_assert_int_eq(memcmp(ranges, expected, sizeof(ranges)), 0);
	ck_assert_uint_eq(available, 65535);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory, 4096), 0);
	read_ranges(&vfio, ranges, &available);
	ck_assert_uint_eq(available, 65534);
	vfio_detach(&vfio);
	vfio_attach(&vfio, (struct ptdma_sys_how){.no_user_iova = 1});
	ck_assert_uint_eq(read_ranges(&vfio, ranges, &available), 2);
	ck_assert(ranges[1][0] == 0xfef00000 && ranges[1][1] == 0xffffffff);
	ck_assert_int_eq(vfio_map(&vfio, 0x100000000, vfio.memory, 4096), -EINVAL);
	ck_assert_int_eq(vfio_map(&vfio, 0xfffff000, vfio.memory, 4096), 0);
	vfio_detach(&vfio);
}
END_TEST

/* All that there may be. */
START_TEST(vfio_most_mappings)
{
	struct vfio vfio;

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	for (uint64_t i = 0; i < 65535; i++)
		ck_assert_int_eq(vfio_map(&vfio, (i * 40503 % 65536) << 12, vfio.memory, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x20000000000, vfio.memory, 4096), -ENOSPC);
	ck_assert_int_eq(vfio_unmap(&vfio, 0, 65536ull << 12), 65535 * 4096);
	vfio_detach(&vfio);
}
END_TEST

/* The registers of the first function, for what is written in ptdma_desk.h. */
static void map_registers(const struct vfio *vfio, struct ptdma_desk *desk)
{
	uint64_t at;

	ck_assert_int_eq(vfio->sys.map_device(vfio->device, (off_t)2 << 40, 512 << 10, &at), 0);
	*desk = (struct ptdma_desk){.ptdma = vfio->ptdma,
				    .registers = (volatile unsigned char *)(uintptr_t)at};
}

/* One descriptor in a ring of two at this address. */
static void copy_by_ring(const struct ptdma_desk *desk, void *ring, uint64_t bus,
			 const uint64_t *addresses)
{
	uint32_t words[8] = {0x00500012,
			     4096,
			     (uint32_t)addresses[0],
			     (uint32_t)(addresses[0] >> 32),
			     (uint32_t)addresses[1],
			     (uint32_t)(addresses[1] >> 32)};

	memcpy(ring, words, sizeof(words));
	pd_write(desk, PD_CONTROL, 0);
	pd_write(desk, PD_HEAD, (uint32_t)bus);
	pd_write(desk, PD_TAIL, (uint32_t)bus + 32);
	pd_write(desk, PD_CONTROL, (uint32_t)(bus >> 32) << 16 | 1);
}

/* What is mapped is reached, and nothing else is; nor what may only be read. */
START_TEST(vfio_copies)
{
	struct vfio vfio;
	struct ptdma_desk desk;
	const uint64_t ring = 0x123400000000, user = 0x7e0000000000;
	const uint64_t good[2] = {user + 4096, 0x1000}, wrong[2] = {user, 0x2000};
	const uint64_t unwritable[2] = {user, 0x5000};
	struct vfio_iommu_type1_dma_map readable = {.argsz = sizeof(readable),
						    .flags = VFIO_DMA_MAP_FLAG_READ,
						    .iova = 0x5000,
						    .size = 4096};

	vfio_attach(&vfio, (struct ptdma_sys_how){0});
	map_registers(&vfio, &desk);
	memset(vfio.memory, 7, 8 * 4096);
	memset(vfio.memory + 2 * 4096, 9, 4096);
	set_command(&vfio, command(&vfio) | MASTER);
	ck_assert_int_eq(vfio_map(&vfio, ring, vfio.memory, 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, user, vfio.memory + 4096, 2 * 4096), 0);
	ck_assert_int_eq(vfio_map(&vfio, 0x1000, vfio.memory + 3 * 4096, 4096), 0);
	copy_by_ring(&desk, vfio.memory, ring, good);
	ck_assert(pd_wait(&desk, PD_HEAD, 0xffffffff, (uint32_t)ring + 32));
	ck_assert(vfio.memory[3 * 4096] == 9 && vfio.memory[4 * 4096 - 1] == 9);
	ck_assert(vfio.memory[4 * 4096] == 7 && pd_counts(&desk).faults == 0);
	copy_by_ring(&desk, vfio.memory, ring, wrong);
	ck_assert(pd_wait(&desk, PD_CONTROL, 2, 2));
	ck_assert(pd_read(&desk, PD_STATUS) == 38 && pd_counts(&desk).faults == 1);
	readable.vaddr = (uint64_t)(uintptr_t)vfio.memory + 4096 * 5;
	ck_assert_int_eq(vfio_control(&vfio, vfio.container, VFIO_IOMMU_MAP_DMA, &readable), 0);
	copy_by_ring(&desk, vfio.memory, ring, unwritable);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(pd_counts(&desk).faults == 2 && vfio.memory[5 * 4096] == 7);
	/* Nor what was mapped. */
	ck_assert_int_eq(vfio_unmap(&vfio, 0x1000, 4096), 4096);
	memset(vfio.memory + 3 * 4096, 0, 4096);
	copy_by_ring(&desk, vfio.memory, ring, good);
	ck_assert(pd_wait(&desk, PD_CONTROL, 3, 2));
	ck_assert(pd_counts(&desk).faults == 3 && vfio.memory[3 * 4096] == 0);
	vfio.sys.unmap((uint64_t)(uintptr_t)desk.registers, 512 << 10);
	vfio_detach(&vfio);
}
END_TEST

static const TTest *const *const tests[] = {&vfio_containers_and_groups,
					    &vfio_device,
					    &vfio_bus_mastering,
					    &vfio_maps,
					    &vfio_maps_that_are_refused,
					    &vfio_unmaps_that_are_refused,
					    &vfio_ranges,
					    &vfio_most_mappings,
					    &vfio_copies,
					    NULL};
const struct report_group model_ptdma_vfio_group = {"model_ptdma_vfio", tests};
