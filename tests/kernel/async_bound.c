/* SPDX-License-Identifier: MIT */
/* async_bound.c - what is left for the bound of the window, and what an estimate says before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "swap_support.h"

#define BLOCKS 8

static struct swapper swapper;
static struct area area;

/* One batch with a bound: as bm_batch_wait(). */
static long move_within(int64_t us, uint64_t flags)
{
	swapper.max_stall_us = us;
	swapper.flags = SWAP_FLAGS | flags;
	return swapper_round(&swapper, &area, 0);
}

/* No huge page is copied in 20 us: it stays, and says why; a wish moves it. */
START_TEST(huge_pages_that_take_longer)
{
	const struct bm_report *report = &swapper.report;
	uint64_t *before;

	if (!swap_usable())
		skip_test("swap is not usable here");
	watchdog_start("async_bound/huge_pages_that_take_longer");
	swapper_new(&swapper, 0, 1, 64);
	area_new_huge(&area, BLOCKS, nodes[0]);
	before = frames_of(&area);
	ck_assert_int_eq(move_within(20, 0), node_count > 1 ? (long)area.count : 0);
	for (size_t i = 0; i < area.count; i++) {
		ck_assert_int_eq(swapper.reasons[i], BM_REASON_BOUND);
		ck_assert_int_eq(area.status[i], node_count > 1 ? -ETIME : nodes[0]);
	}
	ck_assert_uint_eq(report->reasons[BM_REASON_BOUND], area.count);
	ck_assert_uint_eq(report->windows, 0);
	ck_assert_uint_eq(frames_kept(&area, before), area.count);
	ck_assert_int_eq(move_within(20, BM_BOUND_WISH), 0);
	ck_assert_uint_eq(report->windows, BLOCKS);
	ck_assert_uint_eq(report->bytes_swapped, area.count * PAGE);
	ck_assert_uint_eq(report->windows_late, BLOCKS);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	free(before);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Base pages all move, in windows that are as short as the bound asks for. */
START_TEST(windows_of_base_pages)
{
	const struct bm_report *report = &swapper.report;
	struct bm_report free_one;

	if (!swap_usable())
		skip_test("swap is not usable here");
	watchdog_start("async_bound/windows_of_base_pages");
	swapper_new(&swapper, 0, 1, 64);
	area_new_low(&area, BLOCKS, 0, nodes[0]);
	ck_assert_int_eq(move_within(BM_UNBOUNDED, 0), 0);
	free_one = *report;
	for (int round = 0; round < 4; round++)
		ck_assert_int_eq(move_within(100, BM_BOUND_WISH), 0);
	ck_assert_uint_gt(report->windows, 2 * free_one.windows);
	ck_assert_uint_lt(report->ns_window_p50, free_one.ns_window_p50);
	ck_assert_uint_ge(report->ns_window_p999, report->ns_window_p50);
	ck_assert_uint_ge(report->ns_window_max, report->ns_window_p50 / 16 * 15);
	ck_assert_uint_eq(report->bytes_swapped, area.count * PAGE);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Without a name it is `auto` that decides, and measures before. */
static void estimate(struct bm_estimate *told, int64_t us)
{
	struct bm_request request;

	area_target(&area, node_of_round(0));
	bm_request_init(&request, sizeof(request));
	request.flags = SWAP_FLAGS;
	request.max_stall_us = us;
	request.count = area.count;
	request.pages = area.pages;
	request.nodes = area.targets;
	request.status = area.status;
	memset(area.status, 0x77, area.count * sizeof(int));
	ck_assert_int_eq(bm_estimate(swapper.context, &request, told, sizeof(*told)), 0);
	for (size_t i = 0; i < area.count; i++)
		ck_assert_int_eq(area.status[i], 0x77777777);
}

/* What it says would move does, about as fast; and asking moves nothing. */
START_TEST(estimates)
{
	struct bm_estimate told;
	uint64_t *before, start, took;

	if (!swap_usable())
		skip_test("swap is not usable here");
	watchdog_start("async_bound/estimates");
	swapper_new(&swapper, 0, 1, 64);
	area_new_low(&area, BLOCKS, 0, nodes[0]);
	before = frames_of(&area);
	estimate(&told, 0);
	ck_assert_uint_eq(frames_kept(&area, before), area.count);
	ck_assert_uint_eq(told.pages, area.count);
	ck_assert_uint_eq(told.absent, 0);
	ck_assert_uint_eq(told.bytes, area.count * PAGE);
	ck_assert_uint_gt(told.ns_window_max, 0);
	start = now_ns();
	ck_assert_int_eq(move_within(BM_UNBOUNDED, 0), 0);
	took = now_ns() - start;
	ck_assert_uint_gt(told.ns, took / 30);
	ck_assert_uint_lt(told.ns, took * 30);
	estimate(&told, 100);
	ck_assert_uint_lt(told.ns_window_max, 200000);
	free(before);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Of a few pages it is what comes before the moving that takes long. */
START_TEST(estimates_of_few)
{
	struct bm_estimate told;
	uint64_t best = UINT64_MAX;

	if (!swap_usable())
		skip_test("swap is not usable here");
	watchdog_start("async_bound/estimates_of_few");
	swapper_new(&swapper, 0, 1, 64);
	area_new_low(&area, BLOCKS, 0, nodes[0]);
	area.count = 8;
	for (int i = 0; i < 5; i++) {
		uint64_t start;

		estimate(&told, 0);
		start = now_ns();
		ck_assert_int_eq(move_within(BM_UNBOUNDED, 0), 0);
		best = now_ns() - start < best ? now_ns() - start : best;
	}
	ck_assert_uint_gt(told.ns, best / 4);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* The first look at the machine takes less than 50 ms, when nobody is in the way. */
START_TEST(calibration_is_short)
{
	struct bm_estimate told;
	uint64_t best = UINT64_MAX;

	if (!swap_usable())
		skip_test("swap is not usable here");
	watchdog_start("async_bound/calibration_is_short");
	area_new_low(&area, 1, 0, nodes[0]);
	for (int i = 0; i < 5; i++) {
		uint64_t start;

		swapper_new(&swapper, 0, 1, 64);
		start = now_ns();
		estimate(&told, 0);
		if (now_ns() - start < best)
			best = now_ns() - start;
		swapper_free(&swapper);
	}
	printf("# the shortest of 5 calibrations: %.1f ms\n", (double)best / 1e6);
	/* Two nodes are emulated ones here. */
	if (node_count == 1)
		ck_assert_uint_lt(best, 50000000);
	area_free(&area);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&huge_pages_that_take_longer,
					    &windows_of_base_pages,
					    &estimates,
					    &estimates_of_few,
					    &calibration_is_short,
					    NULL};
const struct report_group async_bound_group = {"async_bound", tests};
