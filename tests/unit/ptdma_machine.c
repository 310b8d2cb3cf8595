/* SPDX-License-Identifier: MIT */
/* ptdma_machine.c - a machine with a software PTDMA and an AE4DMA, and a user of it. */
#include "ptdma_machine.h"

#include <check.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>

#define PRESENT (UINT64_C(1) << 63)

static const struct ptdma_config two_functions[2] = {{.node = 1}, {.ae4 = 1, .node = -1}};

void uio_use(struct uio *uio, struct ptdma_sys_how how)
{
	*uio = (struct uio){.sys = bm_sys_linux};
	how.driver = PTDMA_UIO_PCI;
	uio->ptdma = ptdma_sys_use(&uio->sys, two_functions, 2, &how, 1);
	uio->mapped = mmap(NULL, 3 * UIO_BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	ck_assert_ptr_ne(uio->mapped, MAP_FAILED);
	uio->memory = (char *)(((uintptr_t)uio->mapped + UIO_BLOCK - 1) / UIO_BLOCK * UIO_BLOCK);
	memset(uio->memory, 5, 2 * UIO_BLOCK);
	uio->pagemap = uio->sys.open("/proc/self/pagemap", O_RDONLY);
	uio->pinner = uio->sys.pinner();
	ck_assert(uio->pagemap >= 1 << 21 && uio->pinner >= 1 << 21);
}

void uio_end(struct uio *uio)
{
	munmap(uio->mapped, 3 * UIO_BLOCK);
	ptdma_sys_end();
}

struct ptdma_sys_held machine_held(void)
{
	struct ptdma_sys_held count;

	ptdma_sys_count(&count);
	return count;
}

uint64_t uio_frame(const struct uio *uio, const void *at)
{
	uint64_t entry = 0;
	off_t offset = (off_t)((uintptr_t)at / 4096 * 8);

	ck_assert_int_eq(uio->sys.pread_raw(uio->pagemap, &entry, 8, offset), 8);
	ck_assert(entry & PRESENT);
	return entry & ((UINT64_C(1) << 55) - 1);
}

int uio_pin(const struct uio *uio, int pinner, void *at, size_t length)
{
	struct iovec buffer = {at, length};

	return uio->sys.pin_buffers(pinner, &buffer, 1);
}

void vfio_use(struct vfio *vfio, struct ptdma_sys_how how)
{
	*vfio = (struct vfio){.sys = bm_sys_linux};
	how.driver = PTDMA_VFIO_PCI;
	vfio->ptdma = ptdma_sys_use(&vfio->sys, two_functions, 2, &how, 1);
	vfio->memory =
		mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(vfio->memory, MAP_FAILED);
}

int vfio_control(const struct vfio *vfio, int fd, unsigned long request, void *arg)
{
	return vfio->sys.ioctl(fd, request, arg);
}

void *vfio_number(long value)
{
	return (void *)(intptr_t)value;
}

void vfio_attach(struct vfio *vfio, struct ptdma_sys_how how)
{
	char name[] = "0000:01:00.2";

	vfio_use(vfio, how);
	vfio->container = vfio->sys.open("/dev/vfio/vfio", O_RDWR);
	vfio->group = vfio->sys.open("/dev/vfio/21", O_RDWR);
	ck_assert(vfio->container >= 1 << 21 && vfio->group >= 1 << 21);
	ck_assert_int_eq(
		vfio_control(vfio, vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container), 0);
	ck_assert_int_eq(vfio_control(vfio, vfio->container, VFIO_SET_IOMMU,
				      vfio_number(VFIO_TYPE1v2_IOMMU)),
			 0);
	vfio->device = vfio_control(vfio, vfio->group, VFIO_GROUP_GET_DEVICE_FD, name);
	ck_assert_int_ge(vfio->device, 1 << 21);
}

void vfio_detach(struct vfio *vfio)
{
	munmap(vfio->memory, 64 * 4096);
	ptdma_sys_end();
}

int vfio_map(const struct vfio *vfio, uint64_t iova, const void *at, size_t size)
{
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg),
					       .flags = VFIO_BOTH,
					       .vaddr = (uint64_t)(uintptr_t)at,
					       .iova = iova,
					       .size = size};

	return vfio_control(vfio, vfio->container, VFIO_IOMMU_MAP_DMA, &arg);
}

int64_t vfio_unmap(const struct vfio *vfio, uint64_t iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {.argsz = sizeof(arg), .iova = iova, .size = size};
	int rc = vfio_control(vfio, vfio->container, VFIO_IOMMU_UNMAP_DMA, &arg);

	return rc ? rc : (int64_t)arg.size;
}
