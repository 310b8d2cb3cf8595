/* SPDX-License-Identifier: MIT */
/* swap_parts.c - the mover swap: parts of huge pages, ranges, and when it is not used at all. */
#include "swap_support.h"

#define MTHP "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

/* Moves some pages of huge pages and expects that the huge pages moved whole. */
static void move_part(size_t huge_count, size_t from, size_t count)
{
	size_t first = from / HUGE_PAGES, end = (from + count + HUGE_PAGES - 1) / HUGE_PAGES;
	struct area whole, part, touched;
	struct swapper swapper;
	uint64_t *before, *named;

	swapper_new(&swapper, 2048, 2, 64);
	area_new_huge(&whole, huge_count, nodes[0]);
	area_over(&part, whole.start + from * PAGE, count, PAGE);
	area_over(&touched, whole.start + first * HUGE, (end - first) * HUGE_PAGES, PAGE);
	for (int round = 0; round < 3; round++) {
		before = frames_of(&touched);
		named = frames_of(&part);
		ck_assert_int_eq(swapper_round(&swapper, &part, round), 0);
		check_swapped(&swapper, &part, named);
		if (swap_usable())
			ck_assert_uint_eq(frames_kept(&touched, before), 0);
		for (size_t i = 0; i < touched.count; i++)
			ck_assert_int_eq(node_of(touched.pages[i]), part.targets[0]);
		ck_assert_int_eq(smaps_kb(whole.start, "AnonHugePages"),
				 (long)(whole.length >> 10));
		ck_assert_uint_eq(stamp_wrong(whole.start, whole.count, PAGE), 0);
		free(before);
		free(named);
	}
	area_free(&touched);
	area_free(&part);
	area_free(&whole);
	swapper_free(&swapper);
}

START_TEST(part_of_a_huge_page)
{
	watchdog_start("swap_parts/part_of_a_huge_page");
	move_part(1, 300, 1);
	move_part(3, HUGE_PAGES + 511, 1);
	move_part(3, HUGE_PAGES, HUGE_PAGES / 2);
	move_part(3, HUGE_PAGES + 17, 400);
	watchdog_stop();
}
END_TEST

START_TEST(list_ends_within_huge_pages)
{
	watchdog_start("swap_parts/list_ends_within_huge_pages");
	move_part(6, HUGE_PAGES + 100, 3 * HUGE_PAGES);
	move_part(6, 511, 4 * HUGE_PAGES + 2);
	watchdog_stop();
}
END_TEST

/*
 * What is left of huge pages that are no longer mapped as such: swap may take
 * them or not, but then it says so, and nothing is lost.
 */
static void split_and_move(int by_mprotect)
{
	struct swapper swapper;
	struct area area;
	size_t swapped = 0;

	swapper_new(&swapper, 2048, 2, 64);
	area_new_huge(&area, 1, nodes[0]);
	/* It splits nothing, but khugepaged makes no huge page of what is left. */
	ck_assert_int_eq(madvise(area.start, area.length, MADV_NOHUGEPAGE), 0);
	if (by_mprotect) {
		mprotect(area.start + 50 * PAGE, 100 * PAGE, PROT_READ);
		mprotect(area.start + 50 * PAGE, 100 * PAGE, PROT_READ | PROT_WRITE);
	} else {
		madvise(area.start + 50 * PAGE, 100 * PAGE, MADV_DONTNEED);
		prefer(nodes[0]);
		stamp(area.start + 50 * PAGE, 100, PAGE);
		prefer(-1);
	}
	ck_assert_int_eq(smaps_kb(area.start, "AnonHugePages"), 0);
	for (int round = 0; round < 3; round++) {
		uint64_t *before = frames_of(&area), *after;

		ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
		ck_assert_uint_eq(status_wrong(&area), 0);
		after = frames_of(&area);
		for (size_t i = 0; i < area.count; i++) {
			int reason = swapper.reasons[i];

			ck_assert_int_eq(area.status[i], area.targets[i]);
			ck_assert_msg(reason == BM_REASON_NONE || reason == BM_REASON_LARGE_FOLIO ||
					      reason == swap_refusal(),
				      "page %zu: reason %s", i, bm_reason_name(reason));
			ck_assert(reason != BM_REASON_NONE || after[i] != before[i]);
			swapped += reason == BM_REASON_NONE;
		}
		ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
		free(before);
		free(after);
	}
	ck_assert_uint_eq(swapped * PAGE, swapper.swapped);
	area_free(&area);
	swapper_free(&swapper);
}

START_TEST(remains_of_a_huge_page)
{
	watchdog_start("swap_parts/remains_of_a_huge_page");
	split_and_move(0);
	split_and_move(1);
	watchdog_stop();
}
END_TEST

/* The same by ranges: the tallies are of base pages. */
static void move_ranges(struct swapper *swapper, struct area *area)
{
	struct bm_range ranges[2] = {{.addr = area->start + 100, .length = 1000 * PAGE},
				     {.addr = area->start + 1200 * PAGE, .length = 800 * PAGE}};
	struct bm_request request;
	struct bm_batch *batch = NULL;

	bm_request_init(&request, sizeof(request));
	request.flags = SWAP_FLAGS;
	request.mover = "swap";
	request.count = 2;
	request.ranges = ranges;
	request.range_size = sizeof(ranges[0]);
	ranges[0].node = ranges[1].node = node_of_round(0);
	ck_assert_int_eq(bm_submit(swapper->context, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	ck_assert_int_eq(bm_batch_report(batch, &swapper->report, sizeof(swapper->report)), 0);
	bm_batch_free(batch);
	for (int i = 0; i < 2; i++) {
		uint64_t pages = i ? 800 : 1001;

		ck_assert_int_eq(ranges[i].error, 0);
		ck_assert_uint_eq(ranges[i].tally.pages, pages);
		ck_assert_uint_eq(ranges[i].tally.failed, 0);
		if (swap_usable() || ranges[i].node != nodes[0])
			ck_assert_uint_eq(ranges[i].tally.moved, pages);
		else
			ck_assert_uint_eq(ranges[i].tally.already, pages);
	}
}

START_TEST(ranges)
{
	struct swapper swapper;
	struct area area;
	uint64_t *before;

	watchdog_start("swap_parts/ranges");
	swapper_new(&swapper, 256, 2, 64);
	area_new_low(&area, 4, 0, nodes[0]);
	before = frames_of(&area);
	move_ranges(&swapper, &area);
	if (swap_usable()) {
		ck_assert_uint_eq(swapper.report.bytes_swapped, 1801 * PAGE);
		ck_assert_uint_gt(swapper.report.windows, 0);
		if (node_count == 1)
			ck_assert_uint_eq(frames_kept(&area, before), area.count - 1801);
	}
	for (size_t i = 0; i < 1001; i++)
		ck_assert_int_eq(node_of(area.pages[i]), node_of_round(0));
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	free(before);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Named without the promise it is not used, and says so; the kernel moves what there is to. */
START_TEST(no_promise)
{
	struct bm_options options;
	struct swapper swapper;
	struct area area;

	watchdog_start("swap_parts/no_promise");
	swapper_new(&swapper, 0, 1, 0);
	bm_context_free(swapper.context);
	bm_options_init(&options, sizeof(options));
	options.quiet = "no";
	/* To name a device, as the environment may, is the promise. */
	options.backend = "auto";
	ck_assert_int_eq(bm_context_new(&options, &swapper.context), 0);
	swapper.flags = BM_REPLACE;
	area_new_low(&area, 1, 0, nodes[0]);
	for (int round = 0; round < 2; round++) {
		uint64_t *before = frames_of(&area);

		ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
		for (size_t i = 0; i < area.count; i++) {
			int reason = swapper.reasons[i];

			ck_assert_int_eq(area.status[i], area.targets[i]);
			ck_assert_msg(reason == BM_REASON_NO_PROMISE ||
					      (reason && reason == swap_refusal()),
				      "page %zu: reason %s", i, bm_reason_name(reason));
		}
		ck_assert_uint_eq(swapper.report.bytes_swapped + swapper.report.windows, 0);
		ck_assert_uint_eq(frames_kept(&area, before), node_count > 1 ? 0 : area.count);
		free(before);
	}
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Without BM_REPLACE what is there already is not touched. */
START_TEST(nothing_to_replace)
{
	struct swapper swapper;
	struct area area;
	uint64_t *before;

	watchdog_start("swap_parts/nothing_to_replace");
	swapper_new(&swapper, 0, 2, 64);
	area_new_low(&area, 2, 0, nodes[0]);
	before = frames_of(&area);
	area_target(&area, nodes[0]);
	swapper.flags = BM_QUIET;
	ck_assert_int_eq(swapper_submit(&swapper, &area), 0);
	for (size_t i = 0; i < area.count; i++) {
		ck_assert_int_eq(area.status[i], nodes[0]);
		ck_assert_int_eq(swapper.reasons[i], BM_REASON_ALREADY);
	}
	ck_assert_uint_eq(frames_kept(&area, before), area.count);
	ck_assert_uint_eq(swapper.report.tally.already, area.count);
	ck_assert_uint_eq(swapper.report.bytes_swapped, 0);
	/* And with it, it is. */
	swapper.flags = SWAP_FLAGS;
	ck_assert_int_eq(swapper_submit(&swapper, &area), 0);
	check_swapped(&swapper, &area, before);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	free(before);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

START_TEST(large_folios)
{
	size_t large, after;
	struct area area;

	watchdog_start("swap_parts/large_folios");
	if (setting(MTHP, "madvise") < 0)
		skip_test("large folios of 64 KiB need Linux 6.8 and root");
	area_new_low(&area, 1, 0, nodes[0]);
	munmap(area.start + HUGE / 2, HUGE / 2);
	area.count = HUGE_PAGES / 2;
	madvise(area.start, HUGE / 2, MADV_DONTNEED);
	madvise(area.start, HUGE / 2, MADV_HUGEPAGE);
	prefer(nodes[0]);
	stamp(area.start, area.count, PAGE);
	prefer(-1);
	large = pages_flagged(&area, FLAG_HEAD | FLAG_TAIL, NULL);
	expect_left(&area, BM_REASON_LARGE_FOLIO);
	after = pages_flagged(&area, FLAG_HEAD | FLAG_TAIL, NULL);
	settings_back();
	ck_assert_uint_gt(large, 0);
	/* What the kernel makes of them on their way is its own. */
	if (node_count == 1)
		ck_assert_uint_eq(after, large);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {
	&part_of_a_huge_page, &list_ends_within_huge_pages, &remains_of_a_huge_page, &ranges,
	&no_promise,          &nothing_to_replace,          &large_folios,           NULL};
const struct report_group swap_parts_group = {"swap_parts", tests};
