/* SPDX-License-Identifier: MIT */
/* ptdma_errors.c - what is believed of a function that fails, and when it may go on. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "ptdma_bed.h"
#include "unit.h"

#define COUNT    20
#define LONG     UINT64_C(50000000)
#define QUEUE(r) (BM_PTDMA_QUEUE + (r))

static struct bm_copy copies[BED_PAGES];

/* Twenty copies in the first channel, of which five are done, and told. */
static void begin(uint32_t slots, uint32_t rings)
{
	bed_begin(1, slots, rings);
	bed_copies(copies, COUNT, 0);
	bm_backend_ptdma.batch(bed.engine, COUNT);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, COUNT), COUNT);
	bed_step(0, 5);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 5);
	ck_assert_uint_eq(bed.told_errors, 0);
}

static struct bm_ptdma_function *function(void)
{
	return &bed.engine->functions[0];
}

/* Everything that was not told before is told as failed, now. */
static void expect_failed(void)
{
	ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT - 5);
	ck_assert_uint_eq(bed.told_errors, COUNT - 5);
	bed_verify(copies, COUNT);
}

static void run_again(void)
{
	bed_run(bed_channel(0), copies, COUNT);
	ck_assert_uint_eq(bed.told_errors, 0);
	bed_verify(copies, COUNT);
}

static void unpin(int channel)
{
	ck_assert_int_eq(bm_backend_ptdma.unpin(bed_channel(channel)), 0);
}

/* What HALT shows has stopped by itself; what still has RUN goes on only after a reset. */
static void go_on_after_error(int has_halted)
{
	ck_assert_int_eq(bm_ptdma_how(function()), has_halted ? BM_PTDMA_LIVE : BM_PTDMA_DEAD);
	bed_put(0, QUEUE(BM_PTDMA_STATUS), 0);
	if (!has_halted) {
		unpin(0);
		ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
		ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
	}
	run_again();
	unpin(0);
	ck_assert_uint_eq(bed.resets, !has_halted);
}

/* An error is shown in one of three registers, and HEAD stays at the slot or goes past it. */
START_TEST(nothing_is_believed_at_an_error)
{
	static const struct {
		uint32_t at, value;
	} shown[] = {{QUEUE(BM_PTDMA_STATUS), 19},
		     {QUEUE(BM_PTDMA_INT_STATUS), BM_PTDMA_INT_ERROR},
		     {QUEUE(BM_PTDMA_CONTROL), BM_PTDMA_HALT}};

	for (unsigned int past = 0; past < 2; past++) {
		for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
			uint32_t head;

			begin(128, 1);
			bed_step(0, 3);
			/* The ninth: nothing of it is copied. */
			head = bed_get(0, QUEUE(BM_PTDMA_HEAD)) + past * BM_PTDMA_DESC_BYTES;
			bed_put(0, QUEUE(BM_PTDMA_HEAD), head);
			bed_put(0, shown[i].at, bed_get(0, shown[i].at) | shown[i].value);
			bed.clock += LONG;
			expect_failed();
			go_on_after_error(shown[i].at == QUEUE(BM_PTDMA_CONTROL));
			bed_end();
		}
	}
}
END_TEST

/* A code that stays there from the last time is none of now. */
START_TEST(old_errors_are_not_new)
{
	begin(128, 1);
	bed_put(0, QUEUE(BM_PTDMA_STATUS), 19);
	bed_step(0, 1);
	bed_put(0, QUEUE(BM_PTDMA_CONTROL), BM_PTDMA_HALT);
	bed.clock += LONG;
	expect_failed();
	run_again();
	unpin(0);
	bed_end();
}
END_TEST

static void fail_once(void)
{
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 1), 1);
	bed_step(0, 1);
	bed_put(0, QUEUE(BM_PTDMA_INT_STATUS), BM_PTDMA_INT_ERROR);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 1);
}

START_TEST(three_times_is_enough)
{
	begin(128, 1);
	bed_step(0, COUNT);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT - 5);
	for (int i = 0; i < 3; i++) {
		fail_once();
		ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_LIVE);
	}
	fail_once();
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
	ck_assert(!(bed.command[0] & PCI_COMMAND_MASTER));
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 1), -ENODEV);
	unpin(0);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
	ck_assert_uint_eq(bed.resets, 0);
	bed_end();
}
END_TEST

/* What HEAD cannot be is not believed; and for ever it is nothing. */
START_TEST(wild_heads)
{
	for (int i = 0; i < 5; i++) {
		uint32_t right, values[5];

		begin(128, 1);
		bed_step(0, 2);
		right = bed_get(0, QUEUE(BM_PTDMA_HEAD));
		values[0] = UINT32_MAX;
		values[1] = 0;
		values[2] = right + 4;
		values[3] = bed_get(0, QUEUE(BM_PTDMA_TAIL)) + BM_PTDMA_DESC_BYTES;
		values[4] = right - 5 * BM_PTDMA_DESC_BYTES;
		bed_put(0, QUEUE(BM_PTDMA_HEAD), values[i]);
		bed.clock += 10000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
		bed_put(0, QUEUE(BM_PTDMA_HEAD), right);
		bed.clock += 10000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 2);
		bed_put(0, QUEUE(BM_PTDMA_HEAD), values[i]);
		bed.clock += 10000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
		bed.clock += LONG;
		ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT - 7);
		ck_assert_uint_eq(bed.told_errors, COUNT - 7);
		bed_verify(copies, COUNT);
		/* Nobody knows what it is at: not without a reset. */
		ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
		unpin(0);
		ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
		ck_assert_uint_eq(bed.resets, 1);
		ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
		run_again();
		unpin(0);
		bed_end();
	}
}
END_TEST

/* Without RUN, and no error: the last one before HEAD waits for the next. */
START_TEST(stopped_at_the_last_one)
{
	uint32_t control;

	begin(128, 1);
	bed_step(0, 4);
	control = bed_get(0, QUEUE(BM_PTDMA_CONTROL));
	bed_put(0, QUEUE(BM_PTDMA_CONTROL), control & ~BM_PTDMA_RUN);
	bed.clock += 20000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 3);
	bed_put(0, QUEUE(BM_PTDMA_CONTROL), control);
	bed_step(0, 1);
	bed.clock += 20000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 2);
	bed_put(0, QUEUE(BM_PTDMA_CONTROL), control & ~BM_PTDMA_RUN);
	bed.clock += LONG;
	/* It may be so for a moment: how long it was before does not count. */
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	bed.clock += 2 * LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT - 10);
	ck_assert_uint_eq(bed.told_errors, COUNT - 10);
	bed_verify(copies, COUNT);
	unpin(0);
	bed_end();
}
END_TEST

/* What is dropped while it is no bus master: HEAD moves all the same. */
START_TEST(lost_bus_mastering)
{
	for (uint32_t slots = 0; slots <= 128; slots += 128) {
		begin(slots, 1);
		bed_step(0, 2);
		memset(bed.to + 5 * BED_PAGE, 0, 2 * BED_PAGE);
		bed.command[0] &= (uint16_t)~PCI_COMMAND_MASTER;
		bed.clock += LONG;
		/* Both and all that were in the ring are in doubt, and end when it has got past them. */
		ck_assert_int_eq(bed_reap(bed_channel(0)), 2);
		ck_assert(bed.command[0] & PCI_COMMAND_MASTER);
		ck_assert_uint_eq(atomic_load(&function()->losses), 1);
		bed_step(0, COUNT);
		bed.clock += LONG;
		ck_assert_int_eq(bed_reap(bed_channel(0)), COUNT - 7);
		ck_assert_uint_eq(bed.told_errors, COUNT - 5);
		bed_verify(copies, COUNT);
		run_again();
		unpin(0);
		bed_end();
	}
}
END_TEST

/* Another one has found it out, and made it a bus master again. */
START_TEST(another_ring_has_lost_it)
{
	bed_begin(1, 0, 2);
	bed_copies(copies, COUNT, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(i), copies + i * 10, 10), 0);
		ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(i), copies + i * 10, 10), 10);
	}
	bed_step(0, 3);
	memset(bed.to + 10 * BED_PAGE, 0, BED_PAGE);
	bed.command[0] &= (uint16_t)~PCI_COMMAND_MASTER;
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 3);
	ck_assert(bed.command[0] & PCI_COMMAND_MASTER);
	ck_assert_int_eq(bed_reap(bed_channel(1)), 3);
	ck_assert_uint_eq(bed.told_errors, 6);
	bed_step(0, 10);
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)) + bed_reap(bed_channel(1)), 14);
	ck_assert_uint_eq(bed.told_errors, 20);
	unpin(0);
	unpin(1);
	bed_end();
}
END_TEST

/* Bus mastering is one for all: the other channel's copies end, too, and only then it goes on. */
START_TEST(rings_of_one_function_fail_together)
{
	bed_begin(1, 0, 2);
	bed_copies(copies, COUNT, 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(i), copies + i * 10, 10), 0);
		ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(i), copies + i * 10, 10), 10);
	}
	bed_step(0, 10);
	bed_put(0, bed_channel(0)->rings[0]->registers + BM_AE4_STATUS, BM_AE4_FAILED << 1);
	bm_ptdma_desc_at(bed_channel(0)->rings[0], 0)->words[1] = BM_AE4_ERROR | 16 << 8;
	bed.clock += LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 10);
	ck_assert_uint_eq(bed.told_errors, 10);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_QUIET);
	ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 1), -EAGAIN);
	/* That it has copied them it said before nobody asked; by now it may be wrong. */
	ck_assert_int_eq(bed_reap(bed_channel(1)), 10);
	ck_assert_uint_eq(bed.told_errors, 20);
	ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_LIVE);
	bed_put(0, 0x20 + BM_AE4_STATUS, 0);
	bed_put(0, 0x40 + BM_AE4_STATUS, 0);
	bed_run(bed_channel(0), copies, 10);
	ck_assert_uint_eq(bed.told_errors, 0);
	bed_verify(copies, 10);
	unpin(0);
	unpin(1);
	bed_end();
}
END_TEST

/* The status comes after the index, or does not. */
START_TEST(statuses_lag)
{
	uint32_t *words;

	begin(0, 1);
	bed.lags = 1;
	bed_step(0, 3);
	bed.clock += 20000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	words = (uint32_t *)bed_channel(0)->rings[0]->memory.at;
	words[5 * 8 + 1] = BM_AE4_COMPLETED;
	words[7 * 8 + 1] = BM_AE4_COMPLETED;
	bed.clock += 20000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 1);
	bed.clock += LONG;
	/* It may come yet: it is for the caller to say when that has been long enough. */
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	bed.clock += 2 * LONG;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
	words[6 * 8 + 1] = BM_AE4_COMPLETED;
	bed.clock += 2 * LONG;
	ck_assert_int_gt(bed_reap(bed_channel(0)), 0);
	ck_assert_uint_eq(bed.told_errors, 0);
	unpin(0);
	bed_end();
}
END_TEST

/* It never ends: given up, it is not set going again before it was reset. */
START_TEST(stuck_is_reset)
{
	for (int fails = 0; fails < 2; fails++) {
		begin(128, 1);
		bed.reset_error = fails ? -ENOTTY : 0;
		bed.clock += LONG;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 0);
		unpin(0);
		ck_assert_uint_eq(bed.kept, 0);
		ck_assert(!(bed.command[0] & PCI_COMMAND_MASTER));
		ck_assert_int_eq(bm_ptdma_how(function()), BM_PTDMA_DEAD);
		ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
		ck_assert_uint_eq(bed.resets, 1);
		bed.told_count = 0;
		ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, COUNT), 0);
		if (fails)
			ck_assert_int_eq(bm_backend_ptdma.submit(bed_channel(0), copies, 1),
					 -ENODEV);
		else
			run_again();
		unpin(0);
		bed_end();
	}
}
END_TEST

static const TTest *const *const tests[] = {&nothing_is_believed_at_an_error,
					    &old_errors_are_not_new,
					    &three_times_is_enough,
					    &wild_heads,
					    &stopped_at_the_last_one,
					    &lost_bus_mastering,
					    &another_ring_has_lost_it,
					    &rings_of_one_function_fail_together,
					    &statuses_lag,
					    &stuck_is_reset,
					    NULL};
const struct report_group ptdma_errors_group = {"ptdma_errors", tests};
