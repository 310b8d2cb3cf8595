/* SPDX-License-Identifier: MIT */
/* rates.c - which way is taken for the cheapest, and how estimates follow. */
#include "rates.h"

#include "unit.h"

static struct bm_rates rates;

static void begin(void)
{
	bm_rates_init(&rates);
	rates.chunk_ns = 10000;
	rates.run_ns = 1000;
	rates.page_ns = 400;
	rates.populate_ns = 900;
	rates.direct_ns = 1000;
	rates.kernel_ns = 2000;
}

START_TEST(estimates_add_up)
{
	struct bm_rates_chunk chunk = {.pages = 100, .runs = 3, .lacking = 0};

	begin();
	ck_assert_uint_eq(bm_rates_swap_ns(&rates, &chunk), 10000 + 3000 + 40000);
	chunk.lacking = 50;
	ck_assert_uint_eq(bm_rates_swap_ns(&rates, &chunk), 10000 + 3000 + 40000 + 45000);
	ck_assert_uint_eq(bm_rates_direct_ns(&rates, &chunk), 10000 + 3000 + 100000);
	ck_assert_uint_eq(bm_rates_kernel_ns(&rates, &chunk), 200000);
}
END_TEST

/* Without the pool is cheaper only where the pool lacks enough. */
START_TEST(pool_or_not)
{
	struct bm_rates_chunk chunk = {.pages = 512, .runs = 1};

	begin();
	for (chunk.lacking = 0; chunk.lacking <= 512; chunk.lacking++) {
		uint64_t swap = bm_rates_swap_ns(&rates, &chunk);
		uint64_t direct = bm_rates_direct_ns(&rates, &chunk);

		/* 400 and 900 for what lacks against 1000 for all */
		ck_assert_int_eq(direct<swap, chunk.lacking * 900> 512 * 600);
	}
}
END_TEST

START_TEST(estimates_follow)
{
	struct bm_rates_chunk chunk = {.pages = 512, .runs = 1, .lacking = 512};
	uint64_t real = 10000 + 1000 + 512 * 3000;

	begin();
	for (int i = 0; i < 100; i++)
		bm_rates_follow_direct(&rates, &chunk, real);
	ck_assert_uint_ge(rates.direct_ns, 2980);
	ck_assert_uint_le(rates.direct_ns, 3000);
	/* That has nothing to do with the other ways. */
	ck_assert_uint_eq(rates.page_ns, 400);
	ck_assert_uint_eq(rates.kernel_ns, 2000);
	for (int i = 0; i < 100; i++)
		bm_rates_follow_kernel(&rates, 100, 50000);
	ck_assert_uint_ge(rates.kernel_ns, 500);
	ck_assert_uint_le(rates.kernel_ns, 520);
	for (int i = 0; i < 200; i++)
		bm_rates_follow(&rates, &chunk, bm_rates_swap_ns(&rates, &chunk) * 2);
	ck_assert_uint_gt(rates.scale, 1024);
}
END_TEST

/* One that took no time, or for ever, does not make a way free or forbidden. */
START_TEST(outliers)
{
	struct bm_rates_chunk chunk = {.pages = 512, .runs = 1};

	begin();
	for (int i = 0; i < 100; i++) {
		bm_rates_follow(&rates, &chunk, 0);
		bm_rates_follow_direct(&rates, &chunk, 0);
	}
	ck_assert_uint_ge(rates.scale, 256);
	ck_assert_uint_ge(rates.direct_ns, 1);
	for (int i = 0; i < 100; i++)
		bm_rates_follow(&rates, &chunk, UINT64_C(1) << 50);
	ck_assert_uint_le(rates.scale, 16 * 1024);
}
END_TEST

START_TEST(one_thread_where_runs_are_short)
{
	struct bm_rates_slice slice = {.chunks = 16, .pages = 8192, .runs = 16};

	bm_rates_init(&rates);
	rates.share_ns = 25000;
	ck_assert(!bm_rates_one_thread(&rates, &slice));
	slice.runs = 8192;
	ck_assert(bm_rates_one_thread(&rates, &slice));
	rates.share_ns = 100;
	ck_assert(!bm_rates_one_thread(&rates, &slice));
	slice = (struct bm_rates_slice){.huge = 64};
	rates.share_ns = 25000;
	ck_assert(!bm_rates_one_thread(&rates, &slice));
}
END_TEST

/* The longest of 1000 is followed, and what no chunk could change is not. */
START_TEST(tails_follow)
{
	struct bm_rates_chunk chunk = {.pages = 100, .runs = 1};
	uint64_t usual;

	bm_rates_init(&rates);
	usual = bm_rates_usual_window_ns(&rates, &chunk, 0);
	for (int i = 0; i < 20000; i++)
		bm_rates_follow_window(&rates, &chunk, 0, i % 100 ? usual : 2 * usual);
	/* One in 100 takes twice as long: more than one in 1000. */
	ck_assert_uint_ge(bm_rates_window_ns(&rates, &chunk, 0), 2 * usual - usual / 10);
	for (int i = 0; i < 1000; i++)
		bm_rates_follow_window(&rates, &chunk, 0, 100 * usual);
	for (int i = 0; i < 20000; i++)
		bm_rates_follow_window(&rates, &chunk, 0, usual);
	ck_assert_uint_le(bm_rates_usual_window_ns(&rates, &chunk, 0), usual + usual / 20);
	ck_assert_uint_le(bm_rates_window_ns(&rates, &chunk, 0), usual + usual / 4);
}
END_TEST

/* A huge page is not 512 pages to the pool; and one pause does not make all that is new dear. */
START_TEST(populating)
{
	struct bm_rates_chunk huge = {.pages = 512, .lacking = 512, .huge = 1}, there = huge;
	struct bm_rates_chunk base = {.pages = 512, .runs = 1, .lacking = 512};

	begin();
	there.lacking = 0;
	bm_rates_learn_populate(&rates, 60000, 0);
	ck_assert_uint_eq(bm_rates_swap_ns(&rates, &huge),
			  bm_rates_swap_ns(&rates, &there) + 60000);
	bm_rates_learn_populate(&rates, 9000000, 0);
	ck_assert_uint_le(bm_rates_swap_ns(&rates, &huge),
			  bm_rates_swap_ns(&rates, &there) + bm_rates_kernel_ns(&rates, &huge));
	bm_rates_learn_populate(&rates, 900000000, 512);
	ck_assert_uint_le(rates.populate_ns, rates.kernel_ns + 1);
	there = base;
	there.lacking = 0;
	ck_assert_uint_eq(bm_rates_swap_ns(&rates, &base),
			  bm_rates_swap_ns(&rates, &there) + 512 * rates.populate_ns);
	bm_rates_learn_populate(&rates, 1, 512);
	ck_assert_uint_eq(rates.populate_ns, 1);
}
END_TEST

/* Twice as long for ever is learnt; fifty times as long now and then is a pause. */
START_TEST(pauses_are_not_long_chunks)
{
	struct bm_rates_chunk chunk = {.pages = 512, .runs = 1, .huge = 1};
	uint64_t usual;

	begin();
	usual = bm_rates_usual_window_ns(&rates, &chunk, 0);
	for (int i = 0; i < 1000; i++) {
		bm_rates_follow_window(&rates, &chunk, 0, i % 5 ? usual : 50 * usual);
		ck_assert_uint_le(bm_rates_usual_window_ns(&rates, &chunk, 0), usual + usual / 5);
	}
	for (int i = 0; i < 50; i++)
		bm_rates_follow_window(&rates, &chunk, 0, 2 * usual);
	ck_assert_uint_ge(bm_rates_usual_window_ns(&rates, &chunk, 0), 2 * usual - usual / 10);
}
END_TEST

/* What is too long is tried once in 1000; what was too long only once is not refused for ever. */
START_TEST(refused_and_tried_again)
{
	struct bm_rates_chunk chunk = {.pages = 512, .runs = 1, .huge = 1};
	uint64_t bound, tries = 0;

	begin();
	bound = bm_rates_usual_window_ns(&rates, &chunk, 0) / 2;
	for (int i = 0; i < 100000; i++) {
		if (bm_rates_usual_window_ns(&rates, &chunk, 0) > bound &&
		    !bm_rates_try_window(&rates, &chunk, 0))
			continue;
		bm_rates_follow_window(&rates, &chunk, 0, 2 * bound);
		tries++;
	}
	ck_assert_uint_eq(tries, 100);
	while (!bm_rates_try_window(&rates, &chunk, 0))
		continue;
	for (int i = 0; i < 100; i++)
		bm_rates_follow_window(&rates, &chunk, 0, bound / 2);
	ck_assert_uint_lt(bm_rates_usual_window_ns(&rates, &chunk, 0), bound);
}
END_TEST

static const TTest *const *const tests[] = {&estimates_add_up,
					    &pool_or_not,
					    &estimates_follow,
					    &outliers,
					    &one_thread_where_runs_are_short,
					    &tails_follow,
					    &populating,
					    &pauses_are_not_long_chunks,
					    &refused_and_tried_again,
					    NULL};
const struct report_group rates_group = {"rates", tests};
