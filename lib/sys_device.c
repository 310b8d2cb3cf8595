/* SPDX-License-Identifier: MIT */
/* sys_device.c - registers of devices, who may use them, and memory that stays where it is. */
#include "sys_device.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int bm_device_map(int fd, off_t offset, size_t length, uint64_t *addr)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (at == MAP_FAILED)
		return -errno;
	*addr = (uint64_t)(uintptr_t)at;
	return 0;
}

int bm_device_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

/*
 * A registered buffer is pinned for long (FOLL_LONGTERM): it is neither
 * migrated nor reclaimed, what mlock(2) does not prevent. Not by liburing: that
 * maps rings, and none is used.
 */
int bm_device_pinner(void)
{
	struct io_uring_params params = {0};
	long fd = syscall(SYS_io_uring_setup, 1, &params);

	return fd < 0 ? -errno : (int)fd;
}

int bm_device_pin(uint64_t addr, size_t length)
{
	struct iovec buffer = {(void *)(uintptr_t)addr, length};
	int fd = bm_device_pinner(), rc;

	if (fd < 0)
		return fd;
	if (syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buffer, 1) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}
