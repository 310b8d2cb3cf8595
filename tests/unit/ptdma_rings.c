/* SPDX-License-Identifier: MIT */
/* ptdma_rings.c - rings of all sizes, what becomes one descriptor, and who gets which ring. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ptdma_bed.h"
#include "unit.h"

static struct bm_copy copies[BED_PAGES];

static void pin(struct bm_channel *channel, size_t count)
{
	ck_assert_int_eq(bm_backend_ptdma.pin(channel, copies, count), 0);
}

static void unpin(struct bm_channel *channel)
{
	ck_assert_int_eq(bm_backend_ptdma.unpin(channel), 0);
}

static int submit(struct bm_channel *channel, size_t first, size_t count)
{
	return bm_backend_ptdma.submit(channel, copies + first, count);
}

/* Several times around; nothing is a neighbour of anything. */
static void go_around(uint32_t slots)
{
	size_t count = 1000;

	bed_begin(1, slots, 1);
	bed.scattered = 1;
	bed_copies(copies, count, 0);
	for (int round = 0; round < (slots > 512 ? 20 : 2); round++) {
		memset(bed.to, 0, BED_PAGES * BED_PAGE);
		pin(bed_channel(0), count);
		bed_run(bed_channel(0), copies, count);
		ck_assert_uint_eq(bed.told_errors, 0);
		bed_verify(copies, count);
		unpin(bed_channel(0));
	}
	ck_assert_uint_eq(bed.executed % count, 0);
	bed_end();
}

START_TEST(rings_of_all_sizes_wrap_around)
{
	for (uint32_t slots = BM_PTDMA_SLOTS_LEAST; slots <= BM_PTDMA_SLOTS_MOST; slots *= 2)
		go_around(slots);
	go_around(0);
}
END_TEST

/* A full ring and an empty one look the same. */
START_TEST(one_slot_stays_free)
{
	static const uint32_t sizes[] = {2, 4, 32, 128, 0};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t slots = sizes[i] ? sizes[i] : BM_AE4_SLOTS;

		bed_begin(1, sizes[i], 1);
		bed_copies(copies, 300, 0);
		pin(bed_channel(0), 300);
		ck_assert_int_eq(submit(bed_channel(0), 0, 300), (int)slots - 1);
		ck_assert_int_eq(submit(bed_channel(0), slots - 1, 1), -EAGAIN);
		ck_assert_uint_eq(bed_step(0, 1), 1);
		bed.clock += 1000000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 1);
		ck_assert_int_eq(submit(bed_channel(0), slots - 1, 9), 1);
		bed_step(0, slots);
		bed.clock += 1000000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), (int)slots - 1);
		bed_verify(copies, 300);
		unpin(bed_channel(0));
		bed_end();
	}
}
END_TEST

/* Bytes that go on, on both sides; up to the limit of a descriptor, and of the share. */
START_TEST(neighbours_become_one_descriptor)
{
	bed_begin(1, 128, 1);
	bed_copies(copies, 1000, 1);
	pin(bed_channel(0), 1000);
	ck_assert_int_eq(submit(bed_channel(0), 0, 512), 512);
	ck_assert_uint_eq(bed_step(0, 100), 1);
	ck_assert_uint_eq(bed.bytes, 512 * BED_PAGE);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 512);
	bed_verify(copies, 512);
	/* The second half of a run that the function knows of already is one of its own. */
	ck_assert_int_eq(submit(bed_channel(0), 512, 2), 2);
	ck_assert_int_eq(submit(bed_channel(0), 514, 2), 2);
	ck_assert_uint_eq(bed_step(0, 100), 2);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 4);
	unpin(bed_channel(0));
	bed_end();
}
END_TEST

/* More than one descriptor holds is two; a copy that is scattered is as many as it has pages. */
START_TEST(runs_are_cut)
{
	bed_begin(1, 128, 1);
	bed.engine->piece = 512 * BED_PAGE;
	copies[0] = (struct bm_copy){bed.to, bed.from, 512 * BED_PAGE, 0};
	copies[1] = (struct bm_copy){bed.to + 512 * BED_PAGE, bed.from + 512 * BED_PAGE,
				     512 * BED_PAGE, 1};
	pin(bed_channel(0), 2);
	ck_assert_int_eq(submit(bed_channel(0), 0, 2), 2);
	ck_assert_uint_eq(bed_step(0, 100), 2);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 2);
	bed.told_count = 0;
	bed.scattered = 1;
	copies[0].length = 100 * BED_PAGE;
	copies[1].length = 28 * BED_PAGE;
	/* 27 slots are left then, and one of them stays free. */
	ck_assert_int_eq(submit(bed_channel(0), 0, 2), 1);
	ck_assert_uint_eq(bed_step(0, 1000), 100);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 1);
	bed_verify(copies, 2);
	unpin(bed_channel(0));
	bed_end();
}
END_TEST

static unsigned int rings_with(uint32_t least)
{
	unsigned int count = 0;

	for (uint32_t i = 0; i < bed.engine->ring_count; i++)
		count += bed.engine->rings[i].tail - bed.engine->rings[i].head >= least;
	return count;
}

/* As many rings as the bytes are worth. */
START_TEST(bytes_take_rings)
{
	static const struct {
		size_t copies;
		unsigned int rings;
	} cases[] = {{1, 1}, {16, 1}, {17, 2}, {48, 3}, {49, 4}, {200, 4}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int count = (int)cases[i].copies;

		bed_begin(4, 128, 1);
		bed_copies(copies, cases[i].copies, 0);
		pin(bed_channel(0), cases[i].copies);
		ck_assert_int_eq(submit(bed_channel(0), 0, cases[i].copies), count);
		ck_assert_uint_eq(rings_with(1), cases[i].rings);
		for (unsigned int f = 0; f < 4; f++)
			bed_step(f, 500);
		bed.clock += 10000000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), count);
		bed_verify(copies, cases[i].copies);
		unpin(bed_channel(0));
		bed_end();
	}
}
END_TEST

/* Those of the target's node, then the others; of different functions before more of one. */
START_TEST(near_rings_come_first)
{
	for (int node = 0; node < 2; node++) {
		bed_begin(4, 0, 3);
		bm_backend_ptdma.batch(bed.engine, 1);
		bed_copies(copies, 9, 0);
		bm_backend_ptdma.aim(bed_channel(0), node);
		pin(bed_channel(0), 9);
		ck_assert_int_eq(submit(bed_channel(0), 0, 2), 2);
		for (int f = 0; f < 4; f++)
			ck_assert_uint_eq(atomic_load(&bed.engine->functions[f].state),
					  f % 2 == node);
		ck_assert_int_eq(submit(bed_channel(0), 2, 6), 6);
		for (unsigned int f = 0; f < 4; f++)
			ck_assert_uint_eq(bed_step(f, 9), (int)f % 2 == node ? 3 : 1);
		bed.clock += 1000000;
		ck_assert_int_eq(bed_reap(bed_channel(0)), 8);
		unpin(bed_channel(0));
		bed_end();
	}
}
END_TEST

/* One ring is one channel's; where several have pages pinned each gets its part. */
START_TEST(channels_share_rings)
{
	bed_begin(2, 128, 1);
	bed_copies(copies, 100, 0);
	pin(bed_channel(0), 40);
	ck_assert_int_eq(submit(bed_channel(0), 0, 10), 10);
	pin(bed_channel(1), 100);
	ck_assert_int_eq(submit(bed_channel(1), 40, 60), 60);
	ck_assert_uint_eq(bed_channel(0)->held, 1);
	ck_assert_uint_eq(bed_channel(1)->held, 1);
	ck_assert_ptr_ne(bed_channel(0)->rings[0], bed_channel(1)->rings[0]);
	/* There is none left, and the first two have theirs. */
	pin(bed_channel(2), 100);
	ck_assert_int_eq(submit(bed_channel(2), 0, 1), -EAGAIN);
	bed_step(0, 100);
	bed_step(1, 100);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 10);
	ck_assert_int_eq(bed_reap(bed_channel(1)), 60);
	bed_verify(copies, 100);
	unpin(bed_channel(0));
	ck_assert_int_eq(submit(bed_channel(2), 0, 1), 1);
	bed_step(0, 100);
	bed_step(1, 100);
	bed.clock += 10000000;
	ck_assert_int_eq(bed_reap(bed_channel(2)), 1);
	unpin(bed_channel(1));
	unpin(bed_channel(2));
	bed_end();
}
END_TEST

START_TEST(what_is_not_taken)
{
	struct bm_channel *other;

	bed_begin(1, 128, 1);
	bed_copies(copies, 4, 0);
	ck_assert_int_eq(submit(bed_channel(0), 0, 1), -EINVAL);
	pin(bed_channel(0), 2);
	ck_assert_int_eq(bm_backend_ptdma.pin(bed_channel(0), copies, 2), -EBUSY);
	copies[1].length = 4 * BED_PAGE;
	ck_assert_int_eq(submit(bed_channel(0), 1, 1), -EINVAL);
	ck_assert_int_eq(submit(bed_channel(0), 0, 0), -EINVAL);
	/* Its pages are pinned nowhere. */
	ck_assert_int_eq(submit(bed_channel(0), 3, 1), -EINVAL);
	ck_assert_int_eq(submit(bed_channel(0), 0, 4), 1);
	bed_step(0, 9);
	/* A child of a fork has no device. */
	bed.engine->owner = 1;
	ck_assert_int_eq(bm_backend_ptdma.chan_open(bed.engine, -1, &other), -ENODEV);
	ck_assert_int_eq(bm_backend_ptdma.settle(bed_channel(0)), 1);
	ck_assert_uint_eq(bed.unpins, 0);
	bed.engine->owner = getpid();
	bed.clock += 1000000;
	ck_assert_int_eq(bed_reap(bed_channel(0)), 1);
	unpin(bed_channel(0));
	ck_assert_int_eq(submit(bed_channel(0), 0, 1), -EINVAL);
	bed_end();
}
END_TEST

static const TTest *const *const tests[] = {&rings_of_all_sizes_wrap_around,
					    &one_slot_stays_free,
					    &neighbours_become_one_descriptor,
					    &runs_are_cut,
					    &bytes_take_rings,
					    &near_rings_come_first,
					    &channels_share_rings,
					    &what_is_not_taken,
					    NULL};
const struct report_group ptdma_rings_group = {"ptdma_rings", tests};
