/* SPDX-License-Identifier: MIT */
/* range.c - address ranges, BM_BIND, scanning. */
#include "support.h"

#include <linux/mempolicy.h>
#include <stdio.h>
#include <sys/syscall.h>

static int mapping_count(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	int lines = 0, letter;

	while (file && (letter = fgetc(file)) != EOF)
		lines += letter == '\n';
	if (file)
		fclose(file);
	return lines;
}

static int policy_of(void *page, unsigned long *mask)
{
	int mode = -1;

	*mask = 0;
	ck_assert_int_eq(syscall(SYS_get_mempolicy, &mode, mask, 64ul, page, MPOL_F_ADDR), 0);
	return mode;
}

START_TEST(partial_pages_belong_to_it)
{
	struct area area;
	struct bm_range range;

	NEED_NODES();
	area_new(&area, 10, nodes[0]);
	range = (struct bm_range){
		.addr = area.start + 3 * PAGE - 1, .length = 2 * PAGE + 2, .node = nodes[1]};
	ck_assert_int_eq(bm_migrate_ranges(NULL, 1, &range, sizeof(range), 0), 0);
	ck_assert_int_eq(range.error, 0);
	ck_assert_uint_eq(range.tally.moved, 4);
	ck_assert_uint_eq(range.tally.pages, 4);
	for (size_t i = 0; i < 10; i++)
		ck_assert_int_eq(node_of(area.pages[i]), nodes[i >= 2 && i <= 5]);
	ck_assert_uint_eq(stamp_wrong(area.start, 10, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(several_ranges)
{
	struct bm_range ranges[5];
	struct area area;
	size_t count = 70000;

	NEED_NODES();
	area_new(&area, count, nodes[0]);
	madvise(area.start + 10 * PAGE, 20 * PAGE, MADV_DONTNEED);
	memset(ranges, 0, sizeof(ranges));
	/* Longer than one portion, with holes; part of it again, to the first node. */
	ranges[0] = (struct bm_range){.addr = area.start, .length = count * PAGE, .node = nodes[1]};
	ranges[1] = (struct bm_range){
		.addr = area.start + 1000 * PAGE, .length = 100 * PAGE, .node = nodes[0]};
	ranges[2] = (struct bm_range){.addr = area.start, .length = SIZE_MAX, .node = nodes[0]};
	ranges[3] = (struct bm_range){.addr = area.start, .length = PAGE, .node = -3};
	ranges[4] = (struct bm_range){.addr = area.start, .length = 0, .node = nodes[0]};
	/* Two ranges with an error, and the pages that the second range took from the first. */
	ck_assert_int_ge(bm_migrate_ranges(NULL, 5, ranges, sizeof(ranges[0]), 0), 2);
	ck_assert_int_eq(ranges[0].error, 0);
	ck_assert_int_eq(ranges[2].error, -EINVAL);
	ck_assert_int_eq(ranges[3].error, -ENODEV);
	ck_assert_int_eq(ranges[4].error, 0);
	ck_assert_uint_eq(ranges[0].tally.pages, count);
	ck_assert_uint_eq(ranges[0].tally.pages,
			  ranges[0].tally.moved + ranges[0].tally.already + ranges[0].tally.failed);
	ck_assert_uint_eq(ranges[1].tally.pages, 100);
	ck_assert_uint_eq(ranges[1].tally.failed, 0);
	ck_assert_uint_eq(ranges[4].tally.pages, 0);
	ck_assert_int_eq(node_of(area.start), nodes[1]);
	ck_assert_int_lt(node_of(area.start + 15 * PAGE), 0);
	ck_assert_int_eq(node_of(area.start + 1050 * PAGE), nodes[0]);
	ck_assert_int_eq(node_of(area.start + (count - 1) * PAGE), nodes[1]);
	ck_assert_uint_eq(stamp_wrong(area.start + 30 * PAGE, count - 30, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(bind_sets_the_policy)
{
	unsigned long mask;
	struct area area;

	NEED_NODES();
	area_new(&area, 2000, nodes[0]);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, BM_BIND), 0);
	ck_assert_int_eq(policy_of(area.start, &mask), MPOL_PREFERRED);
	ck_assert_uint_eq(mask, 1ul << nodes[1]);
	ck_assert_int_eq(policy_of(area.start + 1999 * PAGE, &mask), MPOL_PREFERRED);
	ck_assert_uint_eq(stamp_wrong(area.start, 2000, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(bind_of_scattered_pages_is_refused)
{
	long limit = read_number("/proc/sys/vm/max_map_count");
	struct area area;
	size_t count = (size_t)limit / 4 + 1;

	NEED_NODES();
	area_new(&area, count, nodes[0]);
	for (size_t i = 0; i < count; i++)
		area.pages[i] = area.start + 2 * i * PAGE;
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, BM_BIND), -E2BIG);
	ck_assert_int_eq(area.status[0], -9999);
	ck_assert_int_eq(node_of(area.start), nodes[0]);
	area_free(&area);
}
END_TEST

START_TEST(mbind_puts_policies_back)
{
	unsigned long mask, ours = 1ul << nodes[0];
	struct area area;
	int before;

	NEED_NODES();
	area_new(&area, 3000, nodes[0]);
	ck_assert_int_eq(syscall(SYS_mbind, area.start + 1000 * PAGE, 1000 * PAGE, MPOL_PREFERRED,
				 &ours, 64ul, 0),
			 0);
	before = mapping_count();
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_submit(&area, "mbind", NULL), 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_int_eq(policy_of(area.start, &mask), MPOL_DEFAULT);
	ck_assert_int_eq(policy_of(area.start + 1500 * PAGE, &mask), MPOL_PREFERRED);
	ck_assert_uint_eq(mask, ours);
	ck_assert_int_eq(mapping_count(), before);
	ck_assert_uint_eq(stamp_wrong(area.start, 3000, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(scan_finds_runs)
{
	struct bm_extent extents[4];
	struct bm_scan scan;
	struct area area;
	int second;

	area_new(&area, 100, node_count ? nodes[0] : 0);
	second = node_count > 1 ? nodes[1] : 0;
	madvise(area.start + 10 * PAGE, 5 * PAGE, MADV_DONTNEED);
	area_target(&area, second);
	bm_migrate_batch(NULL, 20, area.pages + 50, area.targets, area.status, 0);
	bm_scan_init(&scan, sizeof(scan));
	scan.start = (uintptr_t)area.start;
	scan.end = scan.start + 100 * PAGE;
	scan.extents = extents;
	scan.extent_size = sizeof(extents[0]);
	scan.max = 1;
	ck_assert_int_eq(bm_scan_next(NULL, &scan), 1);
	ck_assert_uint_eq(extents[0].addr, (uintptr_t)area.start);
	ck_assert_uint_eq(extents[0].length, 10 * PAGE);
	ck_assert_uint_eq(scan.start, (uintptr_t)area.start + 15 * PAGE);
	scan.max = 4;
	ck_assert_int_eq(bm_scan_next(NULL, &scan), node_count > 1 ? 3 : 1);
	ck_assert_uint_eq(scan.start, scan.end);
	ck_assert_int_eq(extents[0].node, node_count ? nodes[0] : 0);
	if (node_count > 1) {
		ck_assert_uint_eq(extents[1].length, 20 * PAGE);
		ck_assert_int_eq(extents[1].node, second);
	}
	ck_assert_uint_eq(extents[0].kind, BM_PAGE_PRESENT);
	area_free(&area);
}
END_TEST

/* A scan may end anywhere, also beyond what a process can map. */
START_TEST(scan_of_everything)
{
	static const uint64_t ends[] = {UINT64_C(1) << 47, UINT64_C(1) << 62,
					UINT64_MAX - 3 * PAGE};
	static struct bm_extent extents[256];
	struct bm_scan scan;
	struct area area;

	area_new(&area, 10, node_count ? nodes[0] : 0);
	for (int i = 0; i < 3; i++) {
		uint64_t found = 0;
		long got;

		bm_scan_init(&scan, sizeof(scan));
		scan.start = (uintptr_t)area.start;
		scan.end = ends[i] & ~(PAGE - 1);
		scan.extents = extents;
		scan.extent_size = sizeof(extents[0]);
		scan.max = 256;
		for (int calls = 0; scan.start < scan.end; calls++) {
			ck_assert_int_lt(calls, 1000);
			got = bm_scan_next(NULL, &scan);
			ck_assert_int_ge(got, 0);
			for (long k = 0; k < got; k++)
				found += extents[k].length;
		}
		ck_assert_uint_ge(found, 10 * PAGE);
		ck_assert_uint_eq(scan.start, scan.end);
	}
	area_free(&area);
}
END_TEST

static const TTest *const *const tests[] = {
	&partial_pages_belong_to_it, &several_ranges,
	&bind_sets_the_policy,       &bind_of_scattered_pages_is_refused,
	&mbind_puts_policies_back,   &scan_finds_runs,
	&scan_of_everything,         NULL};
const struct report_group range_group = {"range", tests};
