/* SPDX-License-Identifier: MIT */
/* model_ptdma_knobs.c - what goes wrong in the software PTDMA, by its rules. */
#include <string.h>

#include "ptdma_desk.h"
#include "unit.h"

#define RUN   1u
#define HALT  2u
#define ERROR 2u

static const struct ptdma_config ptdma_function;

static void open_with(struct ptdma_desk *desk, struct ptdma_rule *rules, size_t count)
{
	ptdma_desk_open(desk, &ptdma_function, rules, count);
}

/* So many pieces, by one doorbell. */
static void submit_all(struct ptdma_desk *desk, size_t count)
{
	uint32_t words[8];

	for (size_t i = 0; i < count; i++) {
		pd_copy(words, i, PD_PIECE);
		pd_put(desk, words);
	}
	pd_go(desk);
}

static int is_halted(const struct ptdma_desk *desk)
{
	return pd_wait(desk, PD_CONTROL, RUN | HALT, HALT);
}

START_TEST(pk_delay)
{
	struct ptdma_rule rules[] = {{.knob = PTDMA_DELAY, .at = 2, .amount = 50000},
				     {.knob = PTDMA_DELAY, .at = 9, .amount = 1}};
	struct ptdma_desk desk;

	open_with(&desk, rules, 2);
	submit_all(&desk, 3);
	ck_assert(pd_wait_head(&desk, 1));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1) && pd_read(&desk, PD_HEAD) == pd_low(1));
	ck_assert(pd_wait_head(&desk, 3) && pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert(rules[0].hits == 1 && rules[1].hits == 0);
	ptdma_desk_close(&desk);
}
END_TEST

/* Counted on after each restart; wrong ones are, too. */
START_TEST(pk_each_nth)
{
	struct ptdma_rule rule = {.knob = PTDMA_ERROR, .every = 3, .amount = 41};
	struct ptdma_desk desk;
	uint32_t words[8];

	open_with(&desk, &rule, 1);
	pd_copy(words, 0, 0);
	pd_put(&desk, words);
	for (size_t i = 1; i < 8; i++) {
		pd_copy(words, i, PD_PIECE);
		pd_put(&desk, words);
	}
	pd_go(&desk);
	for (size_t stop = 0; stop < 8; stop += stop ? 3 : 2) {
		ck_assert(is_halted(&desk));
		ck_assert_uint_eq(pd_read(&desk, PD_HEAD), pd_low(stop));
		ck_assert_uint_eq(pd_read(&desk, PD_STATUS), stop ? 41 : 9);
		ck_assert(pd_is_untouched(&desk, stop));
		pd_write(&desk, PD_HEAD, pd_low(stop + 1));
		pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	}
	ck_assert(pd_wait_head(&desk, 8) && rule.hits == 2);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pd_is_copied(&desk, i, PD_PIECE), i != 0 && i != 2 && i != 5);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_faults)
{
	for (int writes = 0; writes < 2; writes++) {
		struct ptdma_rule rules[] = {
			{.knob = writes ? PTDMA_WRITE_FAULT : PTDMA_READ_FAULT, .at = 1},
			{.knob = PTDMA_READ_FAULT, .at = 2, .amount = PD_PIECE},
			{.knob = writes ? PTDMA_WRITE_FAULT : PTDMA_READ_FAULT,
			 .at = 3,
			 .amount = 5001}};
		struct ptdma_desk desk;

		open_with(&desk, rules, 3);
		submit_all(&desk, 3);
		ck_assert(is_halted(&desk));
		ck_assert(pd_is_untouched(&desk, 0) && pd_read(&desk, PD_HEAD) == pd_low(0));
		ck_assert_uint_eq(pd_read(&desk, PD_STATUS), writes ? 38 : 19);
		pd_write(&desk, PD_HEAD, pd_low(1));
		pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
		ck_assert(pd_wait_head(&desk, 2) && is_halted(&desk));
		ck_assert(pd_is_copied(&desk, 1, PD_PIECE) && pd_is_copied(&desk, 2, 5001));
		ck_assert_uint_eq(pd_read(&desk, PD_STATUS), writes ? 38 : 19);
		ck_assert(rules[0].hits == 1 && rules[1].hits == 0 && rules[2].hits == 1);
		/* They are no mistakes of the user. */
		ck_assert(pd_counts(&desk).faults == 0 && pd_counts(&desk).refused == 0);
		ptdma_desk_close(&desk);
	}
}
END_TEST

/* Whichever comes first. */
START_TEST(pk_faults_together)
{
	struct ptdma_rule rules[] = {{.knob = PTDMA_READ_FAULT, .at = 1, .amount = 300},
				     {.knob = PTDMA_WRITE_FAULT, .at = 1, .amount = 200}};
	struct ptdma_desk desk;

	open_with(&desk, rules, 2);
	submit_all(&desk, 1);
	ck_assert(is_halted(&desk) && pd_is_copied(&desk, 0, 200));
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 38);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_error_past)
{
	struct ptdma_rule rule = {.knob = PTDMA_ERROR_PAST, .at = 2, .amount = 20};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(is_halted(&desk) && pd_wait_head(&desk, 2));
	ck_assert_uint_eq(pd_read(&desk, PD_STATUS), 20);
	ck_assert_uint_eq(pd_read(&desk, PD_INT_STATUS) & ERROR, ERROR);
	pd_settle(&desk);
	ck_assert(pd_is_copied(&desk, 0, PD_PIECE) && pd_is_untouched(&desk, 1) &&
		  pd_is_untouched(&desk, 2));
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ck_assert(pd_wait_head(&desk, 3) && pd_is_copied(&desk, 2, PD_PIECE));
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_error_quiet)
{
	struct ptdma_rule rule = {.knob = PTDMA_ERROR_QUIET, .at = 2, .amount = 20};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(is_halted(&desk));
	pd_settle(&desk);
	ck_assert(pd_read(&desk, PD_STATUS) == 0 && !(pd_read(&desk, PD_INT_STATUS) & ERROR));
	ck_assert(pd_read(&desk, PD_HEAD) == pd_low(1) && pd_is_untouched(&desk, 1));
	ptdma_desk_close(&desk);
}
END_TEST

/* Nor by stopping it and setting it up again: only a reset helps. */
START_TEST(pk_stuck)
{
	struct ptdma_rule rule = {.knob = PTDMA_STUCK, .at = 2};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(pd_wait_head(&desk, 1));
	pd_settle(&desk);
	pd_write(&desk, PD_CONTROL, PD_SETTING);
	pd_settle(&desk);
	pd_write(&desk, PD_HEAD, pd_low(2));
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ptdma_release(desk.ptdma);
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1) && pd_is_untouched(&desk, 2));
	ck_assert_uint_eq(pd_read(&desk, PD_INT_STATUS) & ERROR, 0);
	ptdma_reset(desk.ptdma, 0);
	pd_write(&desk, PD_TAIL, pd_low(2));
	pd_write(&desk, PD_HEAD, pd_low(2));
	pd_go(&desk);
	ck_assert(pd_wait_head(&desk, 3));
	ck_assert(pd_is_copied(&desk, 2, PD_PIECE) && pd_is_untouched(&desk, 1));
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_late)
{
	struct ptdma_rule rule = {.knob = PTDMA_LATE, .at = 2};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(pd_wait_head(&desk, 1));
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1) && pd_is_untouched(&desk, 2));
	ptdma_release(desk.ptdma);
	ck_assert(pd_is_copied(&desk, 1, PD_PIECE));
	ck_assert(pd_wait_head(&desk, 3) && pd_is_copied(&desk, 2, PD_PIECE));
	ptdma_desk_close(&desk);
}
END_TEST

/* It writes although the queue was stopped; not without bus mastering, nor after a reset. */
START_TEST(pk_late_after_a_stop)
{
	for (int how = 0; how < 4; how++) {
		struct ptdma_rule rule = {.knob = PTDMA_LATE, .at = 1};
		struct ptdma_desk desk;

		open_with(&desk, &rule, 1);
		submit_all(&desk, 1);
		while (!pd_counts(&desk).descriptors)
			;
		pd_write(&desk, PD_CONTROL, PD_SETTING);
		pd_settle(&desk);
		pd_write(&desk, PD_HEAD, pd_low(5));
		if (how == 1)
			ptdma_master(desk.ptdma, 0, 0);
		if (how == 2)
			ptdma_reset(desk.ptdma, 0);
		if (how == 3)
			ptdma_remove(desk.ptdma, 0);
		pd_settle(&desk);
		ptdma_release(desk.ptdma);
		ck_assert_int_eq(pd_is_copied(&desk, 0, PD_PIECE), how == 0);
		ck_assert_int_eq(pd_is_untouched(&desk, 0), how != 0);
		/* Its end does not move a HEAD that was written meanwhile. */
		pd_settle(&desk);
		ck_assert(how != 0 || pd_read(&desk, PD_HEAD) == pd_low(5));
		ck_assert_uint_eq(pd_counts(&desk).odd_writes, 0);
		ptdma_desk_close(&desk);
	}
}
END_TEST

START_TEST(pk_gone)
{
	struct ptdma_rule rule = {.knob = PTDMA_GONE, .at = 2};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(pd_wait(&desk, PD_HEAD, 0xffffffff, 0xffffffff));
	pd_settle(&desk);
	ck_assert(pd_is_copied(&desk, 0, PD_PIECE) && pd_is_untouched(&desk, 1) &&
		  pd_is_untouched(&desk, 2));
	ck_assert(pd_read(&desk, 0x10) == 0xffffffff && rule.hits == 1);
	ptdma_desk_close(&desk);
}
END_TEST

START_TEST(pk_master_lost)
{
	struct ptdma_rule rule = {.knob = PTDMA_MASTER_LOST, .at = 2};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 3);
	ck_assert(pd_wait_head(&desk, 1));
	while (ptdma_is_master(desk.ptdma, 0))
		;
	pd_settle(&desk);
	ck_assert(pd_is_untouched(&desk, 1) && pd_read(&desk, PD_HEAD) == pd_low(1));
	ck_assert(pd_wait_masterless(&desk, 1));
	ck_assert(pd_counts(&desk).masterless == 1 && pd_read(&desk, PD_STATUS) == 0);
	ptdma_master(desk.ptdma, 0, 1);
	ck_assert(pd_wait_head(&desk, 3) && pd_is_copied(&desk, 1, PD_PIECE));
	ptdma_desk_close(&desk);
}
END_TEST

/* At each of them: a reader that is kept from the CPU may miss one. */
START_TEST(pk_head_wild)
{
	struct ptdma_rule rule = {.knob = PTDMA_HEAD_WILD, .every = 1, .amount = 0xdead0007};
	struct ptdma_desk desk;

	open_with(&desk, &rule, 1);
	submit_all(&desk, 20);
	ck_assert(pd_wait(&desk, PD_HEAD, 0xffffffff, 0xdead0007));
	ck_assert(pd_is_copied(&desk, 0, PD_PIECE));
	ck_assert(pd_wait_head(&desk, 20) && pd_is_copied(&desk, 19, PD_PIECE));
	ck_assert(pd_counts(&desk).odd_writes == 0 && rule.hits == 20);
	ptdma_desk_close(&desk);
}
END_TEST

/* It goes on, and a stop is noticed all the same. */
START_TEST(pk_run_hidden)
{
	struct ptdma_rule rule = {.knob = PTDMA_RUN_HIDDEN, .at = 1};
	struct ptdma_desk desk;
	uint32_t words[8];

	open_with(&desk, &rule, 1);
	submit_all(&desk, 2);
	ck_assert(pd_wait_head(&desk, 2));
	ck_assert_uint_eq(pd_read(&desk, PD_CONTROL) & (RUN | HALT), 0);
	pd_copy(words, 2, PD_PIECE);
	pd_put(&desk, words);
	pd_write(&desk, PD_TAIL, pd_low(3));
	ck_assert(pd_wait_head(&desk, 3));
	pd_write(&desk, PD_CONTROL, PD_SETTING);
	pd_settle(&desk);
	pd_write(&desk, PD_TAIL, pd_low(4));
	pd_settle(&desk);
	ck_assert(pd_read(&desk, PD_HEAD) == pd_low(3) && pd_counts(&desk).odd_writes == 0);
	pd_copy(words, 3, PD_PIECE);
	pd_put(&desk, words);
	pd_write(&desk, PD_CONTROL, PD_SETTING | RUN);
	ck_assert(pd_wait_head(&desk, 4) && pd_read(&desk, PD_CONTROL) & RUN);
	ptdma_desk_close(&desk);
}
END_TEST

static const TTest *const *const tests[] = {&pk_delay,
					    &pk_each_nth,
					    &pk_faults,
					    &pk_faults_together,
					    &pk_error_past,
					    &pk_error_quiet,
					    &pk_stuck,
					    &pk_late,
					    &pk_late_after_a_stop,
					    &pk_gone,
					    &pk_master_lost,
					    &pk_head_wild,
					    &pk_run_hidden,
					    NULL};
const struct report_group model_ptdma_knobs_group = {"model_ptdma_knobs", tests};
