/* SPDX-License-Identifier: MIT */
/* model_ptdma_ae4.c - the software AE4DMA: its queues, and what they write back. */
#include <string.h>

#include "ptdma_desk.h"
#include "unit.h"

#define STATE_STOPPED (2u << 1)
#define STATE_ERROR   (3u << 1)

static const struct ptdma_config ae4_function = {.ae4 = 1};

static void open_desk(struct ptdma_desk *desk)
{
	ptdma_desk_open(desk, &ae4_function, NULL, 0);
	ck_assert_uint_eq(pd_read(desk, PD_AE4(0, 4)), STATE_STOPPED);
	pd_ae4_set_up(desk, 0);
	ck_assert(pd_wait(desk, PD_AE4(0, 4), 6, 0));
}

static void put(struct ptdma_desk *desk, unsigned int queue, size_t slot, size_t piece)
{
	uint32_t words[8];

	pd_ae4_copy(words, piece, PD_PIECE);
	pd_ae4_put(desk, queue, slot, words);
}

static int wait_index(const struct ptdma_desk *desk, unsigned int queue, uint32_t index)
{
	return pd_wait(desk, PD_AE4(queue, 0x0c), 0xffffffff, index);
}

/* The status, once it has come. */
static uint32_t wait_status(const struct ptdma_desk *desk, unsigned int queue, size_t slot)
{
	for (int i = 0; i < 1000 && (pd_ae4_status(desk, queue, slot) & 0xff) < 3; i++)
		pd_settle(desk);
	return pd_ae4_status(desk, queue, slot);
}

START_TEST(ae4_copies)
{
	struct ptdma_desk desk;
	struct ptdma_counts counts;

	open_desk(&desk);
	put(&desk, 0, 0, 3);
	put(&desk, 0, 1, 4);
	pd_write(&desk, PD_AE4(0, 0x10), 2);
	ck_assert(wait_index(&desk, 0, 2));
	ck_assert(pd_is_copied(&desk, 3, PD_PIECE) && pd_is_copied(&desk, 4, PD_PIECE));
	/* The number of the user stays. */
	ck_assert_uint_eq(wait_status(&desk, 0, 0), 0x77000003);
	ck_assert_uint_eq(wait_status(&desk, 0, 1), 0x77000003);
	ck_assert_uint_eq(pd_read(&desk, PD_AE4(0, 0x14)), 1);
	counts = pd_counts(&desk);
	ck_assert(counts.descriptors == 2 && counts.bytes == 2 * PD_PIECE && counts.inits == 1);
	ck_assert(counts.doorbells == 1 && counts.most_waiting == 2);
	ck_assert(!counts.refused && !counts.faults && !counts.odd_writes && !counts.masterless);
	ptdma_desk_close(&desk);
}
END_TEST

/* read_idx comes first: it is seen that way, unless this thread is off the CPU meanwhile. */
START_TEST(ae4_status_lags)
{
	struct ptdma_desk desk;
	size_t late = 0;

	open_desk(&desk);
	for (uint32_t i = 0; i < 200 || (late == 0 && i < 20000); i++) {
		put(&desk, 0, i % 32, i % 64);
		pd_write(&desk, PD_AE4(0, 0x10), (i + 1) % 32);
		ck_assert(wait_index(&desk, 0, (i + 1) % 32));
		late += !(pd_ae4_status(&desk, 0, i % 32) & 0xff);
		ck_assert_uint_eq(wait_status(&desk, 0, i % 32) & 0xff, 3);
	}
	ck_assert_uint_gt(late, 0);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(ae4_wraps)
{
	struct ptdma_desk desk;
	uint32_t slot = 0;
	size_t piece = 0;

	open_desk(&desk);
	for (int turn = 0; turn < 4; turn++) {
		for (int i = 0; i < 31; i++) {
			put(&desk, 0, slot, piece++);
			slot = (slot + 1) % 32;
		}
		pd_write(&desk, PD_AE4(0, 0x10), slot);
		ck_assert(wait_index(&desk, 0, slot));
		ck_assert_uint_eq(wait_status(&desk, 0, (slot + 31) % 32) & 0xff, 3);
	}
	for (size_t i = 0; i < piece; i++)
		ck_assert(pd_is_copied(&desk, i, PD_PIECE));
	ck_assert_uint_eq(pd_counts(&desk).most_waiting, 31);
	ptdma_desk_close(&desk);
}
END_TEST

/* All 16; those beyond the number in the first register, and those not enabled, do nothing. */
START_TEST(ae4_queues)
{
	struct ptdma_desk desk;

	open_desk(&desk);
	for (unsigned int queue = 0; queue < 16; queue++) {
		pd_ae4_set_up(&desk, queue);
		put(&desk, queue, 0, queue);
	}
	pd_write(&desk, 0, 15);
	pd_write(&desk, PD_AE4(4, 0), 0);
	pd_settle(&desk);
	for (unsigned int queue = 0; queue < 16; queue++)
		pd_write(&desk, PD_AE4(queue, 0x10), 1);
	for (unsigned int queue = 0; queue < 15; queue++)
		ck_assert(queue == 4 || wait_index(&desk, queue, 1));
	pd_settle(&desk);
	for (unsigned int queue = 0; queue < 16; queue++)
		ck_assert_int_eq(pd_is_copied(&desk, queue, PD_PIECE), queue != 4 && queue != 15);
	ck_assert_uint_eq(pd_read(&desk, PD_AE4(4, 4)), STATE_STOPPED);
	pd_write(&desk, 0, 16);
	ck_assert(wait_index(&desk, 15, 1));
	ptdma_desk_close(&desk);
}
END_TEST

struct wrong {
	size_t word;
	uint32_t value, code;
};

START_TEST(ae4_wrong_descriptors)
{
	static const struct wrong rows[] = {
		{0, 0x12, 1}, {0, 0x82, 1}, {0, 0x102, 1}, {1, 1, 2}, {1, 0x102, 2},
		{2, 0, 3},    {2, 4098, 3}, {3, 1, 7},     {4, 2, 4}, {6, 0x101, 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ptdma_desk desk;
		uint32_t words[8], status;

		open_desk(&desk);
		put(&desk, 0, 0, 0);
		pd_ae4_copy(words, 1, 64);
		words[rows[i].word] = rows[i].value;
		pd_ae4_put(&desk, 0, 1, words);
		put(&desk, 0, 2, 2);
		pd_write(&desk, PD_AE4(0, 0x10), 3);
		ck_assert(pd_wait(&desk, PD_AE4(0, 4), 6, STATE_ERROR));
		status = wait_status(&desk, 0, 1);
		ck_assert_uint_eq(status & 0xffff, 4 | rows[i].code << 8);
		ck_assert_uint_eq(pd_read(&desk, PD_AE4(0, 0x0c)), 1);
		ck_assert(pd_is_copied(&desk, 0, PD_PIECE) && pd_is_untouched(&desk, 1) &&
			  pd_is_untouched(&desk, 2));
		ck_assert_uint_eq(pd_counts(&desk).refused, 1);
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(ae4_faults)
{
	static const struct wrong rows[] = {
		{5, 0x12, 64}, {7, 0x12, 65}, {5, 0x10000, 64}, {7, 0x10000, 65}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ptdma_desk desk;
		uint32_t words[8];

		open_desk(&desk);
		pd_ae4_copy(words, 0, 64);
		words[rows[i].word] = rows[i].value;
		pd_ae4_put(&desk, 0, 0, words);
		pd_write(&desk, PD_AE4(0, 0x10), 1);
		ck_assert(pd_wait(&desk, PD_AE4(0, 4), 6, STATE_ERROR));
		ck_assert_uint_eq(wait_status(&desk, 0, 0) & 0xffff, 4 | rows[i].code << 8);
		ck_assert(pd_is_untouched(&desk, 0) && pd_counts(&desk).faults == 1);
		/* The descriptor, its status, and of the others what has 48 bits. */
		ck_assert_uint_eq(__atomic_load_n(&desk.asked, __ATOMIC_RELAXED),
				  2u + (rows[i].value < 0x10000) + (rows[i].word == 7));
		ptdma_desk_close(&desk);
	}
}
END_TEST

/* Enabled again it begins with the slot that read_idx names. */
START_TEST(ae4_restarts)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	pd_ae4_copy(words, 0, 2);
	pd_ae4_put(&desk, 0, 0, words);
	put(&desk, 0, 1, 1);
	pd_write(&desk, PD_AE4(0, 0x10), 2);
	ck_assert(pd_wait(&desk, PD_AE4(0, 4), 6, STATE_ERROR));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1));
	put(&desk, 0, 0, 5);
	pd_write(&desk, PD_AE4(0, 0), 1);
	ck_assert(wait_index(&desk, 0, 2));
	ck_assert(pd_is_copied(&desk, 5, PD_PIECE) && pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert_uint_eq(pd_counts(&desk).inits, 2);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(ae4_settings_that_are_none)
{
	static const struct {
		size_t at;
		uint32_t value;
	} rows[] = {{0x08, 0}, {0x08, 1}, {0x08, 33}, {0x10, 32}, {0x18, 16}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ptdma_desk desk;

		ptdma_desk_open(&desk, &ae4_function, NULL, 0);
		put(&desk, 0, 0, 0);
		pd_ae4_set_up(&desk, 0);
		pd_write(&desk, PD_AE4(0, rows[i].at), rows[i].value);
		if (rows[i].at != 0x10)
			pd_write(&desk, PD_AE4(0, 0x10), 1);
		ck_assert(pd_wait_odd(&desk, 1));
		pd_settle(&desk);
		ck_assert(pd_is_untouched(&desk, 0) && pd_counts(&desk).odd_writes == 1);
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(ae4_without_bus_mastering)
{
	struct ptdma_desk desk;

	open_desk(&desk);
	ptdma_master(desk.ptdma, 0, 0);
	put(&desk, 0, 0, 0);
	pd_write(&desk, PD_AE4(0, 0x10), 1);
	pd_settle(&desk);
	ck_assert(pd_wait_masterless(&desk, 1));
	ck_assert(pd_is_untouched(&desk, 0) && pd_counts(&desk).masterless == 1);
	ptdma_master(desk.ptdma, 0, 1);
	ck_assert(wait_index(&desk, 0, 1) && pd_is_copied(&desk, 0, PD_PIECE));
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&ae4_copies,
					    &ae4_status_lags,
					    &ae4_wraps,
					    &ae4_queues,
					    &ae4_wrong_descriptors,
					    &ae4_faults,
					    &ae4_restarts,
					    &ae4_settings_that_are_none,
					    &ae4_without_bus_mastering,
					    NULL};
const struct report_group model_ptdma_ae4_group = {"model_ptdma_ae4", tests};
