/* SPDX-License-Identifier: MIT */
/* memory.c - memory for rings. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pins.h"
#include "vfio.h"

int bm_pci_memory_new(struct bm_pci_space *space, size_t size, struct bm_pci_memory *memory)
{
	struct bm_pci_memory made = {.size = size, .pinner = -1};
	int rc = space->way->memory_new(space, &made);

	if (rc < 0)
		return rc;
	*memory = made;
	return 0;
}

void bm_pci_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	space->way->memory_free(space, memory);
	memory->at = NULL;
}

/* What is pinned of it: whole pages. */
static size_t pinned_size(const struct bm_pci_space *space, const struct bm_pci_memory *memory)
{
	return memory->size > space->page_size ? memory->size : space->page_size;
}

static int told(const struct bm_pci_space *space, size_t size, int rc)
{
	if (rc == -ENOMEM)
		bm_log(space->env->log, BM_LOG_WARN,
		       "%zu bytes for rings of PCI functions cannot be pinned: more has to be "
		       "allowed by RLIMIT_MEMLOCK (ulimit -l)",
		       size);
	return rc;
}

/* ---------------------------------------------------------------- vfio */

int bm_pci_vfio_memory_new(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	size_t size = pinned_size(space, memory);
	int rc;

	memory->at = space->env->memory(space->sys, size);
	if (!memory->at)
		return -ENOMEM;
	rc = bm_pci_reserve(space, size, size, &memory->bus);
	if (rc == 0) {
		rc = told(space, size,
			  bm_pci_map(space, (uint64_t)(uintptr_t)memory->at, memory->bus, size, 1));
		if (rc < 0)
			bm_pci_reserve_end(space, memory->bus);
	}
	if (rc < 0)
		space->env->memory_end(space->sys, memory->at, size);
	return rc;
}

/* An address that cannot be unmapped is given to nobody any more. */
void bm_pci_vfio_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	size_t size = pinned_size(space, memory);

	if (bm_pci_is_owner(space) && bm_pci_unmap(space, memory->bus, size) == 0)
		bm_pci_reserve_end(space, memory->bus);
	space->env->memory_end(space->sys, memory->at, size);
}

/* ---------------------------------------------------------------- uio */

/*
 * One huge page, or what looks like one: only private memory gets them everywhere
 * where a program asks. A child of fork(2) has no business with it.
 */
static int map_huge(const struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	const struct bm_sys *sys = space->sys;
	uint64_t huge = space->env->huge_size, addr, at;

	if (huge == 0 || memory->size > huge)
		return -EFBIG;
	if (sys->map((size_t)(2 * huge), 0, &addr) < 0)
		return -ENOMEM;
	at = (addr + huge - 1) / huge * huge;
	if (at > addr)
		sys->unmap(addr, (size_t)(at - addr));
	sys->unmap(at + huge, (size_t)(addr + huge - at));
	memory->at = (void *)(uintptr_t)at;
	sys->madvise(at, (size_t)huge, MADV_HUGEPAGE);
	if (sys->madvise(at, (size_t)huge, MADV_DONTFORK) < 0) {
		sys->unmap(at, (size_t)huge);
		return -ENOMEM;
	}
	*(volatile unsigned char *)memory->at = 0;
	return 0;
}

static int map_pages(const struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	if (memory->size > space->page_size)
		return map_huge(space, memory);
	memory->at = space->env->memory(space->sys, space->page_size);
	return memory->at ? 0 : -ENOMEM;
}

static void unmap_pages(const struct bm_pci_space *space, const struct bm_pci_memory *memory)
{
	if (memory->size > space->page_size)
		space->sys->unmap((uint64_t)(uintptr_t)memory->at, (size_t)space->env->huge_size);
	else
		space->env->memory_end(space->sys, memory->at, space->page_size);
}

static int pin_pages(const struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	struct iovec buffer = {memory->at, pinned_size(space, memory)};
	int rc;

	memory->pinner = space->sys->pinner();
	if (memory->pinner < 0)
		return memory->pinner;
	rc = told(space, buffer.iov_len, space->sys->pin_buffers(memory->pinner, &buffer, 1));
	if (rc < 0)
		space->sys->close(memory->pinner);
	return rc;
}

static void unpin_pages(const struct bm_pci_space *space, const struct bm_pci_memory *memory)
{
	if (bm_pci_is_owner(space))
		space->sys->unpin_buffers(memory->pinner);
	space->sys->close(memory->pinner);
}

static int is_whole(const uint64_t *frames, size_t pages)
{
	for (size_t i = 1; i < pages; i++)
		if (frames[i] != frames[0] + i)
			return 0;
	return 1;
}

static int find_bus(const struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	size_t pages = pinned_size(space, memory) / space->page_size;
	uint64_t *frames = space->sys->alloc(pages, sizeof(*frames));
	int rc;

	if (!frames)
		return -ENOMEM;
	rc = bm_pci_frames(space, (uint64_t)(uintptr_t)memory->at, frames, pages);
	if (rc == 0) {
		memory->bus = frames[0] * space->page_size;
		rc = is_whole(frames, pages) && memory->bus % memory->size == 0 ? 0 : -EFBIG;
	}
	free(frames);
	return rc;
}

int bm_pci_uio_memory_new(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	int rc = map_pages(space, memory);

	if (rc < 0)
		return rc;
	rc = pin_pages(space, memory);
	if (rc == 0) {
		rc = find_bus(space, memory);
		if (rc < 0)
			unpin_pages(space, memory);
	}
	if (rc < 0)
		unmap_pages(space, memory);
	return rc;
}

void bm_pci_uio_memory_free(struct bm_pci_space *space, struct bm_pci_memory *memory)
{
	unpin_pages(space, memory);
	unmap_pages(space, memory);
}
