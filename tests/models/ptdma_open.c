/* SPDX-License-Identifier: MIT */
/* ptdma_open.c - files of the table: opened, and let go. */
#include "ptdma_table.h"

#include <errno.h>
#include <string.h>

struct table_fd *table_find(struct table *table, int fd)
{
	if (fd < table->fds_first || fd >= table->fds_first + TABLE_FDS_MOST)
		return NULL;
	return &table->fds[fd - table->fds_first];
}

int table_number(const struct table *table, const struct table_fd *fd)
{
	return fd ? table->fds_first + (int)(fd - table->fds) : -EMFILE;
}

struct table_fd *table_new_fd(struct table *table, enum table_kind kind, unsigned int function)
{
	struct table_fd *found = NULL;

	table_lock(table);
	for (size_t i = 0; i < TABLE_FDS_MOST && !found; i++)
		if (table->fds[i].kind == TABLE_CLOSED)
			found = &table->fds[i];
	if (found) {
		found->kind = kind;
		found->function = function;
		found->locked = 0;
		found->read = found->length = 0;
	}
	table_unlock(table);
	return found;
}

static int open_container(struct table *table)
{
	struct table_fd *fd = table_new_fd(table, TABLE_CONTAINER, 0);
	int free = -1;

	if (!fd)
		return -EMFILE;
	table_lock(table);
	for (int i = 0; i < TABLE_CONTAINERS && free < 0; i++)
		if (!table->containers[i].held)
			free = i;
	if (free >= 0) {
		table->containers[free] = (struct table_container){.held = 1};
		fd->container = (unsigned int)free;
	} else {
		fd->kind = TABLE_CLOSED;
	}
	table_unlock(table);
	return free < 0 ? -ENOMEM : table_number(table, fd);
}

/* A group is there for one at a time; devices of uio are for all. */
static int open_node(struct table *table, unsigned int function)
{
	struct table_function *at = &table->functions[function];
	int uio = table->how.driver == PTDMA_UIO_PCI, busy;
	struct table_fd *fd;

	if (table->how.open_error)
		return table->how.open_error;
	fd = table_new_fd(table, uio ? TABLE_UIO : TABLE_GROUP, function);
	if (!fd)
		return -EMFILE;
	table_lock(table);
	busy = !uio && at->group;
	if (busy)
		fd->kind = TABLE_CLOSED;
	else if (uio)
		at->devices++;
	else
		at->group++;
	table_unlock(table);
	return busy ? -EBUSY : table_number(table, fd);
}

static enum table_kind kind_of(const char *name)
{
	if (!strcmp(name, "config"))
		return TABLE_CONFIG;
	if (!strcmp(name, "reset"))
		return TABLE_RESET;
	if (!strcmp(name, "resource0") || !strcmp(name, "resource2"))
		return TABLE_RESOURCE;
	return TABLE_TEXT;
}

static int open_file(struct table *table, const char *path)
{
	char text[TABLE_TEXT_MOST];
	int length = table_text(table, path, text, sizeof(text)), function;
	struct table_fd *fd;
	const char *rest = "";
	enum table_kind kind = TABLE_TEXT;

	if (length < 0)
		return length;
	function = table_function_of(table, path, &rest);
	if (function >= 0)
		kind = kind_of(rest);
	fd = table_new_fd(table, kind, function < 0 ? 0 : (unsigned int)function);
	if (!fd)
		return -EMFILE;
	memcpy(fd->text, text, (size_t)length);
	fd->length = (size_t)length;
	return table_number(table, fd);
}

static int open_pagemap(struct table *table, const char *path, int flags)
{
	int below = table->base.open(path, flags);
	struct table_fd *fd;

	if (below < 0)
		return below;
	fd = table_new_fd(table, TABLE_PAGEMAP, 0);
	if (fd)
		fd->below = below;
	else
		table->base.close(below);
	return table_number(table, fd);
}

int table_is_pagemap(const struct table *table, const char *path)
{
	return table->how.driver == PTDMA_UIO_PCI && !strcmp(path, "/proc/self/pagemap");
}

int table_open(struct table *table, const char *path, int flags)
{
	int function;

	if (table_is_pagemap(table, path))
		return open_pagemap(table, path, flags);
	if (!table_is_ours(table, path))
		return table->base.open(path, flags);
	if (table->how.driver == PTDMA_VFIO_PCI && !strcmp(path, "/dev/vfio/vfio"))
		return open_container(table);
	function = table_node(table, path);
	return function >= 0 ? open_node(table, (unsigned int)function) : open_file(table, path);
}

/* The last device of a group turns bus mastering off; with the group its container is left. */
static void let_go(struct table *table, enum table_kind kind, unsigned int function)
{
	struct table_function *at = &table->functions[function];
	int last_device = 0;

	table_lock(table);
	if (kind == TABLE_DEVICE)
		last_device = !--at->devices;
	table_unlock(table);
	if (last_device) {
		ptdma_master(table->ptdma, function, 0);
		table_reset(table, function);
	}
	table_lock(table);
	if (!--at->group)
		table_leave_container(table, function);
	table_unlock(table);
	ptdma_pause(table->ptdma);
}

static void close_node(struct table *table, const struct table_fd *fd)
{
	switch (fd->kind) {
	case TABLE_CONTAINER:
		table_lock(table);
		table->containers[fd->container].held--;
		table_unlock(table);
		break;
	case TABLE_DEVICE:
	case TABLE_GROUP:
		let_go(table, fd->kind, fd->function);
		break;
	case TABLE_UIO:
		/* release() of uio_pci_generic does so whoever else has it open. */
		ptdma_master(table->ptdma, fd->function, 0);
		table_lock(table);
		table->functions[fd->function].devices--;
		table_unlock(table);
		break;
	case TABLE_PINNER:
		table_unpin_all(table, fd);
		break;
	default:
		break;
	}
}

int table_close(struct table *table, struct table_fd *fd)
{
	int below = fd->kind == TABLE_PAGEMAP ? fd->below : -1;

	if (fd->kind == TABLE_CLOSED)
		return -EBADF;
	close_node(table, fd);
	table_lock(table);
	fd->kind = TABLE_CLOSED;
	fd->locked = 0;
	table_unlock(table);
	return below >= 0 ? table->base.close_raw(below) : 0;
}
