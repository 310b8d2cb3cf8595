/* SPDX-License-Identifier: MIT */
/*
 * sys_reach.h - the system calls that are given memory of the heap.
 *
 * Other batches move the heap, too. Who may use userfaultfd(2) for user mode
 * only (quiet=strict without privilege) then gets EFAULT from the kernel where
 * it would wait itself: so it waits, and calls again. Never with a window open,
 * and never by the thread that ends windows.
 */
#ifndef BM_SYS_REACH_H
#define BM_SYS_REACH_H

#include "sys.h"

long bm_reach_move_pages(pid_t pid, size_t count, void *const *pages, const int *nodes, int *status,
			 int flags);
ssize_t bm_reach_read(int fd, void *buffer, size_t size);
ssize_t bm_reach_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t bm_reach_write(int fd, const void *buffer, size_t size);

#endif
