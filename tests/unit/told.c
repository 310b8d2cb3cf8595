/* SPDX-License-Identifier: MIT */
/* told.c - what level debug tells of a batch: before it, of what swap leaves, and after it. */
#include <stdio.h>

#include "refusals.h"
#include "scene.h"
#include "unit.h"

static char told[8][512];
static size_t lines;

static void keep_line(void *user, int level, const char *line)
{
	(void)user;
	ck_assert_int_eq(level, BM_LOG_DEBUG);
	ck_assert_uint_lt(lines, 8);
	snprintf(told[lines++], sizeof(told[0]), "%s", line);
}

static void move_two(const char *level)
{
	void *pages[] = {(void *)(uintptr_t)BASE, (void *)(uintptr_t)(BASE + 4096)};
	int nodes[] = {1, 1}, status[2];
	struct bm_context *context;
	struct bm_options options;

	fake_reset();
	fake_map(BASE, 2, 0);
	bm_options_init(&options, sizeof(options));
	options.log = keep_line;
	options.log_level = level;
	options.threads = 7;
	options.max_stall_us = 50;
	options.bound = "wish";
	options.max_bytes_per_s = 1000000;
	options.mover = "move_pages";
	lines = 0;
	ck_assert_int_eq(bm_context_create(&fake_sys, &options, &context), 0);
	ck_assert_int_eq(bm_migrate_batch(context, 2, pages, nodes, status, BM_QUIET), 0);
	bm_context_free(context);
	fake_end();
}

START_TEST(the_plan_and_the_end)
{
	move_two("debug");
	ck_assert_uint_eq(lines, 2);
	ck_assert_str_eq(told[0],
			 "batch of 2 pages of process 0 begins: mover move_pages, backend "
			 "dsa,ptdma,cpu, quiet, swap not, bound 50 us as a wish, at most 0 and all "
			 "together 1000000 bytes/s, threads 7");
	ck_assert_ptr_nonnull(strstr(told[1], "batch of 2: 2 moved"));
	move_two("info");
	ck_assert_uint_eq(lines, 0);
}
END_TEST

/* Pages that follow each other are one line. */
START_TEST(what_swap_leaves)
{
	struct bm_log log = {.hook = keep_line, .level = BM_LOG_DEBUG};
	struct bm_refusals refusals = {.log = &log};

	lines = 0;
	bm_refusals_end(&refusals);
	ck_assert_uint_eq(lines, 0);
	for (uint64_t at = 0x1000; at < 0x9000; at += 0x1000)
		bm_refusals_add(&refusals, at, at + 0x1000, BM_REASON_PINNED);
	ck_assert_uint_eq(lines, 0);
	bm_refusals_add(&refusals, 0x9000, 0xa000, BM_REASON_FILE);
	bm_refusals_add(&refusals, 0xb000, 0xc000, BM_REASON_FILE);
	bm_refusals_end(&refusals);
	bm_refusals_end(&refusals);
	ck_assert_uint_eq(lines, 3);
	ck_assert_ptr_eq(strstr(told[0], "swap leaves 0x1000-0x9000: pinned: "), told[0]);
	ck_assert_ptr_eq(strstr(told[1], "swap leaves 0x9000-0xa000: file: "), told[1]);
	ck_assert_ptr_eq(strstr(told[2], "swap leaves 0xb000-0xc000: file: "), told[2]);
	log.level = BM_LOG_INFO;
	bm_refusals_add(&refusals, 0x1000, 0x2000, BM_REASON_FILE);
	bm_refusals_end(&refusals);
	ck_assert_uint_eq(lines, 3);
}
END_TEST

static const TTest *const *const tests[] = {&the_plan_and_the_end, &what_swap_leaves, NULL};
const struct report_group told_group = {"told", tests};
