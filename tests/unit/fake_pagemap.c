/* SPDX-License-Identifier: MIT */
/* fake_pagemap.c - /proc/PID/pagemap, PAGEMAP_SCAN and PROCMAP_QUERY. */
#include "fake.h"

#include <sys/ioctl.h>

#include "pagemap.h"

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, any_of, wanted;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

struct map_query {
	uint64_t size, flags, addr, start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, build_size;
	uint64_t name, build;
};
#define MAP_IOCTL _IOWR('f', 17, struct map_query)

static uint64_t categories_of(const struct fake_page *page, const struct fake_area *area)
{
	uint64_t bits = 0;

	if (page->swapped || (page - page->back)->passing)
		return page->pmd ? BM_SCAN_SWAPPED | BM_SCAN_HUGE : BM_SCAN_SWAPPED;
	if (!page->present && !page->zero)
		return 0;
	bits = BM_SCAN_PRESENT;
	bits |= page->file ? BM_SCAN_FILE : 0;
	bits |= page->zero ? BM_SCAN_ZERO : 0;
	bits |= page->pmd || (area->hugetlb && page->present) ? BM_SCAN_HUGE : 0;
	return bits;
}

struct walk {
	struct scan_arg *arg;
	struct bm_page_region *regions;
	uint64_t made, found;
};

/* 0 when there is no more room. */
static int give_out(struct walk *walk, uint64_t addr, uint64_t bits)
{
	struct bm_page_region *last = walk->made ? &walk->regions[walk->made - 1] : NULL;
	uint64_t most = walk->arg->max_pages ? walk->arg->max_pages : UINT64_MAX;

	if (walk->found == most)
		return 0;
	if (last && last->end == addr && last->categories == bits) {
		last->end += fake.page_size;
	} else if (walk->made == walk->arg->vec_len) {
		return 0;
	} else {
		walk->regions[walk->made++] =
			(struct bm_page_region){addr, addr + fake.page_size, bits};
	}
	walk->found++;
	return 1;
}

static int scan_area(struct walk *walk, const struct fake_area *area)
{
	struct scan_arg *arg = walk->arg;
	uint64_t at = area->start > arg->start ? area->start : arg->start;

	for (; at < area->end && at < arg->end; at += fake.page_size) {
		uint64_t bits =
			categories_of(&area->pages[(at - area->start) / fake.page_size], area);

		if (((bits ^ arg->inverted) & arg->mask) != arg->mask ||
		    (arg->any_of && !((bits ^ arg->inverted) & arg->any_of)))
			continue;
		if (!give_out(walk, at, bits & arg->wanted)) {
			arg->walk_end = at;
			return 0;
		}
	}
	return 1;
}

static int scan(struct scan_arg *arg)
{
	struct walk walk = {.arg = arg, .regions = (struct bm_page_region *)(uintptr_t)arg->vec};

	if (fake.old)
		return -ENOTTY;
	if (arg->size != sizeof(*arg) || arg->start % fake.page_size || arg->flags)
		return -EINVAL;
	if (arg->end > fake.task_size || arg->start > arg->end)
		return -EFAULT;
	arg->walk_end = (arg->end + fake.page_size - 1) & ~(fake.page_size - 1);
	for (size_t i = 0; i < fake.area_count; i++) {
		if (!scan_area(&walk, &fake.areas[i]))
			break;
	}
	return (int)walk.made;
}

static int map_query(struct map_query *query)
{
	if (fake.old)
		return -ENOTTY;
	for (size_t i = 0; i < fake.area_count; i++) {
		const struct fake_area *area = &fake.areas[i];

		if (query->addr < area->start || query->addr >= area->end)
			continue;
		query->start = area->start;
		query->end = area->end;
		query->page_size = area->hugetlb ? 512 * fake.page_size : fake.page_size;
		return 0;
	}
	return -ENOENT;
}

int fake_ioctl(int fd, unsigned long request, void *arg)
{
	const struct fake_fd *file;
	int rc = -ENOTTY;

	fake_lock(FAKE_IOCTL);
	file = fake_fd(fd);
	if (!file)
		rc = -EBADF;
	else if (fake_fails(FAKE_IOCTL))
		rc = fake.fail_error;
	else if (request == SCAN_IOCTL && file->pagemap)
		rc = scan(arg);
	else if (request == MAP_IOCTL && file->maps)
		rc = map_query(arg);
	fake_unlock();
	return rc;
}

static uint64_t entry_of(const struct fake_page *page)
{
	uint64_t entry = 0;

	if (!page)
		return 0;
	if (page->swapped || (page - page->back)->passing)
		return BM_PAGEMAP_SWAPPED;
	if (page->zero)
		return BM_PAGEMAP_PRESENT;
	if (!page->present)
		return 0;
	entry = BM_PAGEMAP_PRESENT;
	entry |= page->file ? BM_PAGEMAP_FILE : 0;
	entry |= (page - page->back)->shared ? 0 : BM_PAGEMAP_EXCLUSIVE;
	return entry;
}

static ssize_t pread_locked(int fd, void *buffer, size_t size, off_t offset)
{
	uint64_t *entries = buffer, addr = (uint64_t)offset / 8 * fake.page_size;
	const struct fake_fd *file = fake_fd(fd);
	size_t made = 0;

	if (!file || !file->pagemap)
		return -EBADF;
	if (offset % 8 || size % 8)
		return -EINVAL;
	for (; made < size / 8 && addr < fake.task_size; addr += fake.page_size)
		entries[made++] = entry_of(fake_at(addr));
	return (ssize_t)(made * 8);
}

ssize_t fake_pread(int fd, void *buffer, size_t size, off_t offset)
{
	ssize_t rc;

	fake_lock(FAKE_PREAD);
	rc = fake_fails(FAKE_PREAD) ? fake.fail_error : pread_locked(fd, buffer, size, offset);
	fake_unlock();
	return rc;
}
