/* SPDX-License-Identifier: MIT */
/* model_ptdma.c - the software PTDMA: its ring, its registers, what it copies. */
#include <string.h>

#include "ptdma_desk.h"
#include "unit.h"

#define RUN     1u
#define HALT    2u
#define DONE    1u
#define STOPPED 4u
#define EMPTY   8u

static const struct ptdma_config ptdma_function;

static void open_desk(struct ptdma_desk *desk)
{
	ptdma_desk_open(desk, &ptdma_function, NULL, 0);
}

static uint32_t int_status(const struct ptdma_desk *desk)
{
	return pd_read(desk, PD_INT_STATUS) & 0xf;
}

START_TEST(ring_copies)
{
	struct ptdma_desk desk;
	struct ptdma_counts counts;

	open_desk(&desk);
	ck_assert_uint_eq(pd_read(&desk, 0x10), 1u << 15 | 5);
	pd_submit(&desk, 3);
	ck_assert(pd_wait_head(&desk, 1));
	ck_assert(pd_is_copied(&desk, 3, PD_PIECE) && pd_is_untouched(&desk, 2) &&
		  pd_is_untouched(&desk, 4));
	ck_assert_uint_eq(int_status(&desk), DONE | EMPTY);
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 0);
	ck_assert_uint_eq(pd_read(&desk, PD_CONTROL) & (RUN | HALT), RUN);
	counts = pd_counts(&desk);
	ck_assert(counts.descriptors == 1 && counts.bytes == PD_PIECE && counts.inits == 1);
	ck_assert_uint_eq(counts.most_waiting, 1);
	ck_assert(!counts.refused && !counts.faults && !counts.masterless && !counts.odd_writes);
	ptdma_desk_close(&desk);
}
END_TEST

/* Several times round, by one doorbell each time for as many as there is room for. */
START_TEST(ring_wraps)
{
	struct ptdma_desk desk;
	uint32_t words[8];
	size_t piece = 0;

	open_desk(&desk);
	for (int turn = 0; turn < 4; turn++) {
		for (size_t i = 0; i < PD_SLOTS - 1; i++) {
			pd_copy(words, piece++, PD_PIECE);
			pd_put(&desk, words);
		}
		pd_go(&desk);
		ck_assert(pd_wait_head(&desk, desk.tail));
	}
	for (size_t i = 0; i < piece; i++)
		ck_assert(pd_is_copied(&desk, i, PD_PIECE));
	ck_assert(pd_counts(&desk).descriptors == piece && pd_counts(&desk).faults == 0);
	ck_assert_uint_eq(pd_counts(&desk).most_waiting, PD_SLOTS - 1);
	ptdma_desk_close(&desk);
}
END_TEST

/* The last slot of a ring of each size, and then its first one, where both may be filled. */
START_TEST(ring_sizes)
{
	for (uint32_t size = 0; size <= 12; size++) {
		struct ptdma_desk desk;
		uint32_t words[8], bytes = 1u << (size + 6), low = pd_low(0);
		uint32_t setting = size << 3 | 0x12ffu << 16, end = size ? low + 32 : low;

		open_desk(&desk);
		pd_copy(words, 0, 64);
		memcpy(desk.memory + PD_RING + bytes - 32, words, 32);
		pd_copy(words, 1, 64);
		memcpy(desk.memory + PD_RING, words, 32);
		pd_write(&desk, PD_HEAD, low + bytes - 32);
		pd_write(&desk, PD_TAIL, end);
		pd_write(&desk, PD_CONTROL, setting | RUN);
		ck_assert(pd_wait(&desk, PD_HEAD, 0xffffffff, end));
		ck_assert(pd_is_copied(&desk, 0, 64) && (!size || pd_is_copied(&desk, 1, 64)));
		ck_assert_uint_eq(pd_counts(&desk).descriptors, size ? 2 : 1);
		ptdma_desk_close(&desk);
	}
}
END_TEST

/* Without RUN, and with HALT, it takes nothing; nor beyond the tail. */
START_TEST(ring_runs_when_told)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	for (size_t i = 0; i < 3; i++) {
		pd_copy(words, i, PD_PIECE);
		pd_put(&desk, words);
	}
	pd_write(&desk, PD_TAIL, pd_low(2));
	pd_settle(&desk);
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN | HALT);
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 0) && pd_read(&desk, PD_HEAD) == pd_low(0));
	ck_assert_uint_eq(pd_counts(&desk).inits, 0);
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ck_assert(pd_wait_head(&desk, 2));
	pd_settle(&desk);
	ck_assert(pd_is_copied(&desk, 1, PD_PIECE) && pd_is_untouched(&desk, 2));
	pd_write(&desk, PD_CONTROL, PD_SETTING);
	pd_settle(&desk);
	pd_write(&desk, PD_TAIL, pd_low(3));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 2));
	ck_assert(pd_counts(&desk).odd_writes == 0 && pd_counts(&desk).inits == 1);
	ptdma_desk_close(&desk);
}
END_TEST

/* The same value once more, too; bits that are not named stay. */
START_TEST(int_status_is_cleared_by_writing)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	pd_submit(&desk, 0);
	ck_assert(pd_wait_head(&desk, 1));
	ck_assert_uint_eq(int_status(&desk), DONE | EMPTY);
	pd_write(&desk, PD_INT_STATUS, 0);
	ck_assert(pd_wait(&desk, PD_INT_STATUS, 0xf, DONE | EMPTY));
	pd_write(&desk, PD_INT_STATUS, EMPTY);
	ck_assert(pd_wait(&desk, PD_INT_STATUS, 0xf, DONE));
	/* As it reads, and it is not left as it is. */
	pd_write(&desk, PD_INT_STATUS, DONE);
	ck_assert(pd_wait(&desk, PD_INT_STATUS, 0xf, 0));
	pd_copy(words, 1, PD_PIECE);
	words[0] = 0x00500000;
	pd_put(&desk, words);
	pd_go(&desk);
	ck_assert(pd_wait_head(&desk, 2) && int_status(&desk) == EMPTY);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(stop_on_completion)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	pd_copy(words, 0, 64);
	words[0] |= 1;
	pd_put(&desk, words);
	pd_submit(&desk, 1);
	ck_assert(pd_wait_head(&desk, 1));
	pd_settle(&desk);
	ck_assert(pd_is_copied(&desk, 0, 64) && pd_is_untouched(&desk, 1));
	ck_assert_uint_eq(int_status(&desk), DONE | STOPPED);
	ck_assert_uint_eq(pd_read(&desk, PD_CONTROL) & RUN, 0);
	ptdma_desk_close(&desk);
}
END_TEST

/* Stopped, set up elsewhere and run between two looks of the model, or in the middle of one. */
START_TEST(set_up_again_at_once)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	for (size_t turn = 0; turn < 5000; turn++) {
		size_t slot = turn * 5 % PD_SLOTS, next = (slot + 1) % PD_SLOTS, piece = turn % 60;

		pd_copy(words, piece, 64);
		memcpy(desk.memory + PD_RING + slot * 32, words, 32);
		memset(desk.memory + PD_TARGET + piece * PD_PIECE, 0, 64);
		pd_write(&desk, PD_CONTROL, PD_SETTING);
		pd_write(&desk, PD_TAIL, pd_low(slot));
		pd_write(&desk, PD_HEAD, pd_low(slot));
		pd_write(&desk, PD_CONTROL, PD_SETTING);
		pd_write(&desk, PD_TAIL, pd_low(next));
		pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
		ck_assert(pd_wait_head(&desk, next) && pd_is_copied(&desk, piece, 64));
	}
	ck_assert(pd_counts(&desk).odd_writes == 0 && pd_counts(&desk).descriptors == 5000);
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&ring_copies,
					    &ring_wraps,
					    &ring_sizes,
					    &ring_runs_when_told,
					    &int_status_is_cleared_by_writing,
					    &stop_on_completion,
					    &set_up_again_at_once,
					    NULL};
const struct report_group model_ptdma_group = {"model_ptdma", tests};
