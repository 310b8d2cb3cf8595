/* SPDX-License-Identifier: MIT */
/* ptdma_sys.c - system calls of which some go to the model. */
#include "ptdma_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ptdma_table.h"

#define SPINS 100

/* A table of system calls has no argument of its own. */
static struct table *used;
static pthread_mutex_t in_child = PTHREAD_MUTEX_INITIALIZER;

/* In a child of a fork the table is still the parent's, and so are its functions. */
static int is_parents_table(void)
{
	return !*used->mark;
}

static int is_parents(int fd)
{
	if (fd < TABLE_FDS_FIRST || fd >= used->fds_first + TABLE_FDS_MOST)
		return 0;
	return fd < used->fds_first || is_parents_table();
}

/* A call on a descriptor of the parent is one on the parent's function: of the kernel's, too. */
static struct table_fd *find(int fd)
{
	static const char said[] = "a child of a fork uses functions of its parent\n";

	if (!is_parents(fd))
		return table_find(used, fd);
	used->base.write_raw(STDERR_FILENO, said, sizeof(said) - 1);
	abort();
}

void table_lock(struct table *table)
{
	uint32_t mine = atomic_fetch_add(&table->ticket, 1);

	for (unsigned int spins = 0; atomic_load(&table->serving) != mine; spins++)
		if (spins > SPINS)
			sched_yield();
}

void table_unlock(struct table *table)
{
	atomic_fetch_add(&table->serving, 1);
}

/*
 * The parent's thread reaches the parent's memory: a child gets another model, with a
 * thread of its own, as if these were other functions. Its descriptors have other
 * numbers, so that it is seen which ones are meant.
 */
static void use_own_functions(void)
{
	pthread_mutex_lock(&in_child);
	if (is_parents_table())
		used = table_of_child(used);
	pthread_mutex_unlock(&in_child);
}

static int model_open(const char *path, int flags)
{
	if (is_parents_table() && (table_is_ours(used, path) || table_is_pagemap(used, path)))
		use_own_functions();
	return table_open(used, path, flags);
}

static int model_close(int fd)
{
	struct table_fd *ours;

	/* What the parent has open stays so. */
	if (is_parents(fd))
		return 0;
	ours = find(fd);
	return ours ? table_close(used, ours) : used->base.close(fd);
}

static int model_close_raw(int fd)
{
	struct table_fd *ours;

	/* What the parent has open stays so. */
	if (is_parents(fd))
		return 0;
	ours = find(fd);
	return ours ? table_close(used, ours) : used->base.close_raw(fd);
}

static int model_ioctl(int fd, unsigned long request, void *arg)
{
	struct table_fd *ours = find(fd);

	return ours ? table_ioctl(used, ours, request, arg) : used->base.ioctl(fd, request, arg);
}

static ssize_t read_on(struct table_fd *fd, void *buffer, size_t size)
{
	ssize_t length = table_read_at(used, fd, buffer, size, fd->read);

	if (length > 0)
		fd->read += (size_t)length;
	return length;
}

static ssize_t model_read(int fd, void *buffer, size_t size)
{
	struct table_fd *ours = find(fd);

	return ours ? read_on(ours, buffer, size) : used->base.read(fd, buffer, size);
}

static ssize_t model_read_raw(int fd, void *buffer, size_t size)
{
	struct table_fd *ours = find(fd);

	return ours ? read_on(ours, buffer, size) : used->base.read_raw(fd, buffer, size);
}

static ssize_t model_pread(int fd, void *buffer, size_t size, off_t offset)
{
	const struct table_fd *ours = find(fd);

	return ours ? table_read_at(used, ours, buffer, size, (uint64_t)offset)
		    : used->base.pread(fd, buffer, size, offset);
}

static ssize_t model_pread_raw(int fd, void *buffer, size_t size, off_t offset)
{
	const struct table_fd *ours = find(fd);

	return ours ? table_read_at(used, ours, buffer, size, (uint64_t)offset)
		    : used->base.pread_raw(fd, buffer, size, offset);
}

static ssize_t model_write(int fd, const void *buffer, size_t size)
{
	const struct table_fd *ours = find(fd);

	return ours ? table_write_at(used, ours, buffer, size, 0)
		    : used->base.write(fd, buffer, size);
}

static ssize_t model_write_raw(int fd, const void *buffer, size_t size)
{
	const struct table_fd *ours = find(fd);

	return ours ? table_write_at(used, ours, buffer, size, 0)
		    : used->base.write_raw(fd, buffer, size);
}

static ssize_t model_pwrite_raw(int fd, const void *buffer, size_t size, off_t offset)
{
	const struct table_fd *ours = find(fd);

	return ours ? table_write_at(used, ours, buffer, size, (uint64_t)offset)
		    : used->base.pwrite_raw(fd, buffer, size, offset);
}

static ssize_t model_list(const char *path, char *buffer, size_t size)
{
	return table_is_ours(used, path) ? table_list(used, path, buffer, size)
					 : used->base.list(path, buffer, size);
}

static ssize_t model_readlink(const char *path, char *buffer, size_t size)
{
	char text[TABLE_TEXT_MOST];
	int length;

	if (!table_is_ours(used, path))
		return used->base.readlink(path, buffer, size);
	length = table_link(used, path, text, sizeof(text));
	if (length > (int)size)
		length = (int)size;
	if (length > 0)
		memcpy(buffer, text, (size_t)length);
	return length;
}

static int access_node(const char *path, int mode)
{
	if (table_node(used, path) < 0)
		return -ENOENT;
	if (mode != F_OK && (used->how.open_error == -EACCES || used->how.open_error == -EPERM))
		return used->how.open_error;
	return 0;
}

static int model_access(const char *path, int mode)
{
	char text[TABLE_TEXT_MOST];

	if (!table_is_ours(used, path))
		return used->base.access(path, mode);
	if (used->how.driver == PTDMA_VFIO_PCI && !strcmp(path, "/dev/vfio/vfio"))
		return 0;
	if (!strncmp(path, "/dev/", 5) && access_node(path, mode) != -ENOENT)
		return access_node(path, mode);
	if (table_text(used, path, text, sizeof(text)) >= 0 ||
	    table_link(used, path, text, sizeof(text)) >= 0 ||
	    table_list(used, path, text, sizeof(text)) != -ENOENT)
		return 0;
	return -ENOENT;
}

static int model_map_device(int fd, off_t offset, size_t length, uint64_t *addr)
{
	const struct table_fd *ours = find(fd);
	int file;

	if (!ours)
		return used->base.map_device(fd, offset, length, addr);
	file = table_bar_behind(used, ours, (uint64_t)offset, length);
	return file < 0 ? file : used->base.map_device(file, 0, length, addr);
}

static int model_lock_file(int fd)
{
	struct table_fd *ours = find(fd);

	if (!ours)
		return used->base.lock_file(fd);
	return ours->kind == TABLE_CLOSED ? -EBADF : table_lock_file(used, ours);
}

static int model_pinner(void)
{
	if (is_parents_table())
		use_own_functions();
	return table_number(used, table_new_fd(used, TABLE_PINNER, 0));
}

static int model_pin_buffers(int pinner, const struct iovec *buffers, size_t count)
{
	const struct table_fd *ours = find(pinner);

	if (!ours || ours->kind == TABLE_CLOSED)
		return -EBADF;
	return ours->kind == TABLE_PINNER ? table_pin(used, ours, buffers, count) : -EOPNOTSUPP;
}

static int model_unpin_buffers(int pinner)
{
	const struct table_fd *ours = find(pinner);

	if (!ours || ours->kind == TABLE_CLOSED)
		return -EBADF;
	return ours->kind == TABLE_PINNER ? table_unpin(used, ours) : -EOPNOTSUPP;
}

static void replace_calls(struct bm_sys *sys)
{
	sys->open = model_open;
	sys->close = model_close;
	sys->close_raw = model_close_raw;
	sys->ioctl = model_ioctl;
	sys->read = model_read;
	sys->read_raw = model_read_raw;
	sys->pread = model_pread;
	sys->pread_raw = model_pread_raw;
	sys->write = model_write;
	sys->write_raw = model_write_raw;
	sys->pwrite_raw = model_pwrite_raw;
	sys->list = model_list;
	sys->readlink = model_readlink;
	sys->access = model_access;
	sys->map_device = model_map_device;
	sys->lock_file = model_lock_file;
}

/* Where the kernel moves no page that a device may reach there is nobody to pin any. */
static void replace_pins(struct bm_sys *sys)
{
	sys->pinner = model_pinner;
	sys->pin_buffers = model_pin_buffers;
	sys->unpin_buffers = model_unpin_buffers;
}

static void name_all(struct table *table)
{
	size_t at = 0;
	char address[16];

	for (size_t i = 0; i < ptdma_functions(table->ptdma); i++) {
		table_address((unsigned int)i, address);
		at += (size_t)snprintf(table->names + at, sizeof(table->names) - at, "%s%s",
				       i ? "," : "", address);
	}
}

struct ptdma *ptdma_sys_use(struct bm_sys *sys, const struct ptdma_config *functions, size_t count,
			    const struct ptdma_sys_how *how, uint32_t seed)
{
	used = table_new(sys, how);
	table_begin(used, functions, count, seed);
	name_all(used);
	replace_calls(sys);
	if (how->driver == PTDMA_UIO_PCI)
		replace_pins(sys);
	return used->ptdma;
}

void ptdma_sys_end(void)
{
	if (!used)
		return;
	ptdma_free(used->ptdma);
	table_frames_free(used->frames);
	munmap(used->mark, TABLE_PAGE);
	munmap(used, sizeof(*used));
	used = NULL;
}

void ptdma_sys_count(struct ptdma_sys_held *held)
{
	*held = (struct ptdma_sys_held){0};
	for (unsigned int i = 0; i < ptdma_functions(used->ptdma); i++)
		held->bus_masters += ptdma_is_master(used->ptdma, i) != 0;
	table_lock(used);
	for (size_t i = 0; i < TABLE_FDS_MOST; i++) {
		held->files += used->fds[i].kind != TABLE_CLOSED;
		held->locks += used->fds[i].locked != 0;
	}
	held->mappings = (unsigned int)used->mappings_count;
	held->pinned_pages =
		used->frames ? table_frames_count(used) : (unsigned int)(used->locked / TABLE_PAGE);
	held->map_calls = used->map_calls;
	held->unmap_calls = used->unmap_calls;
	held->pin_calls = used->pin_calls;
	held->stale = used->stale;
	table_unlock(used);
}

int ptdma_sys_pinned(const void *start, size_t length)
{
	uint64_t from = (uint64_t)(uintptr_t)start / TABLE_PAGE * TABLE_PAGE;
	uint64_t to = (uint64_t)(uintptr_t)start + length;
	int pinned;

	table_lock(used);
	pinned = used->frames ? table_frames_pinned(used, from, to)
			      : table_iommu_pinned(used, from, to);
	table_unlock(used);
	return pinned;
}

const char *ptdma_sys_names(void)
{
	return used->names;
}
