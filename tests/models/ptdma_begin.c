/* SPDX-License-Identifier: MIT */
/* ptdma_begin.c - a table with its model, for a process and for children of it. */
#include "ptdma_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* One byte of a page that is empty in a child of a fork, but not in what clone(2) makes beside. */
static unsigned char *new_mark(void)
{
	unsigned char *mark =
		mmap(NULL, TABLE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mark == MAP_FAILED)
		abort();
	madvise(mark, TABLE_PAGE, MADV_WIPEONFORK);
	*mark = 1;
	return mark;
}

struct table *table_new(const struct bm_sys *sys, const struct ptdma_sys_how *how)
{
	struct table *table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (table == MAP_FAILED)
		abort();
	table->base = *sys;
	table->how = *how;
	table->fds_first = TABLE_FDS_FIRST;
	table->mark = new_mark();
	for (size_t i = 0; i < PTDMA_FUNCTIONS_MOST; i++) {
		table->functions[i].container = -1;
		table->functions[i].command = 2;
	}
	return table;
}

void table_begin(struct table *table, const struct ptdma_config *functions, size_t count,
		 uint32_t seed)
{
	int uio = table->how.driver == PTDMA_UIO_PCI;

	if (uio)
		table->frames = table_frames_new(seed);
	if (uio && !table->frames)
		abort();
	table->ptdma =
		ptdma_new(functions, count, uio ? table_frames_bus : table_iommu_bus, table, seed);
}

static void copy_rules(struct ptdma *to, const struct ptdma *from)
{
	size_t size = (from->rules_count + 1) * sizeof(struct ptdma_rule);
	struct ptdma_rule *rules =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (rules == MAP_FAILED)
		abort();
	for (size_t i = 0; i < from->rules_count; i++)
		rules[i] = from->rules[i];
	ptdma_set_rules(to, rules, from->rules_count);
}

struct table *table_of_child(const struct table *parents)
{
	struct ptdma_config functions[PTDMA_FUNCTIONS_MOST];
	struct table *made = table_new(&parents->base, &parents->how);
	size_t count = ptdma_functions(parents->ptdma);

	made->fds_first = parents->fds_first + TABLE_FDS_MOST;
	memcpy(made->names, parents->names, sizeof(made->names));
	for (size_t i = 0; i < count; i++)
		functions[i] = *ptdma_config_of(parents->ptdma, (unsigned int)i);
	table_begin(made, functions, count, 1);
	copy_rules(made->ptdma, parents->ptdma);
	return made;
}
