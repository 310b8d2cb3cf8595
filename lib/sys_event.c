/* SPDX-License-Identifier: MIT */
/* sys_event.c - duplicates of eventfds, so that the caller may close his. */
#include "sys_event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0 where the link says that it is something else; without /proc it is believed. */
static int may_be_event(int fd)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return 1;
	target[length] = '\0';
	return strcmp(target, "anon_inode:[eventfd]") == 0;
}

int bm_event_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	/* EINVAL: the limit is so low that even 3 is beyond it. */
	if (copy < 0)
		return errno == EINVAL ? -EMFILE : -errno;
	if (may_be_event(copy))
		return copy;
	close(copy);
	return -EBADF;
}

/* A counter that is full, which a blocking write would wait for, is readable already. */
void bm_event_signal(int fd)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	uint64_t one = 1;

	/* Not by the C library, where both are points of cancellation. */
	if (syscall(SYS_ppoll, &room, 1, &(struct timespec){0}, NULL, 0) == 1)
		(void)syscall(SYS_write, fd, &one, sizeof(one));
}
