/* SPDX-License-Identifier: MIT */
/* memory.c - memory with frames in order, scattered or huge, and what is in it. */
#include "memory.h"

#include <fcntl.h>
#include <numa.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"

#define PFN_MASK   ((UINT64_C(1) << 55) - 1)
#define PRESENT    (UINT64_C(1) << 63)
#define PFN_CHUNK  4096
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

void size_text(char text[SIZE_TEXT], size_t bytes)
{
	if (bytes % (1 << 20))
		snprintf(text, SIZE_TEXT, "%zuK", bytes >> 10);
	else
		snprintf(text, SIZE_TEXT, "%zuM", bytes >> 20);
}

const char *pages_text(const struct setup *setup, enum frames frames)
{
	static char size[SIZE_TEXT];

	if (frames != FRAMES_IN_ORDER)
		return frames == FRAMES_HUGE ? "thp" : "scattered";
	size_text(size, setup->page_size);
	return size;
}

/*
 * The buddy allocator hands out neighbouring frames to one fault after the
 * other: touched in random order, neighbouring pages get distant frames.
 */
static void touch_shuffled(const struct region *region)
{
	size_t count = region->length / region->page_size;
	uint64_t state = MULTIPLIER;
	size_t *order = malloc(count * sizeof(*order));

	if (!order)
		die("memory for the order");
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(&state, i), kept = order[i - 1];

		order[i - 1] = order[other];
		order[other] = kept;
	}
	for (size_t i = 0; i < count; i++)
		region->start[order[i] * region->page_size] = 1;
	free(order);
}

/*
 * Base pages that are touched in order do not get frames in order where memory
 * has been in use for a while. Those of a huge page are: advice for a part of
 * it makes the kernel split it. Only when it is filled, because a split drops
 * pages of zeros.
 */
static void split_huge_pages(const struct region *region, size_t huge_size)
{
	madvise(region->start, region->length, MADV_NOHUGEPAGE);
	for (size_t at = 0; huge_size && at < region->length; at += huge_size)
		madvise(region->start + at, region->page_size, MADV_COLD);
}

static void populate(const struct region *region, const struct setup *setup, enum frames frames)
{
	/* Without huge pages in the kernel this fails, and the frames are as they come. */
	madvise(region->start, region->length,
		frames == FRAMES_SCATTERED ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	if (frames == FRAMES_SCATTERED)
		touch_shuffled(region);
	region_fill(region);
	if (frames == FRAMES_IN_ORDER)
		split_huge_pages(region, setup->huge_size);
}

/* The guards keep the kernel from merging the mapping with another one. */
void region_new(struct region *region, const struct setup *setup, enum frames frames, size_t bytes,
		int node)
{
	size_t align = setup->huge_size ? setup->huge_size : setup->page_size;

	region->page_size = setup->page_size;
	region->length = bytes / setup->page_size * setup->page_size;
	region->map_length = region->length + 3 * align;
	region->map = mmap(NULL, region->map_length, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region->map == MAP_FAILED)
		die("address space");
	region->start = (char *)(((uintptr_t)region->map + 2 * align - 1) / align * align);
	if (mprotect(region->start, region->length, PROT_READ | PROT_WRITE) < 0)
		die("mprotect");
	/* Shared with a child, if only for a moment, it could not be swapped any more. */
	if (madvise(region->map, region->map_length, MADV_DONTFORK) < 0)
		die("MADV_DONTFORK");
	if (setup->two_nodes)
		numa_set_preferred(node);
	populate(region, setup, frames);
	if (setup->two_nodes)
		numa_set_localalloc();
}

void region_free(struct region *region)
{
	munmap(region->map, region->map_length);
}

void region_fill(const struct region *region)
{
	uint64_t *word = (uint64_t *)(void *)region->start;

	for (size_t i = 0; i < region->length / sizeof(*word); i++)
		word[i] = (i + 1) * MULTIPLIER;
}

size_t region_wrong(const struct region *region, size_t stride, size_t bytes)
{
	size_t wrong = 0;

	for (size_t at = 0; at + bytes <= region->length; at += stride) {
		const uint64_t *word = (const uint64_t *)(const void *)(region->start + at);
		size_t first = at / sizeof(*word);

		for (size_t i = 0; i < bytes / sizeof(*word); i++)
			wrong += word[i] != (first + i + 1) * MULTIPLIER;
	}
	return wrong;
}

void region_check(const struct region *region, const char *what)
{
	size_t wrong = region_wrong(region, region->page_size, region->page_size);

	if (!wrong)
		return;
	fprintf(stderr, "%s: %zu words are not what was written\n", what, wrong);
	exit(1);
}

/* The number of a frame is told to root only; others read 0. */
static uint64_t frame_in(uint64_t entry)
{
	return entry & PRESENT ? entry & PFN_MASK : 0;
}

unsigned long frame_of(int pagemap, const void *at, size_t page_size)
{
	uint64_t entry;
	off_t place = (off_t)((uintptr_t)at / page_size * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), place) != sizeof(entry))
		return 0;
	return frame_in(entry);
}

double region_adjacent(const struct region *region)
{
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t count = region->length / region->page_size, adjacent = 0, known = 0;
	size_t first = (uintptr_t)region->start / region->page_size;
	uint64_t entries[PFN_CHUNK], last = 0;

	for (size_t done = 0; file >= 0 && done < count;) {
		size_t some = count - done < PFN_CHUNK ? count - done : PFN_CHUNK;
		ssize_t got = pread(file, entries, some * sizeof(entries[0]),
				    (off_t)((first + done) * sizeof(entries[0])));

		if (got <= 0)
			break;
		some = (size_t)got / sizeof(entries[0]);
		for (size_t i = 0; i < some; i++) {
			uint64_t frame = frame_in(entries[i]);

			known += frame && last;
			adjacent += frame && last && frame == last + 1;
			last = frame;
		}
		done += some;
	}
	if (file >= 0)
		close(file);
	return known ? (double)adjacent / (double)known : -1;
}

int region_frames_seen(void)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	static char pages[1 << 20];
	struct region region = {.page_size = page_size};

	region.start = (char *)(((uintptr_t)pages + page_size - 1) / page_size * page_size);
	region.length = 2 * page_size;
	memset(region.start, 1, region.length);
	return region_adjacent(&region) >= 0;
}

double region_huge_share(const struct region *region)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	uintptr_t end = (uintptr_t)region->start + region->length;
	unsigned long from, to, kib, sum = 0;
	int inside = 0;
	char line[512];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from >= (uintptr_t)region->start && to <= end;
		else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
			sum += kib;
	}
	fclose(file);
	return (double)sum * 1024 / (double)region->length;
}
