/* SPDX-License-Identifier: MIT */
/* model_ptdma_ae4_knobs.c - what goes wrong in the software AE4DMA, by its rules. */
#include "ptdma_desk.h"
#include "unit.h"

static const struct ptdma_config ae4_function = {.ae4 = 1};

/* With so many pieces to copy. */
static void open_ae4(struct ptdma_desk *desk, struct ptdma_rule *rule, uint32_t count)
{
	uint32_t words[8];

	ptdma_desk_open(desk, &ae4_function, rule, 1);
	pd_ae4_set_up(desk, 0);
	for (size_t i = 0; i < count; i++) {
		pd_ae4_copy(words, i, PD_PIECE);
		pd_ae4_put(desk, 0, i, words);
	}
	pd_write(desk, PD_AE4(0, 0x10), count);
}

static int wait_index(const struct ptdma_desk *desk, uint32_t index)
{
	return pd_wait(desk, PD_AE4(0, 0x0c), 0xffffffff, index);
}

START_TEST(pk_ae4_errors)
{
	static const struct {
		enum ptdma_knob knob;
		uint32_t index, status, state;
	} rows[] = {{PTDMA_ERROR, 1, 4 | 33 << 8, 3u << 1},
		    {PTDMA_ERROR_PAST, 2, 4 | 33 << 8, 3u << 1},
		    {PTDMA_ERROR_QUIET, 1, 0, 0}};

	for (size_t i = 0; i < 3; i++) {
		struct ptdma_rule rule = {.knob = rows[i].knob, .at = 2, .amount = 33};
		struct ptdma_desk desk;

		open_ae4(&desk, &rule, 3);
		ck_assert(wait_index(&desk, rows[i].index));
		ck_assert(pd_wait(&desk, PD_AE4(0, 4), 6, rows[i].state));
		for (int k = 0; k < 10; k++)
			pd_settle(&desk);
		ck_assert_uint_eq(pd_ae4_status(&desk, 0, 1) & 0xffff, rows[i].status);
		ck_assert(pd_is_untouched(&desk, 1) && pd_is_untouched(&desk, 2));
		ck_assert_uint_eq(pd_read(&desk, PD_AE4(0, 0x0c)), rows[i].index);
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(pk_ae4_faults)
{
	for (int writes = 0; writes < 2; writes++) {
		struct ptdma_rule rule = {.knob = writes ? PTDMA_WRITE_FAULT : PTDMA_READ_FAULT,
					  .at = 2,
					  .amount = 4100};
		struct ptdma_desk desk;

		open_ae4(&desk, &rule, 3);
		ck_assert(pd_wait(&desk, PD_AE4(0, 4), 6, 3u << 1));
		for (int k = 0; k < 10; k++)
			pd_settle(&desk);
		ck_assert_uint_eq(pd_ae4_status(&desk, 0, 1) >> 8 & 0xff, writes ? 65 : 64);
		ck_assert(pd_is_copied(&desk, 1, 4100));
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(pk_ae4_head_wild)
{
	struct ptdma_rule rule = {.knob = PTDMA_HEAD_WILD, .every = 1, .amount = 77};
	struct ptdma_desk desk;

	open_ae4(&desk, &rule, 20);
	ck_assert(wait_index(&desk, 77) && wait_index(&desk, 20));
	ck_assert(pd_is_copied(&desk, 19, PD_PIECE) && pd_counts(&desk).odd_writes == 0);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_ae4_late)
{
	struct ptdma_rule rule = {.knob = PTDMA_LATE, .at = 2};
	struct ptdma_desk desk;

	open_ae4(&desk, &rule, 3);
	ck_assert(wait_index(&desk, 1));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1));
	ptdma_release(desk.ptdma);
	ck_assert(pd_is_copied(&desk, 1, PD_PIECE) && wait_index(&desk, 3));
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&pk_ae4_errors, &pk_ae4_faults, &pk_ae4_head_wild,
					    &pk_ae4_late, NULL};
const struct report_group model_ptdma_ae4_knobs_group = {"model_ptdma_ae4_knobs", tests};
