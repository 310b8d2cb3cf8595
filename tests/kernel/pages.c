/* SPDX-License-Identifier: MIT */
/* pages.c - base pages: how many, in which order, to which nodes. */
#include "support.h"

#include <stdio.h>

START_TEST(one_page)
{
	struct area area;

	NEED_NODES();
	area_new(&area, 1, nodes[0]);
	ck_assert_int_eq(node_of(area.start), nodes[0]);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), 0);
	ck_assert_int_eq(area.status[0], nodes[1]);
	ck_assert_int_eq(node_of(area.start), nodes[1]);
	ck_assert_uint_eq(stamp_wrong(area.start, 1, PAGE), 0);
	area_free(&area);
}
END_TEST

static void move_there_and_back(size_t count)
{
	struct area area;

	area_new(&area, count, nodes[0]);
	for (int round = 0; round < 2; round++) {
		int target = nodes[1 - round];

		area_target(&area, target);
		ck_assert_int_eq(area_move(&area, 0), 0);
		for (size_t i = 0; i < count; i++)
			ck_assert_int_eq(area.status[i], target);
		ck_assert_uint_eq(status_wrong(&area), 0);
		ck_assert_uint_eq(stamp_wrong(area.start, count, PAGE), 0);
	}
	area_free(&area);
}

START_TEST(few_pages)
{
	NEED_NODES();
	for (size_t count = 2; count < 2000; count = count * 3 + 1)
		move_there_and_back(count);
}
END_TEST

START_TEST(many_pages)
{
	/* A million pages are 4 GiB: with BM_TEST_FULL and the memory for it. */
	size_t count = getenv("BM_TEST_FULL") ? 1000000 : 40000;

	NEED_NODES();
	move_there_and_back(count);
}
END_TEST

START_TEST(all_nodes_to_all)
{
	struct area area;

	NEED_NODES();
	for (int from = 0; from < node_count; from++) {
		for (int to = 0; to < node_count; to++) {
			area_new(&area, 300, nodes[from]);
			area_target(&area, nodes[to]);
			ck_assert_int_eq(area_move(&area, 0), 0);
			ck_assert_int_eq(area.status[299], nodes[to]);
			ck_assert_uint_eq(status_wrong(&area), 0);
			ck_assert_uint_eq(stamp_wrong(area.start, 300, PAGE), 0);
			area_free(&area);
		}
	}
}
END_TEST

START_TEST(interleaved_targets)
{
	struct area area;

	NEED_NODES();
	area_new(&area, 6000, nodes[0]);
	for (size_t i = 0; i < area.count; i++)
		area.targets[i] = nodes[i % (size_t)node_count];
	ck_assert_int_eq(area_move(&area, 0), 0);
	for (size_t i = 0; i < area.count; i++)
		ck_assert_int_eq(area.status[i], area.targets[i]);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(any_order_unaligned_repeated)
{
	struct area area;
	size_t count = 5000;

	NEED_NODES();
	area_new(&area, count, nodes[0]);
	area_target(&area, nodes[1]);
	/* 2477 is no divisor of 4000: these come in a scrambled order, the rest repeat them. */
	for (size_t i = 0; i < count; i++)
		area.pages[i] = area.start + (i * 2477 % 4000) * PAGE + i % PAGE;
	ck_assert_int_eq(area_move(&area, 0), 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_int_eq(node_of(area.start + 3999 * PAGE), nodes[1]);
	ck_assert_int_eq(node_of(area.start + 4000 * PAGE), nodes[0]);
	ck_assert_uint_eq(stamp_wrong(area.start, count, PAGE), 0);
	area_free(&area);
}
END_TEST

START_TEST(contradictions)
{
	struct area area;
	unsigned char reasons[4];

	NEED_NODES();
	area_new(&area, 4, nodes[0]);
	area.pages[2] = area.start + 17;
	area.targets[0] = nodes[1];
	area.targets[1] = nodes[1];
	area.targets[2] = nodes[0];
	area.targets[3] = nodes[0];
	ck_assert_int_eq(area_submit(&area, NULL, reasons), 1);
	/* Entries 0 and 2 name one page: the later one decides. */
	ck_assert_int_eq(area.status[0], nodes[0]);
	ck_assert_int_eq(area.status[1], nodes[1]);
	ck_assert_int_eq(area.status[2], nodes[0]);
	ck_assert_int_eq(reasons[0], BM_REASON_CONTRADICTED);
	ck_assert_int_eq(reasons[1], BM_REASON_NONE);
	ck_assert_int_eq(reasons[2], BM_REASON_ALREADY);
	ck_assert_int_eq(reasons[3], BM_REASON_ALREADY);
	area_free(&area);
}
END_TEST

/* Alternating permissions keep the kernel from merging the mappings. */
START_TEST(thousands_of_mappings)
{
	struct area area;
	size_t count = 6000;

	NEED_NODES();
	area_new(&area, count, nodes[0]);
	for (size_t i = 0; i < count; i += 2)
		ck_assert_int_eq(mprotect(area.start + i * PAGE, PAGE, PROT_READ), 0);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(area_move(&area, 0), 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, count, PAGE), 0);
	area_free(&area);
}
END_TEST

/* Every third page is on its target; with reasons each of them is told, without some. */
static void third_is_there(int with_reasons)
{
	size_t count = 9000;
	unsigned char *reasons = calloc(count, 1);
	struct bm_stats stats;
	struct area area;

	area_new(&area, count, nodes[0]);
	for (size_t i = 0; i < count; i++)
		area.targets[i] = nodes[i % 3 == 0];
	ck_assert_int_eq(area_move(&area, 0), 0);
	bm_stats_reset(NULL);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(with_reasons ? area_submit(&area, NULL, reasons) : area_move(&area, 0), 0);
	ck_assert_uint_eq(status_wrong(&area), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, count, PAGE), 0);
	ck_assert_int_eq(bm_stats_get(NULL, &stats, sizeof(stats)), 0);
	ck_assert_uint_eq(stats.tally.pages, count);
	ck_assert_uint_eq(stats.tally.moved, count - stats.tally.already);
	ck_assert_uint_le(stats.tally.already, count / 3);
	for (size_t i = 0; with_reasons && i < count; i++)
		ck_assert_int_eq(reasons[i], i % 3 ? BM_REASON_NONE : BM_REASON_ALREADY);
	if (with_reasons)
		ck_assert_uint_eq(stats.tally.already, count / 3);
	area_free(&area);
	free(reasons);
}

START_TEST(some_are_there_already)
{
	NEED_NODES();
	third_is_there(0);
	third_is_there(1);
}
END_TEST

START_TEST(movers_by_name)
{
	static const char *const names[] = {"move_pages", "mbind"};
	struct bm_request request;
	struct bm_report report;
	struct bm_batch *batch;
	struct area area;

	NEED_NODES();
	for (int i = 0; i < 2; i++) {
		area_new(&area, 9000, nodes[0]);
		/* A hole, and a page that is to stay: neither may be touched. */
		madvise(area.start + 100 * PAGE, PAGE, MADV_DONTNEED);
		area_target(&area, nodes[1]);
		area.targets[200] = nodes[0];
		bm_request_init(&request, sizeof(request));
		request.count = area.count;
		request.pages = area.pages;
		request.nodes = area.targets;
		request.status = area.status;
		request.mover = names[i];
		ck_assert_int_eq(bm_submit(NULL, &request, &batch), 0);
		ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 1);
		ck_assert_int_eq(bm_batch_report(batch, &report, sizeof(report)), 0);
		ck_assert_str_eq(report.mover, names[i]);
		bm_batch_free(batch);
		ck_assert_int_eq(area.status[100], node_of(area.pages[100]));
		ck_assert_int_lt(area.status[100], 0);
		ck_assert_int_eq(area.status[200], nodes[0]);
		ck_assert_int_eq(area.status[8999], nodes[1]);
		ck_assert_uint_eq(status_wrong(&area), 0);
		madvise(area.start + 100 * PAGE, PAGE, MADV_POPULATE_WRITE);
		stamp(area.start + 100 * PAGE, 1, PAGE);
		ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
		area_free(&area);
	}
}
END_TEST

static const TTest *const *const tests[] = {&one_page,
					    &few_pages,
					    &many_pages,
					    &all_nodes_to_all,
					    &interleaved_targets,
					    &any_order_unaligned_repeated,
					    &contradictions,
					    &thousands_of_mappings,
					    &some_are_there_already,
					    &movers_by_name,
					    NULL};
const struct report_group pages_group = {"pages", tests};
