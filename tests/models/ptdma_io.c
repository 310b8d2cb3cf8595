/* SPDX-License-Identifier: MIT */
/* ptdma_io.c - open files of the table: read, written, mapped, locked. */
#include <errno.h>
#include <string.h>

#include "ptdma_table.h"

#define REGION_AT(offset) ((uint64_t)(offset) >> TABLE_REGION_SHIFT)
#define IN_REGION(offset) ((uint64_t)(offset) & ((UINT64_C(1) << TABLE_REGION_SHIFT) - 1))
#define CONFIG_REGION     7

static ssize_t read_text(const struct table_fd *fd, void *buffer, size_t size, uint64_t at)
{
	size_t length = at < fd->length ? fd->length - (size_t)at : 0;

	if (length > size)
		length = size;
	memcpy(buffer, fd->text + at, length);
	return (ssize_t)length;
}

static ssize_t read_pagemap(struct table *table, const struct table_fd *fd, void *buffer,
			    size_t size, uint64_t at)
{
	ssize_t got = table->base.pread_raw(fd->below, buffer, size, (off_t)at);

	if (got > 0)
		table_show_frames(table, buffer, (size_t)got / 8, at / 8 * TABLE_PAGE);
	return got;
}

ssize_t table_read_at(struct table *table, const struct table_fd *fd, void *buffer, size_t size,
		      uint64_t at)
{
	switch (fd->kind) {
	case TABLE_TEXT:
		return read_text(fd, buffer, size, at);
	case TABLE_CONFIG:
		return table_config_read(table, fd->function, buffer, size, at);
	case TABLE_DEVICE:
		if (REGION_AT(at) != CONFIG_REGION)
			return -EINVAL;
		return table_config_read(table, fd->function, buffer, size, IN_REGION(at));
	case TABLE_PAGEMAP:
		return read_pagemap(table, fd, buffer, size, at);
	case TABLE_UIO:
		return -EIO; /* it has no interrupt */
	default:
		return fd->kind == TABLE_CLOSED ? -EBADF : -EINVAL;
	}
}

/* Lockdown: the kernel refuses it in sysfs. */
static ssize_t write_config(struct table *table, const struct table_fd *fd, const void *buffer,
			    size_t size, uint64_t at)
{
	if (table->how.master_lost_config)
		return -EPERM;
	return table_config_write(table, fd->function, buffer, size, at);
}

ssize_t table_write_at(struct table *table, const struct table_fd *fd, const void *buffer,
		       size_t size, uint64_t at)
{
	int rc;

	switch (fd->kind) {
	case TABLE_CONFIG:
		return write_config(table, fd, buffer, size, at);
	case TABLE_DEVICE:
		if (REGION_AT(at) != CONFIG_REGION)
			return -EINVAL;
		return table_config_write(table, fd->function, buffer, size, IN_REGION(at));
	case TABLE_RESET:
		if (!size || *(const char *)buffer != '1')
			return -EINVAL;
		rc = table_reset(table, fd->function);
		return rc ? rc : (ssize_t)size;
	default:
		return fd->kind == TABLE_CLOSED ? -EBADF : -EINVAL;
	}
}

/* uio has the BARs that exist one after the other; the first one is that of the registers. */
static int leads_to_bar(const struct table *table, const struct table_fd *fd, uint64_t offset)
{
	switch (fd->kind) {
	case TABLE_DEVICE:
		return REGION_AT(offset) == table_bar(table, fd->function) && !IN_REGION(offset);
	case TABLE_UIO:
	case TABLE_RESOURCE:
		return offset == 0;
	default:
		return 0;
	}
}

/* Lockdown keeps users from mapping BARs by sysfs, too. */
int table_bar_behind(struct table *table, const struct table_fd *fd, uint64_t offset, size_t length)
{
	if (fd->kind == TABLE_CLOSED)
		return -EBADF;
	if (fd->kind == TABLE_RESOURCE && table->how.master_lost_config)
		return -EPERM;
	if (!leads_to_bar(table, fd, offset) || !length ||
	    length > table_bar_size(table, fd->function, table_bar(table, fd->function)))
		return -EINVAL;
	return ptdma_bar_file(table->ptdma, fd->function);
}

int table_lock_file(struct table *table, struct table_fd *fd)
{
	int rc = 0;

	table_lock(table);
	for (size_t i = 0; i < TABLE_FDS_MOST; i++) {
		const struct table_fd *other = &table->fds[i];

		if (other != fd && other->locked && other->kind == fd->kind &&
		    other->function == fd->function)
			rc = -EWOULDBLOCK;
	}
	if (!rc)
		fd->locked = 1;
	table_unlock(table);
	return rc;
}
