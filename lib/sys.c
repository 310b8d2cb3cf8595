/* SPDX-License-Identifier: MIT */
/* sys.c - the system calls of the library on Linux, and readers of small files. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys_event.h"
#include "sys_device.h"
#include "sys_portal.h"
#include "sys_raw.h"
#include "sys_reach.h"
#include "sys_thread.h"

/* Linux caps a read at about 2 GiB; nothing read here comes near. */
#define LIST_BYTES 4096
/* Room for 16384 CPUs, twice what any Linux configuration allows. */
#define AFFINITY_WORDS (16384 / (8 * sizeof(unsigned long)))

static long result(long rc)
{
	return rc < 0 ? -errno : rc;
}

/* Not by the C library, where it is a point of cancellation. */
static int linux_msync(uint64_t addr, size_t length, int flags)
{
	return (int)result(syscall(SYS_msync, addr, length, flags));
}

static int linux_mincore(uint64_t addr, size_t length, unsigned char *resident)
{
	return (int)result(mincore((void *)(uintptr_t)addr, length, resident));
}

static ssize_t linux_vm_readv(pid_t pid, const struct iovec *local, const struct iovec *remote,
			      size_t count)
{
	return result(process_vm_readv(pid, local, 1, remote, count, 0));
}

static long linux_mbind(uint64_t addr, size_t length, int mode, const unsigned long *mask,
			unsigned long maxnode, unsigned int flags)
{
	return result(syscall(SYS_mbind, addr, length, mode, mask, maxnode, flags));
}

static long linux_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode)
{
	return result(syscall(SYS_set_mempolicy, mode, mask, maxnode));
}

static long linux_get_mempolicy(int *mode, unsigned long *mask, unsigned long maxnode,
				uint64_t addr, unsigned long flags)
{
	return result(syscall(SYS_get_mempolicy, mode, mask, maxnode, addr, flags));
}

static long linux_userfaultfd(int flags)
{
	return result(syscall(SYS_userfaultfd, flags));
}

static int linux_open(const char *path, int flags)
{
	return (int)result(open(path, flags | O_CLOEXEC, 0666));
}

static int linux_close(int fd)
{
	return (int)result(close(fd));
}

static int linux_unlink(const char *path)
{
	return (int)result(unlink(path));
}

static int linux_rename(const char *from, const char *to)
{
	return (int)result(rename(from, to));
}

/* An entry of getdents64(2). */
struct entry {
	uint64_t inode, next;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct names {
	char *buffer;
	size_t size, used;
};

static int add_names(struct names *names, const char *entries, long length)
{
	const struct entry *entry;

	for (long at = 0; at < length; at += entry->length) {
		size_t bytes;

		entry = (const void *)(entries + at);
		bytes = strlen(entry->name) + 1;
		if (entry->name[0] == '.')
			continue;
		if (bytes > names->size - names->used)
			return -ENOBUFS;
		memcpy(names->buffer + names->used, entry->name, bytes);
		names->used += bytes;
	}
	return 0;
}

/* Not by readdir(3), whose memory is on the heap: see sys_reach.h. */
static ssize_t linux_list(const char *path, char *buffer, size_t size)
{
	_Alignas(struct entry) char entries[LIST_BYTES];
	struct names names = {buffer, size, 0};
	int fd = linux_open(path, O_RDONLY | O_DIRECTORY), rc = 0;
	long got = 0;

	if (fd < 0)
		return fd;
	while (rc == 0 && (got = result(syscall(SYS_getdents64, fd, entries, LIST_BYTES))) > 0)
		rc = add_names(&names, entries, got);
	linux_close(fd);
	rc = got < 0 ? (int)got : rc;
	return rc < 0 ? rc : (ssize_t)names.used;
}

static ssize_t linux_readlink(const char *path, char *buffer, size_t size)
{
	return result(readlink(path, buffer, size));
}

static int linux_access(const char *path, int mode)
{
	return (int)result(access(path, mode));
}

static const char *linux_getenv(const char *name)
{
	return secure_getenv(name);
}

/* Wiped also by a raw clone(2), and read without a system call. */
static volatile unsigned char *linux_fork_marker(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, size, MADV_WIPEONFORK) < 0) {
		munmap(page, size);
		return NULL;
	}
	*page = 1;
	return page;
}

static void linux_fork_marker_free(volatile unsigned char *marker)
{
	munmap((void *)(uintptr_t)marker, (size_t)sysconf(_SC_PAGESIZE));
}

static long linux_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static int linux_cpus(void)
{
	unsigned long mask[AFFINITY_WORDS] = {0};
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	int cpus = 0;

	for (long i = 0; i < bytes / (long)sizeof(mask[0]); i++)
		cpus += __builtin_popcountl(mask[i]);
	return cpus > 0 ? cpus : 1;
}

static uint64_t linux_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void linux_sleep_us(uint64_t us)
{
	struct timespec left = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000) * 1000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

static void *linux_alloc(size_t count, size_t size)
{
	return calloc(count, size);
}

static int linux_map(size_t length, int shared, uint64_t *addr)
{
	int flags = MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE);
	void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (start == MAP_FAILED)
		return -errno;
	*addr = (uint64_t)(uintptr_t)start;
	return 0;
}

static int linux_unmap(uint64_t addr, size_t length)
{
	return (int)result(munmap((void *)(uintptr_t)addr, length));
}

static int linux_mlock(uint64_t addr, size_t length, int lock)
{
	void *start = (void *)(uintptr_t)addr;

	return (int)result(lock ? mlock2(start, length, MLOCK_ONFAULT) : munlock(start, length));
}

static int linux_at_exit(void (*run)(void))
{
	return atexit(run) == 0 ? 0 : -ENOMEM;
}

static int linux_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return -pthread_atfork(prepare, parent, child);
}

const struct bm_sys bm_sys_linux = {
	.move_pages = bm_reach_move_pages,
	.mbind = linux_mbind,
	.set_mempolicy = linux_set_mempolicy,
	.get_mempolicy = linux_get_mempolicy,
	.userfaultfd = linux_userfaultfd,
	.msync = linux_msync,
	.mincore = linux_mincore,
	.vm_readv = linux_vm_readv,
	.open = linux_open,
	.close = linux_close,
	.ioctl = bm_raw_ioctl,
	.read = bm_reach_read,
	.write = bm_reach_write,
	.rename = linux_rename,
	.unlink = linux_unlink,
	.pread = bm_reach_pread,
	.list = linux_list,
	.readlink = linux_readlink,
	.access = linux_access,
	.getenv = linux_getenv,
	.getpid = getpid,
	.fork_marker = linux_fork_marker,
	.fork_marker_free = linux_fork_marker_free,
	.page_size = linux_page_size,
	.cpus = linux_cpus,
	.affinity = bm_raw_affinity,
	.set_affinity = bm_raw_set_affinity,
	.cpu = bm_raw_cpu,
	.now_ns = linux_now_ns,
	.sleep_us = linux_sleep_us,
	.alloc = linux_alloc,
	.memory = malloc,
	.thread_start = bm_thread_start,
	.thread_block = bm_thread_block,
	.switches = bm_thread_switches,
	.event_dup = bm_event_dup,
	.event_signal = bm_event_signal,
	.map = linux_map,
	.unmap = linux_unmap,
	.mlock = linux_mlock,
	.map_portal = bm_portal_map,
	.map_device = bm_device_map,
	.lock_file = bm_device_lock,
	.pinner = bm_device_pinner,
	.pin = bm_device_pin,
	.cpu_facts = bm_portal_cpu_facts,
	.at_exit = linux_at_exit,
	.at_fork = linux_at_fork,
	.madvise = bm_raw_madvise,
	.residency = bm_raw_residency,
	.futex_wait = bm_raw_futex_wait,
	.futex_wake = bm_raw_futex_wake,
	.signals_block = bm_raw_signals_block,
	.signals_restore = bm_raw_signals_restore,
	.read_raw = bm_raw_read,
	.write_raw = bm_raw_write,
	.pread_raw = bm_raw_pread,
	.pwrite_raw = bm_raw_pwrite,
	.pin_buffers = bm_raw_pin_buffers,
	.unpin_buffers = bm_raw_unpin_buffers,
	.nodes_raw = bm_raw_nodes,
	.movdir64b = bm_portal_movdir64b,
	.enqcmd = bm_portal_enqcmd,
	.umwait = bm_portal_umwait,
	.poll = bm_raw_poll,
	.close_raw = bm_raw_close,
	.remap_call = bm_raw_remap_call,
	.keep_only = bm_raw_keep_only,
	.yield = bm_raw_yield,
	.abort = bm_raw_abort,
};
