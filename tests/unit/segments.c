/* SPDX-License-Identifier: MIT */
/* segments.c - where pages belong after any series of the application's calls. */
#include "segments.h"

#include "scene.h"
#include "unit.h"

#define PAGES 64
#define SIZE  UINT64_C(4096)
#define HOME  UINT64_C(0x100000)

static struct bm_segment list[PAGES];
static struct bm_segments segments = {.list = list, .page_size = SIZE};

/* The oracle: each page on its own. */
static struct {
	uint64_t at;
	int state;
} pages[PAGES];

static void begin(void)
{
	bm_segments_init(&segments, HOME, PAGES);
	for (uint32_t i = 0; i < PAGES; i++) {
		pages[i].at = HOME + i * SIZE;
		pages[i].state = BM_SEGMENT_LIVE;
	}
}

static int mark(uint64_t start, uint64_t end, int state)
{
	int any = 0;

	for (uint32_t i = 0; i < PAGES; i++) {
		if (pages[i].state == BM_SEGMENT_GONE || pages[i].at < start || pages[i].at >= end)
			continue;
		pages[i].state = state;
		any = 1;
	}
	return any;
}

static int remap(uint64_t from, uint64_t to, uint64_t length)
{
	int any = 0;

	for (uint32_t i = 0; i < PAGES; i++) {
		if (pages[i].state == BM_SEGMENT_GONE || pages[i].at - from >= length)
			continue;
		pages[i].at += to - from;
		any = 1;
	}
	return any;
}

/* The segments say of each page what the oracle says, and of each once. */
static void check(void)
{
	uint32_t next = 0;

	ck_assert_uint_le(segments.count, PAGES);
	for (uint32_t i = 0; i < segments.count; i++) {
		ck_assert_uint_eq(list[i].first, next);
		ck_assert_uint_gt(list[i].count, 0);
		for (uint32_t k = 0; k < list[i].count; k++, next++) {
			ck_assert_uint_eq(list[i].at + k * SIZE, pages[next].at);
			ck_assert_int_eq((int)list[i].state, pages[next].state);
		}
	}
	ck_assert_uint_eq(next, PAGES);
}

START_TEST(whole_at_first)
{
	begin();
	ck_assert_uint_eq(segments.count, 1);
	ck_assert_uint_eq(segments.changes, 0);
	check();
	/* What is beside it changes nothing. */
	ck_assert_int_eq(bm_segments_mark(&segments, HOME - SIZE, HOME, BM_SEGMENT_GONE), 0);
	ck_assert_int_eq(
		bm_segments_mark(&segments, HOME + PAGES * SIZE, HOME + 99 * SIZE, BM_SEGMENT_GONE),
		0);
	ck_assert_uint_eq(segments.changes, 0);
	check();
}
END_TEST

START_TEST(ends_and_middle)
{
	static const struct {
		uint32_t first, end;
	} cuts[] = {{0, 1}, {63, 64}, {10, 20}, {0, 64}, {19, 21}, {0, 100}};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		uint64_t start = HOME + cuts[i].first * SIZE, end = HOME + cuts[i].end * SIZE;

		begin();
		ck_assert_int_eq(bm_segments_mark(&segments, start, end, BM_SEGMENT_REMOVED), 1);
		mark(start, end, BM_SEGMENT_REMOVED);
		check();
		ck_assert_int_eq(
			bm_segments_remap(&segments, start, start + 1000 * SIZE, end - start), 1);
		remap(start, start + 1000 * SIZE, end - start);
		check();
		ck_assert_uint_eq(segments.changes, 2);
	}
}
END_TEST

/* Every page in a place of its own: as many segments as there can be. */
START_TEST(as_many_as_pages)
{
	begin();
	for (uint32_t i = 0; i < PAGES; i += 2) {
		uint64_t from = HOME + i * SIZE, to = from + (1000 + i) * SIZE;

		bm_segments_remap(&segments, from, to, SIZE);
		remap(from, to, SIZE);
		check();
	}
	ck_assert_uint_eq(segments.count, PAGES);
	bm_segments_mark(&segments, 0, UINT64_MAX, BM_SEGMENT_GONE);
	mark(0, UINT64_MAX, BM_SEGMENT_GONE);
	check();
}
END_TEST

START_TEST(random_series)
{
	for (int round = 0; round < 2000; round++) {
		begin();
		for (int step = 0; step < 12; step++) {
			uint64_t from = HOME + rnd() % 200 * SIZE, length = (1 + rnd() % 40) * SIZE;
			/* Never onto itself: mremap(2) refuses that. */
			uint64_t to = HOME + (1000 + (uint64_t)step * 300 + rnd() % 100) * SIZE;
			int state = one_in(3) ? BM_SEGMENT_GONE : BM_SEGMENT_REMOVED;

			if (one_in(4) && step > 0)
				from += (1000 + (uint64_t)(step - 1) * 300) * SIZE;
			if (one_in(2))
				ck_assert_int_eq(bm_segments_mark(&segments, from, from + length,
								  (enum bm_segment_state)state),
						 mark(from, from + length, state));
			else
				ck_assert_int_eq(bm_segments_remap(&segments, from, to, length),
						 remap(from, to, length));
			check();
		}
	}
}
END_TEST

static const TTest *const *const tests[] = {&whole_at_first, &ends_and_middle, &as_many_as_pages,
					    &random_series, NULL};
const struct report_group segments_group = {"segments", tests};
