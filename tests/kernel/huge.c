/* SPDX-License-Identifier: MIT */
/* huge.c - transparent huge pages and hugetlb pages. */
#include "support.h"

#include <stdio.h>

#define THPS 4

/* Huge pages on the first node, aligned; 0 when the kernel gives none. */
static int huge_area(char **mapping, char **start)
{
	size_t length = (THPS + 1) * HUGE;
	unsigned int kind = 0;
	int status;
	void *page;

	*mapping = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(*mapping, MAP_FAILED);
	*start = (char *)(((uintptr_t)*mapping + HUGE - 1) & ~(HUGE - 1));
	madvise(*mapping, length, MADV_HUGEPAGE);
	prefer(nodes[0]);
	stamp(*start, THPS * HUGE / PAGE, PAGE);
	prefer(-1);
	page = *start;
	return bm_query_pages(NULL, 0, 1, &page, &status, &kind) == 1 &&
	       (kind & BM_PAGE_HUGE || read_number("/proc/sys/vm/nr_hugepages") < 0);
}

static long huge_kilobytes(void)
{
	char line[256];
	long sum = 0, value;
	FILE *file = fopen("/proc/self/smaps", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "AnonHugePages: %ld", &value) == 1)
			sum += value;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Every `step`-th page of huge pages is named. */
static void move_huge(size_t step)
{
	char *mapping, *start;
	size_t pages = THPS * HUGE / PAGE;
	struct area area;
	long before;

	(void)huge_area(&mapping, &start);
	before = huge_kilobytes();
	ck_assert_int_ge(before, THPS * 2048);
	area_over(&area, start, pages / step, step * PAGE);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	for (size_t i = 0; i < pages; i++)
		ck_assert_int_eq(node_of(start + i * PAGE), nodes[1]);
	ck_assert_uint_eq(stamp_wrong(start, pages, PAGE), 0);
	ck_assert_int_eq(huge_kilobytes(), before);
	area_free(&area);
	munmap(mapping, (THPS + 1) * HUGE);
}

START_TEST(huge_all_pages_named)
{
	NEED_NODES();
	move_huge(1);
}
END_TEST

START_TEST(huge_some_pages_named)
{
	NEED_NODES();
	move_huge(100);
}
END_TEST

START_TEST(huge_one_page_named)
{
	NEED_NODES();
	move_huge(HUGE / PAGE);
}
END_TEST

START_TEST(huge_contradiction)
{
	char *mapping, *start;
	struct area area;

	NEED_NODES();
	(void)huge_area(&mapping, &start);
	area_over(&area, start, 512, PAGE);
	area_target(&area, nodes[0]);
	area.targets[300] = nodes[1];
	area.targets[511] = nodes[1];
	/* The entry with the highest index decides for the whole huge page. */
	ck_assert_int_eq(area_move(&area, 0), 510);
	ck_assert_int_eq(area.status[0], nodes[1]);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_uint_eq(stamp_wrong(start, THPS * 512, PAGE), 0);
	area_free(&area);
	munmap(mapping, (THPS + 1) * HUGE);
}
END_TEST

/* PTEs map them from now on, and nothing shows that they belong together. */
START_TEST(huge_pages_unseen)
{
	size_t pages = THPS * HUGE / PAGE;
	char *mapping, *start;
	struct area area;
	long misplaced;

	NEED_NODES();
	(void)huge_area(&mapping, &start);
	for (size_t i = 0; i < THPS; i++) {
		char *page = start + i * HUGE + 5 * PAGE;

		ck_assert_int_eq(mprotect(page, PAGE, PROT_READ), 0);
		ck_assert_int_eq(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
	}
	area_over(&area, start, pages, PAGE);
	area_target(&area, nodes[0]);
	for (size_t i = 1; i < pages; i += 2)
		area.targets[i] = nodes[1];
	misplaced = area_move(&area, 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	/* The last of each decides for all of it; of one that was split each page for itself. */
	for (size_t i = 0; i < pages; i += 512) {
		size_t elsewhere = 0;

		for (size_t k = i; k < i + 512; k++)
			elsewhere += area.status[k] != area.targets[k];
		ck_assert_int_eq(area.status[i + 511], nodes[1]);
		ck_assert(elsewhere == 0 || elsewhere == 256);
		misplaced -= (long)elsewhere;
	}
	ck_assert_int_eq(misplaced, 0);
	ck_assert_uint_eq(stamp_wrong(start, pages, PAGE), 0);
	area_free(&area);
	munmap(mapping, (THPS + 1) * HUGE);
}
END_TEST

/* One page of each is named, or a range ends within: a policy on a part would split it. */
static void bind_huge(uint64_t flags, const char *mover, int as_range)
{
	char *mapping, *start;
	struct bm_range range;
	struct area area;
	long before;

	if (!huge_area(&mapping, &start))
		skip_test("this kernel does not show huge pages");
	before = huge_kilobytes();
	area_over(&area, start + 7 * PAGE, THPS, HUGE);
	area_target(&area, nodes[1]);
	range = (struct bm_range){
		.addr = area.start, .length = (THPS - 1) * HUGE, .node = nodes[1]};
	if (as_range)
		ck_assert_int_eq(bm_migrate_ranges(NULL, 1, &range, sizeof(range), flags), 0);
	else if (mover)
		ck_assert_int_eq(area_submit(&area, mover, NULL), 0);
	else
		ck_assert_int_eq(area_move(&area, flags), 0);
	for (size_t i = 0; i < THPS; i++)
		ck_assert_int_eq(node_of(start + i * HUGE), nodes[1]);
	ck_assert_int_eq(huge_kilobytes(), before);
	ck_assert_uint_eq(stamp_wrong(start, THPS * HUGE / PAGE, PAGE), 0);
	area_free(&area);
	munmap(mapping, (THPS + 1) * HUGE);
}

START_TEST(huge_pages_stay_whole)
{
	NEED_NODES();
	bind_huge(BM_BIND, NULL, 0);
	bind_huge(BM_BIND, NULL, 1);
	bind_huge(0, "mbind", 0);
}
END_TEST

static char *hugetlb_path(char *path, size_t size, int node)
{
	snprintf(path, size,
		 "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages", node);
	return path;
}

START_TEST(hugetlb)
{
	char path[128], *memory;
	struct area area;
	long rc;

	NEED_NODES();
	if (write_text(hugetlb_path(path, sizeof(path), nodes[0]), "2") < 0 ||
	    read_number(path) != 2)
		skip_test("no hugetlb pages can be reserved");
	write_text(hugetlb_path(path, sizeof(path), nodes[1]), "1");
	prefer(nodes[0]);
	memory = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	prefer(-1);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	stamp(memory, 1024, PAGE);
	/* One free page on the target for two: the kernel makes another, or says -ENOMEM. */
	area_over(&area, memory, 2, HUGE);
	area_target(&area, nodes[1]);
	rc = area_move(&area, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(area.status[i] == nodes[1] || area.status[i] == -ENOMEM);
		ck_assert_int_eq(node_of(area.pages[i]), nodes[area.status[i] == nodes[1]]);
	}
	ck_assert_int_eq(rc, (area.status[0] < 0) + (area.status[1] < 0));
	ck_assert(area.status[0] == nodes[1] || area.status[1] == nodes[1]);
	ck_assert_uint_eq(stamp_wrong(memory, 1024, PAGE), 0);
	area_free(&area);
	munmap(memory, 2 * HUGE);
	write_text(hugetlb_path(path, sizeof(path), nodes[0]), "0");
	write_text(hugetlb_path(path, sizeof(path), nodes[1]), "0");
}
END_TEST

static const TTest *const *const tests[] = {&huge_all_pages_named,
					    &huge_some_pages_named,
					    &huge_one_page_named,
					    &huge_contradiction,
					    &huge_pages_unseen,
					    &huge_pages_stay_whole,
					    &hugetlb,
					    NULL};
const struct report_group huge_group = {"huge", tests};
