/* SPDX-License-Identifier: MIT */
/* pci_scene_memory.c - memory, registers, frames, and pins by io_uring. */
#include <sys/mman.h>

#include "pci_scene.h"

static _Alignas(4096) unsigned char registers[4 * PCI_PAGE];

/* ---------------------------------------------------------------- frames */

static uint64_t frame_of(uint64_t page, int is_pinned)
{
	uint64_t together = pci.frames_together;
	uint64_t frame = PCI_FRAME + page / together * 2 * together + page % together;

	return is_pinned ? frame : frame + (UINT64_C(1) << 40);
}

static int is_pinned(uint64_t addr)
{
	for (size_t side = 0; side < PCI_PINNERS; side++)
		for (size_t i = 0; i < pci.pinned_count[side]; i++)
			if (addr - (uint64_t)(uintptr_t)pci.pinned[side][i].iov_base <
			    pci.pinned[side][i].iov_len)
				return 1;
	return 0;
}

ssize_t pci_read_frames(uint64_t *entries, size_t size, off_t offset)
{
	ck_assert_uint_eq((uint64_t)offset % 8 + size % 8, 0);
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t page = (uint64_t)offset / 8 + i;

		entries[i] = UINT64_C(1) << 63 | UINT64_C(1) << 61 |
			     frame_of(page, is_pinned(page * PCI_PAGE));
		if (pci.frames_error == -EFAULT)
			entries[i] = 0;
		if (pci.frames_error == -EPERM)
			entries[i] = UINT64_C(1) << 63;
	}
	return pci.frames_error == -EIO ? (ssize_t)size - 8 : (ssize_t)size;
}

/* ---------------------------------------------------------------- memory */

static int scene_map_device(int fd, off_t offset, size_t length, uint64_t *addr)
{
	int rc;

	if (pci_fails(&rc))
		return rc;
	switch (pci_fds[fd].kind) {
	case PCI_DEVICE:
		ck_assert_uint_eq((uint64_t)offset, UINT64_C(2) << 40);
		break;
	case PCI_UIO: /* the second map: see pci_scene_files.c */
		ck_assert_uint_eq((uint64_t)offset, PCI_PAGE);
		break;
	default:
		ck_assert_int_eq(pci_fds[fd].kind, PCI_RESOURCE);
		ck_assert_uint_eq((uint64_t)offset, 0);
	}
	ck_assert_uint_eq(length, PCI_PAGE);
	pci.registers++;
	*addr = (uint64_t)(uintptr_t)registers;
	memcpy(registers, pci.bar, PCI_PAGE);
	pci_step('M');
	return 0;
}

static int scene_map(size_t length, int shared, uint64_t *addr)
{
	void *at;
	int rc;

	if (pci_fails(&rc))
		return rc;
	at = mmap(NULL, length, PROT_READ | PROT_WRITE,
		  MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	pci.mapped += (long)length;
	*addr = (uint64_t)(uintptr_t)at;
	return 0;
}

static int scene_unmap(uint64_t addr, size_t length)
{
	if (addr == (uint64_t)(uintptr_t)registers) {
		ck_assert_uint_eq(length, PCI_PAGE);
		pci.registers--;
		return 0;
	}
	ck_assert_int_eq(munmap((void *)(uintptr_t)addr, length), 0);
	pci.mapped -= (long)length;
	return 0;
}

static int scene_madvise(uint64_t addr, size_t length, int advice)
{
	int rc;

	if (advice != MADV_HUGEPAGE && pci_fails(&rc))
		return rc;
	ck_assert_uint_eq(addr % PCI_PAGE + length % PCI_PAGE, 0);
	return 0;
}

static void *scene_alloc(size_t count, size_t size)
{
	int rc;

	return pci_fails(&rc) ? NULL : calloc(count, size);
}

static void *env_memory(const struct bm_sys *sys, size_t size)
{
	size_t whole = (size + PCI_PAGE - 1) / PCI_PAGE * PCI_PAGE;
	void *at;
	int rc;

	(void)sys;
	if (pci_fails(&rc))
		return NULL;
	at = aligned_alloc(PCI_PAGE, whole);
	ck_assert_ptr_nonnull(at);
	memset(at, 0, whole);
	pci.memory += (long)size;
	return at;
}

static void env_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	pci.memory -= (long)size;
	free(memory);
}

/* ---------------------------------------------------------------- pins by io_uring */

static int scene_pinner(void)
{
	int taken[PCI_PINNERS] = {0}, side = 0, fd, rc;

	if (pci_fails(&rc))
		return rc;
	for (int i = 0; i < PCI_FDS; i++)
		if (pci_fds[i].kind == PCI_PINNER)
			taken[pci_fds[i].side] = 1;
	while (side < PCI_PINNERS - 1 && taken[side])
		side++;
	ck_assert(!taken[side]);
	fd = pci_new_fd(PCI_PINNER);
	pci_fds[fd].side = side;
	return fd;
}

static int scene_pin_buffers(int pinner, const struct iovec *buffers, size_t count)
{
	int side = pci_fds[pinner].side, rc;

	ck_assert_int_eq(pci_fds[pinner].kind, PCI_PINNER);
	ck_assert_uint_gt(count, 0);
	pci.pin_calls++;
	if (pci_fails(&rc))
		return rc;
	if (pci.pin_error)
		return pci.pin_error;
	if (pci.pinned_count[side])
		return -EBUSY;
	ck_assert_uint_le(count, PCI_MAPS);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_le(buffers[i].iov_len, (size_t)1 << 30);
	memcpy(pci.pinned[side], buffers, count * sizeof(*buffers));
	pci.pinned_count[side] = count;
	return 0;
}

static int scene_unpin_buffers(int pinner)
{
	int side = pci_fds[pinner].side;

	pci.unpin_calls++;
	ck_assert_int_eq(pci.pid, 100);
	if (pci.unpin_errors > 0) {
		pci.unpin_errors--;
		return pci.unpin_error;
	}
	if (!pci.pinned_count[side])
		return -ENXIO;
	pci.pinned_count[side] = 0;
	return 0;
}

size_t pci_pinned_all(void)
{
	size_t count = 0;

	for (size_t i = 0; i < PCI_PINNERS; i++)
		count += pci.pinned_count[i];
	return count;
}

void pci_memory_calls(void)
{
	pci.sys.map = scene_map;
	pci.sys.unmap = scene_unmap;
	pci.sys.map_device = scene_map_device;
	pci.sys.pinner = scene_pinner;
	pci.sys.madvise = scene_madvise;
	pci.sys.alloc = scene_alloc;
	pci.sys.pin_buffers = scene_pin_buffers;
	pci.sys.unpin_buffers = scene_unpin_buffers;
	pci.env.memory = env_memory;
	pci.env.memory_end = env_memory_end;
}
