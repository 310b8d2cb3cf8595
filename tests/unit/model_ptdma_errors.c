/* SPDX-License-Identifier: MIT */
/* model_ptdma_errors.c - what the software PTDMA refuses, and how it goes on after it. */
#include <string.h>

#include "ptdma_desk.h"
#include "unit.h"

#define RUN   1u
#define HALT  2u
#define DONE  1u
#define ERROR 2u
#define EMPTY 8u

static const struct ptdma_config ptdma_function;

static void open_desk(struct ptdma_desk *desk)
{
	ptdma_desk_open(desk, &ptdma_function, NULL, 0);
}

static uint32_t int_status(const struct ptdma_desk *desk)
{
	return pd_read(desk, PD_INT_STATUS) & 0xf;
}

struct wrong {
	size_t word;
	uint32_t bits, code;
};

static void check_wrong(const struct wrong *wrong, size_t count, uint32_t code)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	open_desk(&desk);
	pd_submit(&desk, 0);
	ck_assert(pd_wait_head(&desk, 1));
	pd_copy(words, 1, 64);
	for (size_t i = 0; i < count; i++)
		words[wrong[i].word] ^= wrong[i].bits;
	pd_put(&desk, words);
	pd_submit(&desk, 2);
	ck_assert_msg(pd_wait(&desk, PD_CONTROL, HALT | RUN, HALT), "code %u", code);
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), code);
	ck_assert_uint_eq(int_status(&desk), DONE | EMPTY | ERROR);
	pd_settle(&desk);
	ck_assert_uint_eq(pd_read(&desk, PD_HEAD), pd_low(1));
	ck_assert(pd_is_untouched(&desk, 1) && pd_is_untouched(&desk, 2));
	ck_assert(pd_counts(&desk).refused == 1 && pd_counts(&desk).faults == 0);
	ptdma_desk_close(&desk);
}

START_TEST(wrong_descriptors)
{
	static const struct wrong wrongs[] = {
		{1, 64, 9},                          /* no length */
		{0, 1u << 2, 8},   {0, 1u << 25, 8}, /* reserved */
		{0, 1u << 31, 8},  {3, 1u << 18, 8},  {3, 1u << 31, 8},
		{5, 1u << 18, 8},  {5, 1u << 31, 8},  {6, 1, 8},
		{7, 1u << 31, 8},  {3, 1u << 16, 12}, /* not system memory */
		{3, 2u << 16, 12}, {5, 1u << 17, 12}, {0, 1u << 20, 1},
		{0, 5u << 20, 1},                   /* no passthru */
		{0, 1u << 5, 4},   {0, 3u << 7, 4}, /* not a plain one */
	};

	/* Of several the first one that is checked: each is wrong in all that comes after it. */
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		check_wrong(&wrongs[i], 1, wrongs[i].code);
	check_wrong((const struct wrong[]){{0, 1u << 20, 1}, {3, 1u << 16, 12}, {6, 1, 8}}, 3, 1);
	check_wrong((const struct wrong[]){{1, 64, 9}, {3, 1u << 16, 12}, {6, 1, 8}}, 3, 12);
	check_wrong((const struct wrong[]){{1, 64, 9}, {7, 1, 8}}, 2, 8);
}
END_TEST

struct fault {
	size_t word;
	uint32_t value, code;
};

START_TEST(faults)
{
	/* Below the memory, and 48 bits with nothing behind them. */
	static const struct fault rows[] = {
		{3, 0x12, 19}, {5, 0x12, 38}, {3, 0xffff, 19}, {5, 0xffff, 38}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ptdma_desk desk;
		uint32_t words[8];

		open_desk(&desk);
		pd_copy(words, 0, 64);
		words[rows[i].word] = rows[i].value;
		words[rows[i].word - 1] = 0xffff0000;
		pd_put(&desk, words);
		pd_go(&desk);
		ck_assert(pd_wait(&desk, PD_CONTROL, HALT, HALT));
		ck_assert_uint_eq(pd_read(&desk, PD_STATUS), rows[i].code);
		ck_assert(pd_is_untouched(&desk, 0) && pd_counts(&desk).faults == 1);
		ck_assert_uint_eq(pd_counts(&desk).refused, 0);
		ptdma_desk_close(&desk);
	}
}
END_TEST

/* A page in the middle is not there: what was before it is copied. */
START_TEST(fault_in_the_middle)
{
	for (int writes = 0; writes < 2; writes++) {
		struct ptdma_desk desk;

		open_desk(&desk);
		desk.hole = (writes ? PD_TARGET : PD_SOURCE) + 4096;
		pd_submit(&desk, 0);
		ck_assert(pd_wait(&desk, PD_CONTROL, HALT, HALT));
		ck_assert_uint_eq(pd_read(&desk, PD_STATUS), writes ? 38 : 19);
		ck_assert(pd_is_copied(&desk, 0, 4096) && pd_counts(&desk).faults == 1);
		ck_assert_uint_eq(pd_counts(&desk).bytes, 4096);
		ptdma_desk_close(&desk);
	}
}
END_TEST

/* The bus is never asked for more than 48 bits, nor across their end. */
START_TEST(end_of_addresses)
{
	struct ptdma_desk desk;
	uint32_t words[8];
	unsigned int before;

	open_desk(&desk);
	pd_copy(words, 0, 8192);
	words[2] = 0xfffff000;
	words[3] = 0xffff;
	pd_put(&desk, words);
	before = __atomic_load_n(&desk.asked, __ATOMIC_RELAXED);
	pd_go(&desk);
	ck_assert(pd_wait(&desk, PD_CONTROL, HALT, HALT));
	/* The descriptor, and the source. */
	ck_assert_uint_eq(__atomic_load_n(&desk.asked, __ATOMIC_RELAXED) - before, 2);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(ring_that_is_not_there)
{
	struct ptdma_desk desk;

	open_desk(&desk);
	desk.hole = PD_RING;
	pd_submit(&desk, 0);
	ck_assert(pd_wait(&desk, PD_CONTROL, HALT, HALT));
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 19);
	ck_assert(pd_counts(&desk).faults == 1 && pd_counts(&desk).descriptors == 0);
	ptdma_desk_close(&desk);
}
END_TEST

static void stop_by_error(struct ptdma_desk *desk)
{
	uint32_t words[8];

	open_desk(desk);
	pd_copy(words, 0, 0);
	pd_put(desk, words);
	pd_submit(desk, 1);
	ck_assert(pd_wait(desk, PD_CONTROL, HALT, HALT));
}

/* HEAD behind the wrong one, and RUN: the error is told until then. */
START_TEST(restarts_behind_an_error)
{
	struct ptdma_desk desk;

	stop_by_error(&desk);
	pd_write(&desk, PD_HEAD, pd_low(1));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1));
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ck_assert(pd_wait_head(&desk, 2) && pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 0);
	ck_assert_uint_eq(pd_read(&desk, PD_CONTROL) & (RUN | HALT), RUN);
	ck_assert(pd_counts(&desk).inits == 2 && pd_counts(&desk).odd_writes == 0);
	ptdma_desk_close(&desk);
}
END_TEST

/* As Linux does it: HEAD to the tail, and all that waited is dropped. */
START_TEST(restarts_with_an_empty_ring)
{
	struct ptdma_desk desk;

	stop_by_error(&desk);
	pd_write(&desk, PD_HEAD, pd_low(2));
	pd_submit(&desk, 5);
	ck_assert(pd_wait_head(&desk, 3));
	ck_assert(pd_is_copied(&desk, 5, PD_PIECE) && pd_is_untouched(&desk, 1));
	ptdma_desk_close(&desk);
}
END_TEST

/* RUN alone tries the same one again: the first error stays. */
START_TEST(first_error_is_kept)
{
	struct ptdma_desk desk;
	uint32_t words[8];

	stop_by_error(&desk);
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 9);
	pd_copy(words, 0, 64);
	words[0] = 0x00100000;
	memcpy(desk.memory + PD_RING, words, 32);
	pd_write(&desk, PD_INT_STATUS, 0xf);
	ck_assert(pd_wait(&desk, PD_INT_STATUS, 0xf, 0));
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ck_assert(pd_wait(&desk, PD_INT_STATUS, 0xf, ERROR));
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 9);
	ck_assert_uint_eq(pd_counts(&desk).refused, 2);
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&wrong_descriptors,
					    &faults,
					    &fault_in_the_middle,
					    &end_of_addresses,
					    &ring_that_is_not_there,
					    &restarts_behind_an_error,
					    &restarts_with_an_empty_ring,
					    &first_error_is_kept,
					    NULL};
const struct report_group model_ptdma_errors_group = {"model_ptdma_errors", tests};
