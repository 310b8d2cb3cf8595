/* SPDX-License-Identifier: MIT */
/* swap_memory.c - the mover swap: pages of all sizes, lists of all shapes, holes. */
#include "swap_support.h"

/* Moves the area once and looks at every page of it. */
static void move_and_check(struct swapper *swapper, struct area *area, int round)
{
	uint64_t *before = frames_of(area);

	ck_assert_int_eq(swapper_round(swapper, area, round), 0);
	check_swapped(swapper, area, before);
	ck_assert_uint_eq(stamp_wrong(area->start, area->length / PAGE, PAGE), 0);
	free(before);
}

START_TEST(base_pages_by_chunk_size)
{
	watchdog_start("swap_memory/base_pages_by_chunk_size");
	for (int64_t kb = 64; kb <= 2048; kb *= 2) {
		struct swapper swapper;
		struct area area;

		swapper_new(&swapper, kb, 1, 64);
		area_new_low(&area, 3, 0, nodes[0]);
		move_and_check(&swapper, &area, 0);
		/* Each byte was out of reach in one window, and no window is larger than that. */
		ck_assert_uint_ge(swapper.report.windows * (uint64_t)kb << 10,
				  swapper.report.bytes_swapped);
		if (swap_usable())
			ck_assert_uint_eq(swapper.report.bytes_swapped, area.length);
		area_free(&area);
		swapper_free(&swapper);
	}
	watchdog_stop();
}
END_TEST

START_TEST(base_pages_by_threads)
{
	watchdog_start("swap_memory/base_pages_by_threads");
	for (int threads = 1; threads <= 4; threads++) {
		struct swapper swapper;
		struct area area;

		swapper_new(&swapper, 256, threads, 64);
		area_new_low(&area, 8, 0, nodes[0]);
		for (int round = 0; round < 3; round++)
			move_and_check(&swapper, &area, round);
		ck_assert_uint_le(swapper.report.threads, (unsigned int)threads);
		area_free(&area);
		swapper_free(&swapper);
	}
	watchdog_stop();
}
END_TEST

START_TEST(huge_pages_stay_huge)
{
	watchdog_start("swap_memory/huge_pages_stay_huge");
	for (int threads = 1; threads <= 4; threads++) {
		struct swapper swapper;
		struct area area;

		swapper_new(&swapper, 2048, threads, 64);
		area_new_huge(&area, 8, nodes[0]);
		for (int round = 0; round < 3; round++) {
			move_and_check(&swapper, &area, round);
			ck_assert_int_eq(smaps_kb(area.start, "AnonHugePages"),
					 (long)(area.length >> 10));
		}
		if (swap_usable()) {
			ck_assert_uint_eq(swapper.report.bytes_swapped, area.length);
			/* The kernel copies none of them. */
			ck_assert_uint_gt(swapper.report.ns_copy, 0);
		}
		area_free(&area);
		swapper_free(&swapper);
	}
	watchdog_stop();
}
END_TEST

/* A chunk smaller than a huge page does not make it two: it is whole, and true is told of it. */
START_TEST(huge_pages_in_small_chunks)
{
	struct swapper swapper;
	struct area area;

	watchdog_start("swap_memory/huge_pages_in_small_chunks");
	swapper_new(&swapper, 64, 2, 64);
	area_new_huge(&area, 4, nodes[0]);
	for (int round = 0; round < 3; round++) {
		uint64_t *before = frames_of(&area);

		ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
		ck_assert_uint_eq(status_wrong(&area), 0);
		if (swapper.report.bytes_swapped == area.length)
			ck_assert_uint_eq(frames_kept(&area, before), 0);
		ck_assert_int_eq(smaps_kb(area.start, "AnonHugePages"), (long)(area.length >> 10));
		ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
		free(before);
	}
	check_any_swapped(&swapper);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* One mapping: every other 2 MiB of it is a huge page, those between are base pages. */
static void area_new_mixed(struct area *area, size_t huge_count)
{
	area_new_huge(area, huge_count, nodes[0]);
	prefer(nodes[0]);
	for (size_t i = 1; i < huge_count; i += 2) {
		/* All of it goes, and no page table stays that would be in the way. */
		madvise(area->start + i * HUGE, HUGE, MADV_NOHUGEPAGE);
		madvise(area->start + i * HUGE, HUGE, MADV_DONTNEED);
		stamp(area->start + i * HUGE, HUGE_PAGES, PAGE);
	}
	ck_assert_int_eq(madvise(area->start, area->length, MADV_HUGEPAGE), 0);
	prefer(-1);
	ck_assert_int_ge(smaps_kb(area->start, "AnonHugePages"), (long)(area->length >> 11));
}

START_TEST(mixed_sizes)
{
	struct swapper swapper;
	struct area area;

	watchdog_start("swap_memory/mixed_sizes");
	swapper_new(&swapper, 2048, 2, 64);
	area_new_mixed(&area, 10);
	for (int round = 0; round < 4; round++)
		move_and_check(&swapper, &area, round);
	ck_assert_int_ge(smaps_kb(area.start, "AnonHugePages"), (long)(area.length >> 11));
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Moves a list of pages of base pages; what it does not name stays where it was. */
static void move_list(struct area *whole, const size_t *list, size_t count, uint64_t unique)
{
	struct swapper swapper;
	struct area area;
	uint64_t *all = frames_of(whole), *named;

	swapper_new(&swapper, 512, 2, 64);
	area_over(&area, whole->start, count, PAGE);
	for (size_t i = 0; i < count; i++)
		area.pages[i] = whole->start + list[i] * PAGE + i % PAGE;
	named = frames_of(&area);
	ck_assert_int_eq(swapper_round(&swapper, &area, 0), 0);
	check_swapped(&swapper, &area, named);
	if (swap_usable()) {
		ck_assert_uint_eq(swapper.report.bytes_swapped, unique * PAGE);
		/* With two nodes NUMA balancing may move some more. */
		if (node_count == 1)
			ck_assert_uint_eq(frames_kept(whole, all), whole->count - unique);
	}
	ck_assert_uint_eq(stamp_wrong(whole->start, whole->count, PAGE), 0);
	free(named);
	free(all);
	area_free(&area);
	swapper_free(&swapper);
}

START_TEST(lists_of_all_shapes)
{
	static size_t list[4096];
	struct area whole;
	size_t count;

	watchdog_start("swap_memory/lists_of_all_shapes");
	area_new_low(&whole, 8, 0, nodes[0]);
	list[0] = 1234;
	move_list(&whole, list, 1, 1);
	for (count = 0; count < 60; count++)
		list[count] = count * 67 + 3;
	move_list(&whole, list, count, count);
	area_free(&whole);
	area_new_low(&whole, 8, 0, nodes[0]);
	for (count = 0; count < 2048; count++)
		list[count] = 2 * count;
	move_list(&whole, list, count, count);
	area_free(&whole);
	/* Each page three times, and downwards. */
	area_new_low(&whole, 8, 0, nodes[0]);
	for (count = 0; count < 3000; count++)
		list[count] = 2000 - count % 1000;
	move_list(&whole, list, count, 1000);
	area_free(&whole);
	watchdog_stop();
}
END_TEST

START_TEST(random_lists)
{
	static size_t list[4096];
	struct area whole;
	uint64_t seed = 88172645463325252u;

	watchdog_start("swap_memory/random_lists");
	for (int turn = 0; turn < 8; turn++) {
		static char seen[2048];
		size_t count = 0, unique = 0;

		memset(seen, 0, sizeof(seen));
		area_new_low(&whole, 4, 0, nodes[0]);
		while (count < 300u * (size_t)(turn + 1)) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			list[count] = seed % 2048;
			unique += !seen[list[count]];
			seen[list[count++]] = 1;
		}
		move_list(&whole, list, count, unique);
		area_free(&whole);
	}
	watchdog_stop();
}
END_TEST

START_TEST(there_and_back)
{
	struct swapper swapper;
	struct area area;
	struct box box;

	watchdog_start("swap_memory/there_and_back");
	swapper_new(&swapper, 0, 2, 64);
	for (int huge = 0; huge < 2; huge++) {
		int round = 0;

		area_new_low(&area, 6, huge, nodes[0]);
		box_start(&box, "there_and_back");
		while (box_open(&box))
			move_and_check(&swapper, &area, round++);
		if (huge)
			ck_assert_int_eq(smaps_kb(area.start, "AnonHugePages"),
					 (long)(area.length >> 10));
		area_free(&area);
	}
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static int is_zero(const char *page)
{
	static const char zeros[PAGE];

	return memcmp(page, zeros, PAGE) == 0;
}

/* Of four pages one is a hole, one the zero page, and two are stamped. */
static void check_holes(const struct swapper *swapper, const struct area *area)
{
	for (size_t i = 0; i < area->count; i++) {
		uint64_t entry = pagemap_of(area->pages[i]);

		if (i % 4 == 0) {
			ck_assert_uint_eq(entry & (PAGEMAP_PRESENT | 1ull << 62), 0);
			ck_assert(area->status[i] == -ENOENT || area->status[i] == -EFAULT);
			ck_assert(swapper->reasons[i] == BM_REASON_ABSENT ||
				  swapper->reasons[i] == BM_REASON_UNMAPPED);
		} else if (i % 4 == 1) {
			ck_assert_int_eq(area->status[i], -EFAULT);
			ck_assert_int_eq(swapper->reasons[i], BM_REASON_UNMAPPED);
			ck_assert(is_zero(area->pages[i]));
		} else {
			ck_assert_int_eq(area->status[i], area->targets[i]);
			ck_assert_int_eq(swapper->reasons[i], swap_refusal());
			ck_assert_uint_eq(stamp_wrong(area->pages[i], 1, PAGE), 0);
		}
	}
}

START_TEST(holes_and_zero_pages)
{
	struct swapper swapper;
	struct area area;
	volatile char sum = 0;

	watchdog_start("swap_memory/holes_and_zero_pages");
	swapper_new(&swapper, 256, 2, 64);
	area_new_low(&area, 1, 0, nodes[0]);
	for (size_t i = 0; i < area.count; i += 4) {
		madvise(area.pages[i], 2 * PAGE, MADV_DONTNEED);
		sum = (char)(sum + *(volatile char *)area.pages[i + 1]);
	}
	for (int round = 0; round < 4; round++) {
		ck_assert_int_eq(swapper_round(&swapper, &area, round), (long)area.count / 2);
		ck_assert_uint_eq(status_wrong(&area), 0);
		check_holes(&swapper, &area);
	}
	check_any_swapped(&swapper);
	/* They are like any other when they are written now. */
	for (size_t i = 0; i < area.count; i += 4)
		ck_assert(is_zero(area.pages[i]) && is_zero(area.pages[i + 1]));
	stamp(area.start, area.count, PAGE);
	swapper_round(&swapper, &area, 0);
	move_and_check(&swapper, &area, 1);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* 2 MiB that were only read may be one huge zero page; the next 2 MiB are huge. */
START_TEST(huge_zero_page)
{
	struct swapper swapper;
	struct area area;
	volatile char sum = 0;

	watchdog_start("swap_memory/huge_zero_page");
	swapper_new(&swapper, 2048, 1, 64);
	area_new_huge(&area, 2, nodes[0]);
	madvise(area.start, HUGE, MADV_DONTNEED);
	sum = (char)(sum + *(volatile char *)area.start);
	ck_assert_int_eq(swapper_round(&swapper, &area, 0), (long)HUGE_PAGES);
	ck_assert_uint_eq(status_wrong(&area), 0);
	check_any_swapped(&swapper);
	for (size_t i = 0; i < HUGE_PAGES; i++) {
		ck_assert_int_lt(area.status[i], 0);
		ck_assert(is_zero(area.pages[i]));
	}
	stamp(area.start, HUGE_PAGES, PAGE);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

START_TEST(unmapped_addresses)
{
	struct swapper swapper;
	struct area area;

	watchdog_start("swap_memory/unmapped_addresses");
	swapper_new(&swapper, 0, 2, 64);
	area_new_low(&area, 6, 0, nodes[0]);
	munmap(area.start + 700 * PAGE, 1500 * PAGE);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(swapper_round(&swapper, &area, round), 1500);
		ck_assert_uint_eq(status_wrong(&area), 0);
		for (size_t i = 700; i < 2200; i++) {
			ck_assert_int_eq(area.status[i], -EFAULT);
			ck_assert_int_eq(swapper.reasons[i], BM_REASON_UNMAPPED);
		}
	}
	check_any_swapped(&swapper);
	ck_assert_uint_eq(stamp_wrong(area.start, 700, PAGE), 0);
	ck_assert_uint_eq(stamp_wrong(area.start + 2200 * PAGE, area.count - 2200, PAGE), 0);
	/* Nothing has been put there. */
	ck_assert_int_eq(msync(area.start + 700 * PAGE, PAGE, MS_ASYNC), -1);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&base_pages_by_chunk_size,
					    &base_pages_by_threads,
					    &huge_pages_stay_huge,
					    &huge_pages_in_small_chunks,
					    &mixed_sizes,
					    &lists_of_all_shapes,
					    &random_lists,
					    &there_and_back,
					    &holes_and_zero_pages,
					    &huge_zero_page,
					    &unmapped_addresses,
					    NULL};
const struct report_group swap_memory_group = {"swap_memory", tests};
