/* SPDX-License-Identifier: MIT */
/*
 * dsa_memory.c - the address space that the device works in.
 *
 * In this process it is plain memory, unless dsa_set_process() has named a
 * process: then the kernel copies, and a page that is not there or must not be
 * written is a fault of the device, not of the process.
 */
#include "dsa_device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

void dsa_allow(struct dsa *dsa, const void *start, size_t length)
{
	size_t count;

	pthread_mutex_lock(&dsa->lock);
	count = dsa->ranges_count;
	if (count == DSA_RANGES_MOST)
		abort();
	dsa->ranges[count].start = (uint64_t)(uintptr_t)start;
	dsa->ranges[count].end = (uint64_t)(uintptr_t)start + length;
	atomic_store_explicit(&dsa->ranges_count, count + 1, memory_order_release);
	pthread_mutex_unlock(&dsa->lock);
}

void dsa_set_process(struct dsa *dsa, pid_t pid)
{
	pthread_mutex_lock(&dsa->lock);
	dsa->pid = pid;
	pthread_mutex_unlock(&dsa->lock);
}

/* Up to where the range goes on that this address is in; 0: in none. */
static uint64_t range_end(const struct dsa *dsa, size_t count, uint64_t addr)
{
	for (size_t i = 0; i < count; i++)
		if (addr >= dsa->ranges[i].start && addr < dsa->ranges[i].end)
			return dsa->ranges[i].end;
	return 0;
}

size_t dsa_reach(struct dsa *dsa, uint64_t addr, size_t length)
{
	size_t count = atomic_load_explicit(&dsa->ranges_count, memory_order_acquire);
	uint64_t end, at = addr;

	if (!count)
		return length;
	while (at - addr < length && (end = range_end(dsa, count, at)) != 0)
		at = end;
	if (at - addr >= length)
		return length;
	atomic_fetch_add(&dsa->foreign, 1);
	return at - addr;
}

size_t dsa_load(struct dsa *dsa, void *to, uint64_t from, size_t length)
{
	size_t usable = dsa_reach(dsa, from, length);
	struct iovec local = {to, usable}, remote = {(void *)(uintptr_t)from, usable};
	ssize_t got;

	if (!dsa->pid) {
		memcpy(to, remote.iov_base, usable);
		return usable;
	}
	got = process_vm_readv(dsa->pid, &local, 1, &remote, 1, 0);
	return got < 0 ? 0 : (size_t)got;
}

size_t dsa_store(struct dsa *dsa, uint64_t to, const void *from, size_t length)
{
	size_t usable = dsa_reach(dsa, to, length);
	struct iovec local = {(void *)(uintptr_t)from, usable};
	struct iovec remote = {(void *)(uintptr_t)to, usable};
	ssize_t got;

	if (!dsa->pid) {
		memcpy(remote.iov_base, from, usable);
		return usable;
	}
	got = process_vm_writev(dsa->pid, &local, 1, &remote, 1, 0);
	return got < 0 ? 0 : (size_t)got;
}

static size_t move_by_kernel(struct dsa *dsa, uint64_t to, uint64_t from, size_t length, int *wrote)
{
	char bytes[DSA_PAGE];
	size_t loaded = dsa_load(dsa, bytes, from, length), stored;

	stored = dsa_store(dsa, to, bytes, loaded);
	*wrote = stored < loaded;
	return stored;
}

size_t dsa_move(struct dsa *dsa, uint64_t to, uint64_t from, size_t length, int *wrote)
{
	size_t readable, writable;

	if (dsa->pid)
		return move_by_kernel(dsa, to, from, length, wrote);
	readable = dsa_reach(dsa, from, length);
	writable = dsa_reach(dsa, to, readable);
	*wrote = writable < readable;
	memmove((void *)(uintptr_t)to, (const void *)(uintptr_t)from, writable);
	return writable;
}
