/* SPDX-License-Identifier: MIT */
/* range.c - batches of address ranges. */
#include <linux/mempolicy.h>

#include "scene.h"
#include "unit.h"

#define P 4096u

static struct bm_range range_of(uint64_t page, uint64_t pages, int node)
{
	return (struct bm_range){
		.addr = (void *)(uintptr_t)(BASE + page * P), .length = pages * P, .node = node};
}

static long move(struct bm_context *context, struct bm_range *ranges, size_t count)
{
	return bm_migrate_ranges(context, count, ranges, sizeof(*ranges), 0);
}

/* What a tally says of its pages, against the promise that the parts make the whole. */
static void tally_is(const struct bm_tally *tally, uint64_t moved, uint64_t already,
		     uint64_t failed)
{
	ck_assert_uint_eq(tally->moved, moved);
	ck_assert_uint_eq(tally->already, already);
	ck_assert_uint_eq(tally->failed, failed);
	ck_assert_uint_eq(tally->pages, moved + already + failed);
}

static void ends_and_holes(int old)
{
	struct bm_context *context;
	struct fake_area *area;
	struct bm_range range;

	fake_reset();
	fake.old = old;
	area = fake_map(BASE, 20, 0);
	area->pages[3].present = 0;
	area->pages[4].present = 0;
	area->pages[4].swapped = 1;
	area->pages[6].node = 1;
	context = fake_context();
	range = range_of(1, 8, 1);
	range.addr = (char *)range.addr + 4095;
	range.length = 7 * P + 2;
	/* Of the first and of the last page the range holds one byte. */
	ck_assert_int_eq(move(context, &range, 1), 0);
	ck_assert_int_eq(range.error, 0);
	tally_is(&range.tally, 6, 1, 2);
	ck_assert_int_eq(range.tally.by_errno[0].error, ENOENT);
	ck_assert_uint_eq(range.tally.by_errno[0].pages, 2);
	ck_assert_int_eq(fake_node(BASE), 0);
	ck_assert_int_eq(fake_node(BASE + P), 1);
	ck_assert_int_eq(fake_node(BASE + 9 * P), 1);
	ck_assert_int_eq(fake_node(BASE + 10 * P), 0);
	range.length = 0;
	ck_assert_int_eq(move(context, &range, 1), 0);
	tally_is(&range.tally, 0, 0, 0);
	ck_assert_int_eq(range.error, 0);
	bm_context_free(context);
	fake_end();
}

START_TEST(ends_and_holes_by_scan)
{
	ends_and_holes(0);
}
END_TEST

START_TEST(ends_and_holes_by_reading)
{
	ends_and_holes(1);
}
END_TEST

START_TEST(later_ranges_decide)
{
	struct bm_context *context;
	struct bm_range ranges[3];

	fake_reset();
	fake_map(BASE, 64, 0);
	context = fake_context();
	ranges[0] = range_of(0, 64, 1);
	ranges[1] = range_of(16, 16, 2);
	ranges[2] = range_of(24, 16, 3);
	ck_assert_int_eq(move(context, ranges, 3), 24 + 8);
	for (uint64_t i = 0; i < 64; i++)
		ck_assert_int_eq(fake_node(BASE + i * P), i < 16 || i >= 40 ? 1 : i < 24 ? 2 : 3);
	tally_is(&ranges[0].tally, 40, 0, 24);
	ck_assert_int_eq(ranges[0].tally.by_errno[0].error, 0);
	tally_is(&ranges[1].tally, 8, 0, 8);
	tally_is(&ranges[2].tally, 16, 0, 0);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(errors_of_ranges)
{
	struct bm_context *context;
	struct bm_range ranges[8];
	long result;

	fake_reset();
	fake_map(BASE, 8, 0);
	fake_map(BASE + 100 * P, 8, 0)->pages[0].node = 1;
	context = fake_context();
	ranges[0] = range_of(0, 4, 1);
	ranges[1] =
		(struct bm_range){.addr = (void *)(uintptr_t)BASE, .length = SIZE_MAX, .node = 1};
	ranges[2] = range_of(0, 1, -1);
	ranges[3] = range_of(0, 1, 100000);
	ranges[4] = range_of(50, 10, 1); /* nothing mapped */
	ranges[5] =
		(struct bm_range){.addr = (void *)(UINTPTR_MAX - 100), .length = 200, .node = 1};
	ranges[6] = range_of(4, 104, 1); /* across a gap */
	ranges[7] = (struct bm_range){
		.addr = (void *)(uintptr_t)BASE, .length = (size_t)1 << 62, .node = 1};
	result = move(context, ranges, 8);
	ck_assert_int_eq(ranges[0].error, 0);
	ck_assert_int_eq(ranges[1].error, -EINVAL);
	ck_assert_int_eq(ranges[2].error, -ENODEV);
	ck_assert_int_eq(ranges[3].error, -ENODEV);
	ck_assert_int_eq(ranges[4].error, -ENOMEM);
	ck_assert_int_eq(ranges[5].error, -EINVAL);
	ck_assert_int_eq(ranges[6].error, 0);
	ck_assert_int_eq(ranges[7].error, -EINVAL);
	ck_assert_int_eq(result, 6);
	tally_is(&ranges[6].tally, 11, 1, 92);
	for (size_t i = 1; i < 6; i++)
		ck_assert_uint_eq(ranges[i].tally.pages, 0);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* A node that could be but has no memory: the errors of its pages. */
START_TEST(pages_that_cannot_move)
{
	struct bm_context *context;
	struct fake_area *area;
	struct bm_range ranges[2];

	fake_reset();
	area = fake_map(BASE, 16, 0);
	area->pages[2].pinned = -1;
	context = fake_context_with("BATCHMIG_RETRIES", "1");
	ranges[0] = range_of(0, 8, 1);
	ranges[1] = range_of(8, 8, 6);
	ck_assert_int_eq(move(context, ranges, 2), 9);
	tally_is(&ranges[0].tally, 7, 0, 1);
	ck_assert_int_eq(ranges[0].tally.by_errno[0].error, EBUSY);
	tally_is(&ranges[1].tally, 0, 0, 8);
	ck_assert_int_eq(ranges[1].tally.by_errno[0].error, ENODEV);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* The caller's struct may be longer than ours; its end is left alone. */
START_TEST(longer_elements)
{
	struct {
		struct bm_range range;
		uint64_t more[2];
	} newer[2];
	struct bm_context *context;

	fake_reset();
	fake_map(BASE, 8, 0);
	context = fake_context();
	memset(newer, 0x77, sizeof(newer));
	newer[0].range = range_of(0, 4, 1);
	newer[1].range = range_of(4, 4, 2);
	ck_assert_int_eq(bm_migrate_ranges(context, 2, &newer[0].range, sizeof(newer[0]), 0), 0);
	ck_assert_int_eq(fake_node(BASE + 7 * P), 2);
	ck_assert_uint_eq(newer[0].more[0], 0x7777777777777777u);
	ck_assert_int_eq(
		bm_migrate_ranges(context, 2, &newer[0].range, sizeof(struct bm_range) - 8, 0),
		-EINVAL);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* More pages than one portion holds; every third absent. */
static void portions(int old)
{
	size_t count = 150000, present = 0;
	struct bm_context *context;
	struct fake_area *area;
	struct bm_range ranges[2];
	struct bm_stats stats;

	fake_reset();
	fake.old = old;
	area = fake_map(BASE, count, 0);
	for (size_t i = 0; i < count; i++) {
		area->pages[i].present = i % 3 != 0;
		present += i % 3 != 0;
	}
	area->pages[count - 1].pinned = -1;
	context = fake_context_with("BATCHMIG_RETRIES", "0");
	ranges[0] = range_of(0, count - 10, 1);
	ranges[1] = range_of(count - 10, 10, 2);
	ck_assert_int_eq(move(context, ranges, 2), 1);
	ck_assert_uint_eq(ranges[0].tally.pages, count - 10);
	ck_assert_uint_eq(ranges[0].tally.moved + ranges[1].tally.moved, present - 1);
	ck_assert_uint_eq(ranges[1].tally.pages, 10);
	for (size_t i = 0; i < count - 1; i++) {
		if (area->pages[i].present && area->pages[i].node != (i < count - 10 ? 1 : 2))
			ck_abort_msg("page %zu is on %d", i, area->pages[i].node);
	}
	bm_stats_get(context, &stats, sizeof(stats));
	ck_assert_uint_eq(stats.calls, 1);
	ck_assert_uint_eq(stats.tally.pages, count);
	ck_assert_uint_eq(stats.reasons[BM_REASON_ABSENT], count - present);
	bm_context_free(context);
	fake_end();
}

START_TEST(several_portions)
{
	portions(0);
	portions(1);
}
END_TEST

START_TEST(huge_pages_at_the_ends)
{
	struct bm_context *context;
	struct fake_area *area;
	struct bm_range range;

	fake_reset();
	area = fake_map(BASE, 1536, 0);
	for (size_t i = 0; i < 3; i++)
		fake_folio(area, i * 512, 512, 1);
	context = fake_context();
	range = range_of(256, 1000, 1);
	ck_assert_int_eq(move(context, &range, 1), 0);
	tally_is(&range.tally, 1000, 0, 0);
	for (size_t i = 0; i < 1536; i++)
		ck_assert_int_eq(area->pages[i].node, 1);
	ck_assert_int_eq(area->pages[0].pmd, 1);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(bind_of_ranges)
{
	struct bm_context *context;
	struct bm_range ranges[2];

	fake_reset();
	fake_map(BASE, 32, 0)->pages[3].present = 0;
	context = fake_context();
	ranges[0] = range_of(0, 8, 1);
	ranges[1] = range_of(8, 8, 2);
	ck_assert_int_eq(bm_migrate_ranges(context, 2, ranges, sizeof(ranges[0]), BM_BIND), 0);
	for (uint64_t i = 0; i < 32; i++) {
		ck_assert_int_eq(fake_at(BASE + i * P)->policy,
				 i < 16 ? MPOL_PREFERRED : MPOL_DEFAULT);
		if (i < 16)
			ck_assert_int_eq(fake_at(BASE + i * P)->policy_node, i < 8 ? 1 : 2);
	}
	/* A node that is not there is called the same with and without BM_BIND. */
	ranges[0].node = 7;
	fake.memory &= ~(1u << 7);
	ck_assert_int_eq(bm_migrate_ranges(context, 1, ranges, sizeof(ranges[0]), BM_BIND), 8);
	ck_assert_int_eq(ranges[0].error, -ENODEV);
	ck_assert_int_eq(ranges[0].tally.by_errno[0].error, ENODEV);
	ranges[0].node = 1;
	fake_fail(1u << FAKE_MBIND, 1, -ENOMEM);
	ck_assert_int_eq(bm_migrate_ranges(context, 2, ranges, sizeof(ranges[0]), BM_BIND), 1);
	ck_assert_int_eq(ranges[0].error, -ENOMEM);
	ck_assert_int_eq(ranges[1].error, 0);
	tally_is(&ranges[0].tally, 0, 7, 1);
	fake_file("/proc/sys/vm/max_map_count", "4\n");
	ck_assert_int_eq(bm_migrate_ranges(context, 2, ranges, sizeof(ranges[0]), BM_BIND), -E2BIG);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(ranges_of_another_process)
{
	struct bm_context *context;
	struct bm_request request;
	struct bm_batch *batch = NULL;
	struct bm_range range;

	fake_reset();
	fake_map(BASE, 8, 0);
	context = fake_context();
	range = range_of(0, 8, 1);
	bm_request_init(&request, sizeof(request));
	request.count = 1;
	request.ranges = &range;
	request.range_size = sizeof(range);
	request.pid = 31337;
	ck_assert_int_eq(bm_submit(context, &request, &batch), -ESRCH);
	request.pid = fake.other;
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	tally_is(&range.tally, 8, 0, 0);
	bm_batch_free(batch);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&ends_and_holes_by_scan,
					    &ends_and_holes_by_reading,
					    &later_ranges_decide,
					    &errors_of_ranges,
					    &pages_that_cannot_move,
					    &longer_elements,
					    &several_portions,
					    &huge_pages_at_the_ends,
					    &bind_of_ranges,
					    &ranges_of_another_process,
					    NULL};
const struct report_group range_group = {"range", tests};
