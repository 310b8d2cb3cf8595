/* SPDX-License-Identifier: MIT */
/* model_ptdma_registers.c - bus mastering, resets, removal, and writes where none may be. */
#include <string.h>

#include "ptdma_desk.h"
#include "unit.h"

static const struct ptdma_config ptdma_function, ae4_function = {.ae4 = 1, .queues = 3};

static void open_desk(struct ptdma_desk *desk)
{
	ptdma_desk_open(desk, &ptdma_function, NULL, 0);
}

/* Nothing is read or written meanwhile, and then it goes on. */
START_TEST(without_bus_mastering)
{
	struct ptdma_desk desk;
	unsigned int before;

	open_desk(&desk);
	ck_assert(ptdma_is_master(desk.ptdma, 0));
	ptdma_master(desk.ptdma, 0, 0);
	ck_assert(!ptdma_is_master(desk.ptdma, 0));
	before = __atomic_load_n(&desk.asked, __ATOMIC_RELAXED);
	pd_submit(&desk, 0);
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 0) && pd_read(&desk, PD_HEAD) == pd_low(0));
	ck_assert_uint_eq(__atomic_load_n(&desk.asked, __ATOMIC_RELAXED), before);
	ck_assert(pd_wait_masterless(&desk, 1));
	ck_assert(pd_counts(&desk).masterless == 1 && pd_counts(&desk).descriptors == 0);
	ptdma_master(desk.ptdma, 0, 1);
	ck_assert(pd_wait_head(&desk, 1) && pd_is_copied(&desk, 0, PD_PIECE));
	ck_assert_uint_eq(pd_counts(&desk).masterless, 1);
	ptdma_desk_close(&desk);
}
END_TEST

/* Turned off while it copies: the return of the call is the end of its writes. */
START_TEST(bus_mastering_ends_at_once)
{
	struct ptdma_desk desk;
	unsigned char *target;
	uint32_t words[8];

	open_desk(&desk);
	desk.slow_us = 20;
	for (size_t i = 0; i < 20; i++) {
		pd_copy(words, 0, 0x20000);
		pd_put(&desk, words);
	}
	pd_go(&desk);
	ck_assert(pd_wait_begun(&desk));
	ptdma_master(desk.ptdma, 0, 0);
	target = desk.memory + PD_TARGET;
	memset(target, 0, 0x20000);
	pd_settle(&desk);
	for (size_t i = 0; i < 0x20000; i++)
		ck_assert(target[i] == 0);
	ck_assert_uint_eq(pd_counts(&desk).masterless, 1);
	/* Stopped meanwhile it forgets where it was, and begins again at HEAD. */
	pd_write(&desk, PD_CONTROL, PD_SETTING);
	pd_settle(&desk);
	ptdma_master(desk.ptdma, 0, 1);
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 0));
	pd_go(&desk);
	ck_assert(pd_wait_head(&desk, 20) && pd_is_copied(&desk, 0, PD_PIECE));
	ptdma_desk_close(&desk);
}
END_TEST

/* It ends what it is in the middle of. */
START_TEST(a_stop_is_no_abort)
{
	struct ptdma_desk desk;
	uint32_t words[8];
	uint64_t before;

	open_desk(&desk);
	desk.slow_us = 20;
	for (size_t i = 0; i < 30; i++) {
		pd_copy(words, 0, 0x20000);
		pd_put(&desk, words);
	}
	pd_go(&desk);
	ck_assert(pd_wait_begun(&desk));
	pd_write(&desk, PD_CONTROL, PD_SETTING);
	do {
		before = pd_counts(&desk).bytes;
		pd_settle(&desk);
	} while (pd_counts(&desk).bytes != before);
	ck_assert_uint_ne(pd_read(&desk, PD_HEAD), pd_low(30));
	ck_assert_uint_eq(pd_counts(&desk).bytes % 0x20000, 0);
	ck_assert_uint_eq(pd_counts(&desk).bytes / 0x20000,
			  (pd_read(&desk, PD_HEAD) - pd_low(0)) / 32);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(reset_forgets)
{
	struct ptdma_desk desk;

	open_desk(&desk);
	pd_submit(&desk, 0);
	ck_assert(pd_wait_head(&desk, 1));
	pd_write(&desk, 0x0000, 6);
	ptdma_reset(desk.ptdma, 0);
	ck_assert_uint_eq(pd_read(&desk, 0x0000), 0);
	ck_assert_uint_eq(pd_read(&desk, 0x0010), 1u << 15 | 5);
	ck_assert_uint_eq(pd_read(&desk, PD_HEAD), 0);
	ck_assert_uint_eq(pd_read(&desk, PD_TAIL), 0);
	ck_assert_uint_eq(pd_read(&desk, PD_CONTROL) & 0xffff00ff, 0);
	ck_assert_uint_eq(pd_read(&desk, PD_INT_STATUS) & 0xf, 0);
	pd_settle(&desk);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, 0);
	pd_write(&desk, PD_HEAD, pd_low(1));
	pd_submit(&desk, 1);
	ck_assert(pd_wait_head(&desk, 2) && pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert_uint_eq(pd_counts(&desk).inits, 2);
	ptdma_desk_close(&desk);
}
END_TEST

/* All reads are ones, and writes do nothing, for good. */
START_TEST(removed)
{
	struct ptdma_desk desk;
	uint64_t before;

	open_desk(&desk);
	pd_settle(&desk);
	/* TAIL was set up. */
	before = pd_counts(&desk).doorbells;
	ptdma_remove(desk.ptdma, 0);
	ck_assert_uint_eq(pd_read(&desk, PD_HEAD), 0xffffffff);
	ck_assert_uint_eq(pd_read(&desk, 0x7fffc), 0xffffffff);
	ck_assert(!ptdma_is_master(desk.ptdma, 0));
	pd_submit(&desk, 0);
	ck_assert(pd_wait(&desk, PD_CONTROL, 0xffffffff, 0xffffffff));
	ck_assert(pd_wait(&desk, PD_TAIL, 0xffffffff, 0xffffffff));
	ptdma_reset(desk.ptdma, 0);
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 0) && pd_read(&desk, 0) == 0xffffffff);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, 0);
	ck_assert_uint_eq(pd_counts(&desk).doorbells, before);
	ptdma_desk_close(&desk);
}
END_TEST

/* They read 0 again before long. */
START_TEST(registers_that_are_not_there)
{
	static const size_t none[] = {0x0014, 0x0200, 0x1014, 0x1104, 0x1114,
				      0x1118, 0x2000, 0x2004, 0x6000, 0x7fffc};
	static const size_t known[] = {0x0000, 0x0004, 0x0008, 0x000c,
				       0x0040, 0x1120, 0x6004, 0x100c};
	struct ptdma_desk desk;

	open_desk(&desk);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		pd_write(&desk, known[i], 0x1001);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		pd_write(&desk, none[i], 5);
		ck_assert(pd_wait(&desk, none[i], 0xffffffff, 0));
	}
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, sizeof(none) / sizeof(none[0]));
	/* To be read only. */
	pd_write(&desk, 0x0010, 7);
	pd_write(&desk, PD_STATUS, 3);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, sizeof(none) / sizeof(none[0]) + 2);
	ck_assert(pd_read(&desk, 0x0010) == (1u << 15 | 5) && pd_read(&desk, PD_STATUS) == 0);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_uint_eq(pd_read(&desk, known[i]), 0x1001);
	ptdma_desk_close(&desk);
}
END_TEST

/* HEAD while it runs, and a tail that no slot begins at. */
START_TEST(writes_at_the_wrong_time)
{
	struct ptdma_desk desk;

	open_desk(&desk);
	pd_counts(&desk);
	pd_submit(&desk, 0);
	ck_assert(pd_wait_head(&desk, 1));
	pd_settle(&desk);
	pd_write(&desk, PD_HEAD, pd_low(7));
	ck_assert(pd_wait_head(&desk, 1));
	ck_assert(pd_wait_odd(&desk, 1));
	pd_write(&desk, PD_TAIL, pd_low(2) + 4);
	ck_assert(pd_wait_odd(&desk, 2));
	pd_write(&desk, PD_TAIL, pd_low(0) + 32 * PD_SLOTS);
	ck_assert(pd_wait_odd(&desk, 3));
	pd_settle(&desk);
	ck_assert(pd_counts(&desk).odd_writes == 3 && pd_read(&desk, PD_HEAD) == pd_low(1));
	pd_submit(&desk, 1);
	ck_assert(pd_wait_head(&desk, 2) && pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert_uint_eq(pd_counts(&desk).doorbells, 1 + 1 + 2 + 1);
	ptdma_desk_close(&desk);
}
END_TEST

/* A ring in another memory, or larger than any. */
START_TEST(settings_that_are_none)
{
	static const uint32_t wrong[] = {1u << 2, 9u << 3}; /* 4 becomes 13 */

	for (size_t i = 0; i < 2; i++) {
		struct ptdma_desk desk;
		uint32_t words[8];

		open_desk(&desk);
		pd_copy(words, 0, 64);
		pd_put(&desk, words);
		pd_write(&desk, PD_TAIL, pd_low(1));
		pd_write(&desk, PD_CONTROL, (PD_SETTING ^ wrong[i]) | 1);
		ck_assert(pd_wait_odd(&desk, 1));
		pd_settle(&desk);
		ck_assert(pd_is_untouched(&desk, 0) && pd_counts(&desk).odd_writes == 1);
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(several_functions)
{
	struct ptdma_config configs[2] = {{.node = 3}, {.ae4 = 1, .queues = 4, .node = 1}};
	struct ptdma *ptdma = ptdma_new(configs, 2, NULL, NULL, 1);
	size_t size;

	ck_assert_uint_eq(ptdma_functions(ptdma), 2);
	ck_assert_ptr_nonnull((void *)(uintptr_t)ptdma_registers(ptdma, 0, &size));
	ck_assert_uint_eq(size, 512 << 10);
	ck_assert_uint_eq((uintptr_t)ptdma_registers(ptdma, 1, &size) % 4096, 0);
	ck_assert_uint_eq(size, 4096);
	ck_assert_int_eq(ptdma_config_of(ptdma, 0)->node, 3);
	ck_assert(ptdma_config_of(ptdma, 1)->ae4 && ptdma_config_of(ptdma, 1)->queues == 4);
	ptdma_master(ptdma, 1, 1);
	ck_assert(ptdma_is_master(ptdma, 1) && !ptdma_is_master(ptdma, 0));
	ptdma_free(ptdma);
}
END_TEST

START_TEST(ae4_registers_that_are_not_there)
{
	struct ptdma_desk desk;

	ptdma_desk_open(&desk, &ae4_function, NULL, 0);
	for (unsigned int queue = 0; queue < 3; queue++)
		pd_ae4_set_up(&desk, queue);
	pd_settle(&desk);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, 0);
	pd_write(&desk, 0x04, 1);
	pd_write(&desk, PD_AE4(3, 0x00), 1); /* there are three */
	pd_write(&desk, PD_AE4(1, 0x04), 6);
	pd_write(&desk, PD_AE4(1, 0x0c), 5);
	ck_assert_uint_eq(pd_counts(&desk).odd_writes, 4);
	ck_assert(pd_read(&desk, 0x04) == 0 && pd_read(&desk, PD_AE4(3, 0)) == 0);
	ck_assert(pd_read(&desk, PD_AE4(1, 0x04)) == 0 && pd_read(&desk, PD_AE4(1, 0x0c)) == 0);
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&without_bus_mastering,
					    &bus_mastering_ends_at_once,
					    &a_stop_is_no_abort,
					    &reset_forgets,
					    &removed,
					    &registers_that_are_not_there,
					    &writes_at_the_wrong_time,
					    &settings_that_are_none,
					    &several_functions,
					    &ae4_registers_that_are_not_there,
					    NULL};
const struct report_group model_ptdma_registers_group = {"model_ptdma_registers", tests};
