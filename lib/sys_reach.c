/* SPDX-License-Identifier: MIT */
/* sys_reach.c - calls again after EFAULT, when the memory is there. */
#include "sys_reach.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It may be taken away once more before the call: each time for a window. */
#define TRIES 100

static long result(long rc)
{
	return rc < 0 ? -errno : rc;
}

/* Waits where a page is out of reach. */
static void touch(const void *memory, size_t size)
{
	const volatile char *byte = memory;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t at = 0; byte && at < size; at += page)
		(void)byte[at];
	if (byte && size)
		(void)byte[size - 1];
}

long bm_reach_move_pages(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
			 int flags)
{
	long rc = -EFAULT;

	for (int i = 0; rc == -EFAULT && i < TRIES; i++) {
		rc = result(syscall(SYS_move_pages, pid, count, pages, nodes, status, flags));
		if (rc != -EFAULT)
			break;
		touch(pages, count * sizeof(*pages));
		touch(nodes, count * sizeof(*nodes));
		touch(status, count * sizeof(*status));
	}
	/* Of a process that has given up its memory already: a zombie, a kernel thread. */
	return pid != 0 && rc == -EINVAL ? -ESRCH : rc;
}

ssize_t bm_reach_read(int fd, void *buffer, size_t size)
{
	ssize_t got = result(read(fd, buffer, size));

	for (int i = 0; got == -EFAULT && i < TRIES; i++) {
		touch(buffer, size);
		got = result(read(fd, buffer, size));
	}
	return got;
}

ssize_t bm_reach_pread(int fd, void *buffer, size_t size, off_t offset)
{
	ssize_t got = result(pread(fd, buffer, size, offset));

	for (int i = 0; got == -EFAULT && i < TRIES; i++) {
		touch(buffer, size);
		got = result(pread(fd, buffer, size, offset));
	}
	return got;
}

ssize_t bm_reach_write(int fd, const void *buffer, size_t size)
{
	ssize_t done = result(write(fd, buffer, size));

	for (int i = 0; done == -EFAULT && i < TRIES; i++) {
		touch(buffer, size);
		done = result(write(fd, buffer, size));
	}
	return done;
}
