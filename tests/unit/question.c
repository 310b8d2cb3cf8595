/* SPDX-License-Identifier: MIT */
/* question.c - bm_query_pages() and bm_scan_next(). */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define P 4096u

/* One page of each kind, a huge page, one of hugetlb, and what is not mapped. */
static void make_kinds(int old)
{
	struct fake_area *area;

	fake_reset();
	fake.old = old;
	area = fake_map(BASE, 1024, 1);
	area->pages[1].present = 0;
	area->pages[2].present = 0;
	area->pages[2].swapped = 1;
	area->pages[3].zero = 1;
	area->pages[4].shared = 1;
	area->pages[5].file = 1;
	fake_folio(area, 512, 512, 1);
	area = fake_map(BASE + 2048 * P, 512, 2);
	area->hugetlb = 1;
	area->name = "/anon_hugepage (deleted)";
	fake_folio(area, 0, 512, 1);
}

static void query(int old)
{
	static const uint64_t at[] = {0, 1, 2, 3, 4, 5, 600, 2050, 1500};
	void *pages[9];
	int status[9];
	unsigned int kinds[9];
	struct bm_context *context;

	make_kinds(old);
	context = fake_context();
	for (size_t i = 0; i < 9; i++)
		pages[i] = (void *)(uintptr_t)(BASE + at[i] * P + 7 * i);
	ck_assert_int_eq(bm_query_pages(context, 0, 9, pages, status, kinds), 5);
	ck_assert_int_eq(status[0], 1);
	ck_assert_int_eq(status[1], old ? -EFAULT : -ENOENT);
	ck_assert_int_eq(status[2], -ENOENT);
	ck_assert_int_eq(status[3], -EFAULT);
	ck_assert_int_eq(status[6], 1);
	ck_assert_int_eq(status[7], 2);
	ck_assert_int_eq(status[8], -EFAULT);
	ck_assert_uint_eq(kinds[0], BM_PAGE_PRESENT);
	ck_assert_uint_eq(kinds[1], 0);
	ck_assert_uint_eq(kinds[2], BM_PAGE_SWAPPED);
	if (!old)
		ck_assert_uint_eq(kinds[3], BM_PAGE_PRESENT | BM_PAGE_ZERO);
	ck_assert_uint_eq(kinds[4], BM_PAGE_PRESENT | BM_PAGE_SHARED);
	ck_assert_uint_eq(kinds[5], BM_PAGE_PRESENT | BM_PAGE_FILE);
	ck_assert_uint_eq(kinds[8], BM_PAGE_UNMAPPED);
	if (!old) {
		ck_assert_uint_eq(kinds[6], BM_PAGE_PRESENT | BM_PAGE_HUGE);
		ck_assert_uint_eq(kinds[7], BM_PAGE_PRESENT | BM_PAGE_HUGE | BM_PAGE_HUGETLB);
	}
	/* Each output alone. */
	memset(status, 0x55, sizeof(status));
	ck_assert_int_eq(bm_query_pages(context, fake.other, 9, pages, status, NULL), 5);
	ck_assert_int_eq(status[7], 2);
	ck_assert_int_eq(bm_query_pages(context, fake.pid, 9, pages, NULL, kinds), 5);
	bm_context_free(context);
	fake_end();
}

START_TEST(query_each_kind)
{
	query(0);
}
END_TEST

START_TEST(query_each_kind_without_scan)
{
	query(1);
}
END_TEST

/* More than one block, and the last one of odd length. */
START_TEST(query_many)
{
	struct bm_context *context;
	struct scene scene;
	unsigned int *kinds = calloc(5001, sizeof(*kinds));

	fake_reset();
	fake_map(BASE, 5001, 3)->pages[4999].present = 0;
	context = fake_context();
	scene_line(&scene, 5001, 0);
	ck_assert_int_eq(bm_query_pages(context, 0, 5001, scene.pages, scene.status, kinds), 5000);
	for (size_t i = 0; i < 5001; i++) {
		ck_assert_int_eq(scene.status[i], i == 4999 ? -ENOENT : 3);
		ck_assert_uint_eq(kinds[i], i == 4999 ? 0 : BM_PAGE_PRESENT);
	}
	ck_assert_int_eq(bm_query_pages(context, 0, 0, NULL, NULL, NULL), 0);
	free(kinds);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(query_bad_input)
{
	void *page = (void *)(uintptr_t)BASE;
	int status = UNSET;
	struct bm_context *context;

	fake_reset();
	fake_map(BASE, 1, 0);
	context = fake_context();
	ck_assert_int_eq(bm_query_pages(context, 0, 1, NULL, &status, NULL), -EINVAL);
	ck_assert_int_eq(bm_query_pages(context, 0, 1, &page, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bm_query_pages(context, -1, 1, &page, &status, NULL), -EINVAL);
	ck_assert_int_eq(bm_query_pages(context, 0, SIZE_MAX, &page, &status, NULL), -E2BIG);
	ck_assert_int_eq(bm_query_pages(context, 31337, 1, &page, &status, NULL), -ESRCH);
	ck_assert_int_eq(status, UNSET);
	fake.refuse = -EPERM;
	ck_assert_int_eq(bm_query_pages(context, 0, 1, &page, &status, NULL), -EPERM);
	bm_context_free(context);
	fake_end();
}
END_TEST

static long scan_from(struct bm_context *context, struct bm_scan *scan, struct bm_extent *extents,
		      size_t max)
{
	bm_scan_init(scan, sizeof(*scan));
	scan->end = UINT64_C(1) << 46;
	scan->extents = extents;
	scan->extent_size = sizeof(*extents);
	scan->max = max;
	return bm_scan_next(context, scan);
}

static void scan_kinds(int old)
{
	struct bm_context *context;
	struct bm_extent extents[16];
	struct bm_scan scan;

	make_kinds(old);
	context = fake_context();
	bm_scan_init(&scan, sizeof(scan));
	scan.start = BASE;
	scan.end = BASE + 4096 * P;
	scan.extents = extents;
	scan.extent_size = sizeof(extents[0]);
	scan.max = 16;
	ck_assert_int_eq(bm_scan_next(context, &scan), old ? 5 : 6);
	ck_assert_uint_ge(scan.start, scan.end);
	ck_assert_uint_eq(extents[0].addr, BASE);
	ck_assert_uint_eq(extents[0].length, P);
	ck_assert_uint_eq(extents[1].addr, BASE + 4 * P);
	ck_assert_uint_eq(extents[1].kind, BM_PAGE_PRESENT | BM_PAGE_SHARED);
	ck_assert_uint_eq(extents[2].kind, BM_PAGE_PRESENT | BM_PAGE_FILE);
	ck_assert_uint_eq(extents[3].addr, BASE + 6 * P);
	if (!old) {
		ck_assert_uint_eq(extents[3].length, 506 * P);
		ck_assert_uint_eq(extents[4].length, 512 * P);
		ck_assert_uint_eq(extents[4].kind, BM_PAGE_PRESENT | BM_PAGE_HUGE);
		ck_assert_int_eq(extents[5].node, 2);
	}
	ck_assert_int_eq(bm_scan_next(context, &scan), 0);
	bm_context_free(context);
	fake_end();
}

START_TEST(scan_each_kind)
{
	scan_kinds(0);
}
END_TEST

START_TEST(scan_each_kind_without_scan)
{
	scan_kinds(1);
}
END_TEST

/* With whatever room, and beyond 64 Ki pages, the parts make the same whole. */
static void scan_parts(size_t max, int old)
{
	size_t count = 140000, present = 0;
	uint64_t pages = 0, last = 0, calls = 0;
	struct bm_extent extents[64];
	struct bm_context *context;
	struct fake_area *area;
	struct bm_scan scan;

	fake_reset();
	fake.old = old;
	area = fake_map(BASE, count, 0);
	for (size_t i = 0; i < count; i++) {
		area->pages[i].present = i / 3000 % 4 != 1;
		area->pages[i].node = (int)(i / 5000 % 4);
		present += area->pages[i].present;
	}
	context = fake_context();
	bm_scan_init(&scan, sizeof(scan));
	scan.start = old ? BASE - 512 * P : 0;
	scan.end = old ? BASE + count * P : UINT64_C(1) << 46;
	scan.extents = extents;
	scan.extent_size = sizeof(extents[0]);
	scan.max = max;
	while (scan.start < scan.end) {
		long got = bm_scan_next(context, &scan);

		ck_assert_int_ge(got, 0);
		ck_assert_uint_lt(calls++, 1000);
		for (long i = 0; i < got; i++) {
			ck_assert_uint_ge(extents[i].addr, last);
			last = extents[i].addr + extents[i].length;
			ck_assert_int_eq(extents[i].node, fake_node(extents[i].addr));
			pages += extents[i].length / P;
		}
	}
	ck_assert_uint_eq(pages, present);
	bm_context_free(context);
	fake_end();
}

START_TEST(scan_in_parts)
{
	scan_parts(64, 0);
	scan_parts(1, 0);
	scan_parts(64, 1);
}
END_TEST

/* The end may lie beyond the address space of a process. */
START_TEST(scan_to_the_end_of_all)
{
	struct bm_context *context;
	struct bm_extent extents[4];
	struct bm_scan scan;

	fake_reset();
	context = fake_context();
	bm_scan_init(&scan, sizeof(scan));
	scan.end = UINT64_MAX - 4096;
	scan.extents = extents;
	scan.extent_size = sizeof(extents[0]);
	scan.max = 4;
	ck_assert_int_eq(bm_scan_next(context, &scan), 0);
	ck_assert_uint_ge(scan.start, scan.end);
	fake_map(BASE, 10, 2);
	scan.start = 0;
	ck_assert_int_eq(bm_scan_next(context, &scan), 1);
	ck_assert_uint_eq(extents[0].length, 10 * P);
	ck_assert_uint_ge(scan.start, scan.end);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(scan_bad_input)
{
	struct bm_context *context;
	struct bm_extent extents[4];
	struct bm_scan scan;

	fake_reset();
	fake_map(BASE, 10, 2);
	context = fake_context();
	ck_assert_int_eq(bm_scan_init(NULL, sizeof(scan)), -EINVAL);
	ck_assert_int_eq(bm_scan_init(&scan, 1), -EINVAL);
	ck_assert_int_eq(bm_scan_next(context, NULL), -EINVAL);
	ck_assert_int_eq(scan_from(context, &scan, NULL, 4), -EINVAL);
	ck_assert_int_eq(scan_from(context, &scan, extents, 0), -EINVAL);
	ck_assert_int_eq(scan_from(context, &scan, extents, 4), 1);
	scan.start = 1;
	ck_assert_int_eq(bm_scan_next(context, &scan), -EINVAL);
	scan.start = 0;
	scan.extent_size = 8;
	ck_assert_int_eq(bm_scan_next(context, &scan), -EINVAL);
	scan.extent_size = sizeof(extents[0]);
	scan.pid = -1;
	ck_assert_int_eq(bm_scan_next(context, &scan), -EINVAL);
	scan.pid = 31337;
	ck_assert_int_eq(bm_scan_next(context, &scan), -ESRCH);
	scan.pid = 0;
	scan.end = UINT64_MAX;
	ck_assert_int_eq(bm_scan_next(context, &scan), -EINVAL);
	scan.size = 0;
	ck_assert_int_eq(bm_scan_next(context, &scan), -EINVAL);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&query_each_kind, &query_each_kind_without_scan,
					    &query_many,      &query_bad_input,
					    &scan_each_kind,  &scan_each_kind_without_scan,
					    &scan_in_parts,   &scan_to_the_end_of_all,
					    &scan_bad_input,  NULL};
const struct report_group question_group = {"question", tests};
