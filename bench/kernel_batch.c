/* SPDX-License-Identifier: MIT */
/* kernel_batch.c - batches with holes, with pages that are there already, of huge pages. */
#include "kernel_batch.h"

#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPARSE_EVERY 64 /* of so many entries in a row */
#define SPARSE_PAGES 8  /* so many exist */

static long move_pages(size_t count, void **pages, const int *nodes, int *status)
{
	return syscall(SYS_move_pages, 0, count, pages, nodes, status, MPOL_MF_MOVE);
}

long plain_move_pages(const struct batch *batch, const int *nodes)
{
	return move_pages(batch->count, batch->pages, nodes, batch->status);
}

static int exists(const struct scenario *scenario, size_t i)
{
	if (scenario->layout == HOLES)
		return i % 2 == 0;
	return scenario->layout != SPARSE || i % SPARSE_EVERY < SPARSE_PAGES;
}

static void *array(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("memory for the entries");
	return memory;
}

static char *map(struct batch *batch, const struct setup *setup, int huge, size_t bytes)
{
	size_t align = setup->huge_size ? setup->huge_size : setup->page_size;

	batch->length = bytes + align;
	batch->memory = mmap(NULL, batch->length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (batch->memory == MAP_FAILED)
		die("memory");
	madvise(batch->memory, batch->length, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return (char *)(((uintptr_t)batch->memory + align - 1) / align * align);
}

/* Every other page is on the far node before, some to go to the near one. */
static void place_half(struct batch *batch, const struct setup *setup)
{
	void **pages = array(batch->count, sizeof(*pages));
	size_t some = 0;

	for (size_t i = 1; i < batch->count; i += 2)
		pages[some++] = batch->pages[i];
	for (size_t i = 0; i < some; i++)
		batch->status[i] = setup->far;
	if (move_pages(some, pages, batch->status, batch->status) < 0)
		die("move_pages");
	free(pages);
}

/* Each page that exists begins with its own address. */
void batch_build(struct batch *batch, const struct setup *setup, const struct scenario *scenario)
{
	int huge = scenario->layout == HUGE_PAGES;
	size_t step = huge && !scenario->every_page ? setup->huge_size : setup->page_size;
	char *start = map(batch, setup, huge, scenario->pages * step);

	batch->count = scenario->pages;
	batch->pages = array(batch->count, sizeof(*batch->pages));
	batch->nodes = array(batch->count, sizeof(*batch->nodes));
	batch->status = array(batch->count, sizeof(*batch->status));
	for (size_t i = 0; i < batch->count; i++) {
		batch->pages[i] = start + i * step;
		batch->nodes[i] = setup->far;
		if (scenario->layout == INTERLEAVED && i % 2)
			batch->nodes[i] = setup->near;
		if (exists(scenario, i))
			*(uintptr_t *)batch->pages[i] = (uintptr_t)batch->pages[i];
	}
	if (scenario->layout == INTERLEAVED || scenario->layout == LOCAL_HALF)
		place_half(batch, setup);
}

/* What did not move was not measured. */
void batch_check(const struct batch *batch, const struct scenario *scenario, const char *way)
{
	size_t left = 0, wrong = 0;

	if (plain_move_pages(batch, NULL) < 0)
		die("move_pages");
	for (size_t i = 0; i < batch->count; i++) {
		if (!exists(scenario, i))
			continue;
		left += batch->status[i] != batch->nodes[i];
		wrong += *(const uintptr_t *)batch->pages[i] != (uintptr_t)batch->pages[i];
	}
	if (!left && !wrong)
		return;
	fprintf(stderr, "%s, %s: %zu pages are not on their node, %zu are not what they were\n",
		scenario->name, way, left, wrong);
	exit(1);
}

void batch_free(struct batch *batch)
{
	munmap(batch->memory, batch->length);
	free(batch->pages);
	free(batch->nodes);
	free(batch->status);
}
