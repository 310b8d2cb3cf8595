/* SPDX-License-Identifier: MIT */
/* ptdma_waits.c - when a ring is looked at, and how the time until then is passed. */
#include <errno.h>

#include "ptdma_bed.h"
#include "unit.h"

#define TAIL (BM_PTDMA_QUEUE + BM_PTDMA_TAIL)

static struct bm_copy copies[BED_PAGES];

/* So many copies in one ring, at time 0. */
static void begin(int count)
{
	bed_begin(1, 128, 1);
	bed.tick = 0;
	bed_copies(copies, (size_t)count, 0);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, (size_t)count), 0);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, (size_t)count), count);
}

static void end(void)
{
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(0)), 0);
	bed_end();
}

static struct bm_ptdma_ring *ring(void)
{
	return &bed.engine->rings[0];
}

/* 64 pages at 5 GB/s are 51 us: half of that is the first time that it is worth to look. */
START_TEST(half_of_the_rest_and_half_again)
{
	uint64_t last = 0;

	begin(64);
	ck_assert_uint_eq(bm_ptdma_expects(ring()), 64 * BED_PAGE / 5);
	bed_step(0, 32);
	bed.clock = 64 * BED_PAGE / 10 - 1;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	bed.clock++;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 32);
	for (unsigned int left = 32; left > 1; left /= 2) {
		uint64_t pause = ring()->due - bed.clock;

		ck_assert(last == 0 || pause < last);
		ck_assert_uint_le(pause, 1000 + bm_ptdma_expects(ring()) / 2);
		last = pause;
		bed_step(0, left / 2);
		bed.clock = ring()->due - 1;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
		bed.clock++;
		ck_assert_int_eq(bed_reap(bed_channel(0)), (int)left / 2);
	}
	end();
}
END_TEST

/* A slow function is asked less often after a while, a fast one more. */
START_TEST(rates_are_learned)
{
	uint64_t first, slow;

	begin(100);
	first = ring()->due;
	for (int i = 0; i < 20; i++) {
		bed.clock += 20000;
		bed_step(0, 3);
		while (bed_reap(bed_channel(0)) == 0)
			bed.clock += 500;
	}
	bed_step(0, 100);
	bed.clock += 1000000;
	ck_assert_int_gt(bed_reap(bed_channel(0)), 0);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 100), 100);
	slow = ring()->due - bed.clock;
	ck_assert_uint_gt(slow, 3 * first);
	for (int i = 0; i < 30; i++) {
		bed_step(0, 100);
		bed.clock = ring()->due;
		ck_assert_int_gt(bed_reap(bed_channel(0)), 0);
		ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 100), 100);
		bed.told_count = 0;
	}
	ck_assert_uint_lt(ring()->due - bed.clock, first);
	bed_step(0, 100);
	end();
}
END_TEST

static uint64_t wait_once(enum bm_engine_wait how)
{
	uint64_t before = bed.clock;

	bed.engine->env.wait = how;
	bm_backend_ptdma.wait(bed_channel(0));
	return bed.clock - before;
}

START_TEST(time_is_passed_as_asked)
{
	begin(10);
	bed.tick = 100;
	ck_assert_uint_ge(wait_once(BM_WAIT_POLL), ring()->due);
	ck_assert_uint_ge(bed.clock, ring()->due);
	ck_assert_uint_le(wait_once(BM_WAIT_POLL), 1000);
	ck_assert_uint_eq(bed.yields, 0);
	wait_once(BM_WAIT_YIELD);
	ck_assert_uint_eq(bed.yields, 1);
	/* There is nothing to monitor. */
	for (int i = 0; i < 1000; i++)
		wait_once(BM_WAIT_UMWAIT);
	ck_assert_uint_eq(bed.yields, 1);
	wait_once(BM_WAIT_AUTO);
	ck_assert_uint_eq(bed.yields, 2);
	bed_step(0, 10);
	ck_assert_int_eq(bed_reap(bed_channel(0)), 10);
	wait_once(BM_WAIT_AUTO);
	ck_assert_uint_eq(bed.yields, 2);
	end();
}
END_TEST

/* Nobody waits for long at a time: pages are out of reach, and others look, too. */
START_TEST(waits_are_short)
{
	begin(120);
	bed.tick = 100;
	ck_assert_uint_le(wait_once(BM_WAIT_POLL), 25000);
	ck_assert_uint_lt(bed.clock, ring()->due);
	bed_step(0, 120);
	end();
}
END_TEST

START_TEST(lost_doorbells_are_rung_again)
{
	uint32_t tail;

	begin(10);
	tail = bed_get(0, TAIL);
	bed_put(0, TAIL, bed_get(0, BM_PTDMA_QUEUE + BM_PTDMA_HEAD));
	bed.clock = 50000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	ck_assert_uint_ne(bed_get(0, TAIL), tail);
	bed.clock = 200000;
	ck_assert_uint_eq(bed_step(0, 10), 0);
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	ck_assert_uint_eq(bed_get(0, TAIL), tail);
	bed_step(0, 10);
	bed.clock = 300000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 10);
	bed_verify(copies, 10);
	end();
}
END_TEST

/* One bell for all that one submit() brings to a ring; a ring begins when the next one is filled. */
START_TEST(bells_are_few)
{
	bed_begin(2, 128, 1);
	bed_copies(copies, 40, 0);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, 40), 0);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 40), 40);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(bed.engine->rings[i].rung, bed.engine->rings[i].tail);
		ck_assert_uint_eq(bed_get((unsigned int)i, TAIL),
				  (uint32_t)bed.engine->rings[i].memory.bus +
					  32 * bed.engine->rings[i].tail);
	}
	bed_step(0, 40);
	bed_step(1, 40);
	bed.clock += 1000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 40);
	end();
}
END_TEST

static const TTest *const *const tests[] = {&half_of_the_rest_and_half_again,
					    &rates_are_learned,
					    &time_is_passed_as_asked,
					    &waits_are_short,
					    &lost_doorbells_are_rung_again,
					    &bells_are_few,
					    NULL};
const struct report_group ptdma_waits_group = {"ptdma_waits", tests};
