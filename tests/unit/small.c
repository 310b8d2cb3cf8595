/* SPDX-License-Identifier: MIT */
/* small.c - log, tallies and sums, workers, costs, counters of other movers. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "cost.h"
#include "fake.h"
#include "log.h"
#include "stats.h"
#include "structs.h"
#include "unit.h"
#include "witness.h"
#include "workers.h"

static char line[600];
static int lines, last_level;

static void hook(void *user, int level, const char *text)
{
	ck_assert_ptr_eq(user, &lines);
	lines++;
	last_level = level;
	snprintf(line, sizeof(line), "%s", text);
}

START_TEST(log_levels_and_hook)
{
	struct bm_log log = {hook, &lines, BM_LOG_WARN};

	lines = 0;
	bm_log(&log, BM_LOG_ERROR, "number %d", 1);
	ck_assert_str_eq(line, "number 1");
	ck_assert_int_eq(last_level, BM_LOG_ERROR);
	bm_log(&log, BM_LOG_WARN, "two");
	bm_log(&log, BM_LOG_INFO, "three");
	bm_log(&log, BM_LOG_DEBUG, "four");
	ck_assert_int_eq(lines, 2);
	bm_log(&log, BM_LOG_ERROR, "%0700d", 7);
	ck_assert_uint_lt(strlen(line), 600);
	log.level = BM_LOG_NONE;
	bm_log(&log, BM_LOG_ERROR, "never");
	ck_assert_int_eq(lines, 3);
}
END_TEST

/* What run() writes to standard error. */
static size_t stderr_of(void (*run)(void), char *buffer, size_t size)
{
	int pipes[2], before = dup(2);
	ssize_t got;

	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK), 0);
	fflush(stderr);
	dup2(pipes[1], 2);
	run();
	fflush(stderr);
	dup2(before, 2);
	got = read(pipes[0], buffer, size - 1);
	close(pipes[0]);
	close(pipes[1]);
	close(before);
	buffer[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

static void bad_context(void)
{
	struct bm_context *context = NULL;

	ck_assert_int_eq(bm_context_create(&fake_sys, NULL, &context), -EINVAL);
	ck_assert_ptr_null(context);
}

START_TEST(silent_unless_asked)
{
	char text[1024];

	fake_reset();
	fake_env("BATCHMIG_MOVER", "rubbish");
	ck_assert_uint_eq(stderr_of(bad_context, text, sizeof(text)), 0);
	fake_env("BATCHMIG_LOG", "error");
	ck_assert_uint_gt(stderr_of(bad_context, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "BATCHMIG_MOVER=rubbish"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	fake_end();
}
END_TEST

START_TEST(tally_slots)
{
	struct bm_tally tally = {0}, sum = {.moved = 2, .already = 1, .pages = 3};
	uint64_t pages = 0;

	bm_tally_fail(&tally, ENOENT, 0);
	ck_assert_uint_eq(tally.pages, 0);
	for (int i = 0; i < 40; i++)
		bm_tally_fail(&tally, 100 + i % 20, (uint64_t)(i + 1));
	bm_tally_sort(&tally);
	for (size_t i = 0; i < BM_ERRNO_SLOTS; i++) {
		pages += tally.by_errno[i].pages;
		ck_assert_uint_gt(tally.by_errno[i].pages, 0);
		if (i > 0)
			ck_assert_uint_ge(tally.by_errno[i - 1].pages, tally.by_errno[i].pages);
	}
	ck_assert_uint_eq(pages, 40 * 41 / 2);
	ck_assert_uint_eq(tally.failed, pages);
	ck_assert_uint_eq(tally.pages, pages);
	bm_tally_add(&sum, &tally);
	ck_assert_uint_eq(sum.pages, pages + 3);
	ck_assert_uint_eq(sum.failed, pages);
	ck_assert_uint_eq(sum.moved, 2);
}
END_TEST

/* Of a caller whose header is older or newer than the library. */
START_TEST(structs_across_versions)
{
	uint64_t known[4] = {1, 2, 3, 4}, shorter[2] = {7, 8}, longer[6] = {5, 6, 7, 8, 0, 0};

	ck_assert_int_eq(bm_struct_import(known, sizeof(known), shorter, sizeof(shorter)), 0);
	ck_assert_mem_eq(known, ((uint64_t[]){7, 8, 3, 4}), sizeof(known));
	ck_assert_int_eq(bm_struct_import(known, sizeof(known), longer, sizeof(longer)), 0);
	ck_assert_mem_eq(known, longer, sizeof(known));
	longer[5] = 1;
	ck_assert_int_eq(bm_struct_import(known, sizeof(known), longer, sizeof(longer)), -E2BIG);
	bm_struct_export(longer, sizeof(longer), shorter, sizeof(shorter));
	ck_assert_mem_eq(longer, ((uint64_t[]){7, 8, 0, 0, 0, 0}), sizeof(longer));
	bm_struct_export(shorter, sizeof(shorter), known, sizeof(known));
	ck_assert_mem_eq(shorter, known, sizeof(shorter));
	ck_assert(bm_struct_size_ok(16, 16) && bm_struct_size_ok(24, 16));
	ck_assert(!bm_struct_size_ok(8, 16) && !bm_struct_size_ok(17, 16));
	ck_assert(!bm_struct_size_ok(SIZE_MAX, 16));
}
END_TEST

/* Each error keeps to one slot, whatever comes in between. */
START_TEST(tally_merges_the_same_error)
{
	struct bm_tally tally = {0};

	for (int i = 0; i < 100; i++)
		bm_tally_fail(&tally, i % 3 ? EBUSY : 0, 1);
	bm_tally_sort(&tally);
	ck_assert_int_eq(tally.by_errno[0].error, EBUSY);
	ck_assert_uint_eq(tally.by_errno[0].pages, 66);
	ck_assert_int_eq(tally.by_errno[1].error, 0);
	ck_assert_uint_eq(tally.by_errno[1].pages, 34);
	ck_assert_uint_eq(tally.by_errno[2].pages, 0);
}
END_TEST

/* Sums of many batches whose errors differ: still one slot for each. */
START_TEST(sums_over_batches)
{
	struct bm_sums sums = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct bm_report report = {0};
	static const struct bm_stalls stalls;
	struct bm_tally *tally = &sums.stats.tally;
	uint64_t pages = 0;

	for (int i = 0; i < 30; i++) {
		memset(&report.tally, 0, sizeof(report.tally));
		bm_tally_fail(&report.tally, 1 + i % 15, 2);
		bm_tally_fail(&report.tally, ENOENT, 1);
		report.tally.pages += 4;
		report.tally.moved += 4;
		bm_sums_add(&sums, &report, &stalls, 4096);
	}
	bm_sums_add_one(&sums, 4096);
	ck_assert_uint_eq(sums.stats.calls, 31);
	ck_assert_uint_eq(tally->pages, 30 * 7 + 1);
	ck_assert_uint_eq(tally->failed, 30 * 3);
	ck_assert_uint_eq(tally->moved, 121);
	ck_assert_uint_eq(sums.stats.bytes_asked, 211 * 4096);
	for (size_t i = 0; i < BM_ERRNO_SLOTS; i++) {
		pages += tally->by_errno[i].pages;
		for (size_t k = 0; k < i; k++)
			ck_assert(tally->by_errno[k].error != tally->by_errno[i].error ||
				  tally->by_errno[i].pages == 0);
	}
	ck_assert_uint_eq(pages, 90);
}
END_TEST

#define BLOCKS 200
static atomic_uint done[BLOCKS];
static atomic_uint workers_seen;

static void step(void *arg, unsigned int worker, size_t block)
{
	ck_assert_ptr_eq(arg, done);
	atomic_fetch_add(&done[block], 1);
	atomic_fetch_or(&workers_seen, 1u << worker);
}

START_TEST(each_block_once)
{
	fake_reset();
	for (unsigned int threads = 0; threads <= 8; threads++) {
		for (unsigned int fail = 0; fail < 4; fail++) {
			unsigned int used;

			for (size_t i = 0; i < BLOCKS; i++)
				atomic_store(&done[i], 0);
			atomic_store(&workers_seen, 0);
			fake_fail(1u << FAKE_THREAD, fail, 0);
			used = bm_workers_run(&fake_sys, NULL, threads, BLOCKS, step, done);
			for (size_t i = 0; i < BLOCKS; i++)
				ck_assert_uint_eq(atomic_load(&done[i]), 1);
			ck_assert_uint_ge(used, 1);
			ck_assert_uint_le(used, threads ? threads : 1);
			if (fail && fail < threads)
				ck_assert_uint_eq(used, fail);
			ck_assert_uint_lt(atomic_load(&workers_seen), 1u << used);
		}
	}
	ck_assert_uint_eq(bm_workers_run(&fake_sys, NULL, 8, 0, step, done), 1);
	ck_assert_uint_le(bm_workers_run(&fake_sys, NULL, 8, 2, step, done), 2);
	ck_assert_uint_le(bm_workers_run(&fake_sys, NULL, 1000, BLOCKS, step, done),
			  BM_WORKERS_MAX);
	fake_end();
}
END_TEST

static atomic_int unnamed;

/* @arg: a barrier, so that neither thread takes both blocks. */
static void check_name(void *arg, unsigned int worker, size_t block)
{
	char name[16] = "";

	(void)block;
	pthread_barrier_wait(arg);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	if ((worker > 0) != (strcmp(name, "batchmig-worker") == 0))
		atomic_store(&unnamed, 1);
}

/* All threads of the library are told apart in top(1); the caller's keep their names. */
START_TEST(workers_are_named)
{
	pthread_barrier_t barrier;

	fake_reset();
	atomic_store(&unnamed, 0);
	pthread_barrier_init(&barrier, NULL, 2);
	ck_assert_uint_eq(bm_workers_run(&fake_sys, NULL, 2, 2, check_name, &barrier), 2);
	ck_assert_int_eq(atomic_load(&unnamed), 0);
	pthread_barrier_destroy(&barrier);
	fake_end();
}
END_TEST

START_TEST(costs)
{
	uint64_t before = 0;

	/* The root of 1024 * 9 is 96; never more than there are, and what costs nothing is not spared. */
	ck_assert_uint_eq(bm_cost_recycling_pages(1024, 9000, 1000), 128);
	ck_assert_uint_eq(bm_cost_recycling_pages(16, 900000, 1000), 16);
	ck_assert_uint_eq(bm_cost_recycling_pages(1024, 9000, 0), 1024);
	ck_assert_uint_eq(bm_cost_recycling_pages(1, 9000, 1000), 1);
	ck_assert_uint_eq(bm_cost_threads(0, 1, 100), 1);
	ck_assert_uint_eq(bm_cost_threads(0, 64, 1), 1);
	ck_assert_uint_ge(bm_cost_threads(0, 64, 1000), 2);
	ck_assert_uint_eq(bm_cost_threads(8, 1, 100), 8);
	ck_assert_uint_eq(bm_cost_threads(8, 1, 3), 3);
	ck_assert_uint_eq(bm_cost_threads(8, 1, 0), 1);
	ck_assert_uint_le(bm_cost_threads(1024, 4, 5000), BM_WORKERS_MAX);
	for (unsigned int round = 1; round < 120; round++) {
		uint64_t pause = bm_cost_pause_us(100, round);

		ck_assert_uint_ge(pause, before);
		ck_assert_uint_le(pause, 1000000);
		before = pause;
	}
	ck_assert_uint_eq(bm_cost_pause_us(100, 1), 100);
	ck_assert_uint_eq(bm_cost_pause_us(100, 2), 400);
	ck_assert_uint_eq(bm_cost_pause_us(0, 50), 0);
	ck_assert_uint_eq(bm_cost_pause_us(1000000, 3), 1000000);
	for (size_t units = 0; units < 5000; units++)
		ck_assert_uint_le(bm_cost_sample_step(units), units);
	ck_assert_uint_ge(bm_cost_slice_units(1, 1), 1);
	ck_assert_uint_le(bm_cost_slice_units(64, 1048576), UINT32_MAX);
}
END_TEST

START_TEST(other_movers_are_noticed)
{
	struct bm_witness before, after;

	fake_reset();
	ck_assert_int_eq(bm_witness_read(&fake_sys, &before), 0);
	fake.migrated += 10;
	ck_assert_int_eq(bm_witness_read(&fake_sys, &after), 0);
	ck_assert_int_eq(bm_witness_alone(&before, &after, 10), 1);
	ck_assert_int_eq(bm_witness_alone(&before, &after, 9), 0);
	fake.reclaimed++;
	ck_assert_int_eq(bm_witness_read(&fake_sys, &after), 0);
	ck_assert_int_eq(bm_witness_alone(&before, &after, 10), 0);
	fake_file("/proc/vmstat", "nr_free_pages 3\n");
	ck_assert_int_lt(bm_witness_read(&fake_sys, &after), 0);
	ck_assert_int_eq(bm_witness_alone(&before, &after, 10), 0);
	fake_file("/proc/vmstat", "");
	ck_assert_int_lt(bm_witness_read(&fake_sys, &after), 0);
	fake_file("/proc/vmstat", "pgmigrate_success");
	ck_assert_int_lt(bm_witness_read(&fake_sys, &after), 0);
	fake_fail(1u << FAKE_OPEN, 1, -EACCES);
	ck_assert_int_eq(bm_witness_read(&fake_sys, &after), -EACCES);
	fake_end();
}
END_TEST

START_TEST(arena_keeps_one_block)
{
	struct bm_arena arena = {NULL};
	void *first, *second;

	fake_reset();
	first = bm_arena_take(&arena, &fake_sys, 1000);
	second = bm_arena_take(&arena, &fake_sys, 1000);
	ck_assert_ptr_ne(first, second);
	memset(first, 1, 1000);
	memset(second, 2, 1000);
	bm_arena_give(&arena, first);
	bm_arena_give(&arena, second);
	ck_assert_uint_eq(fake.calls[FAKE_ALLOC], 2);
	ck_assert_ptr_eq(bm_arena_take(&arena, &fake_sys, 1000), second);
	bm_arena_give(&arena, second);
	ck_assert_uint_eq(fake.calls[FAKE_ALLOC], 2);
	/* Too small: given back, also when there is no larger one. */
	fake_fail(1u << FAKE_ALLOC, 1, -ENOMEM);
	ck_assert_ptr_null(bm_arena_take(&arena, &fake_sys, 1001));
	bm_arena_give(&arena, NULL);
	first = bm_arena_take(&arena, &fake_sys, 5u << 20);
	memset(first, 3, 5u << 20);
	bm_arena_give(&arena, first);
	ck_assert_ptr_null(atomic_load(&arena.kept));
	bm_arena_end(&arena);
	fake_end();
}
END_TEST

static void *take_and_give(void *arg)
{
	for (size_t i = 1; i < 2000; i++) {
		size_t size = i % 7 * 100 + 1;
		unsigned char *memory = bm_arena_take(arg, &fake_sys, size);

		memset(memory, (int)i, size);
		for (size_t k = 0; k < size; k++)
			ck_assert_uint_eq(memory[k], (unsigned char)i);
		bm_arena_give(arg, memory);
	}
	return NULL;
}

START_TEST(arena_of_many_threads)
{
	struct bm_arena arena = {NULL};
	pthread_t threads[4];

	fake_reset();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, take_and_give, &arena);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	bm_arena_end(&arena);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&log_levels_and_hook,
					    &silent_unless_asked,
					    &tally_slots,
					    &tally_merges_the_same_error,
					    &structs_across_versions,
					    &sums_over_batches,
					    &each_block_once,
					    &workers_are_named,
					    &costs,
					    &other_movers_are_noticed,
					    &arena_keeps_one_block,
					    &arena_of_many_threads,
					    NULL};
const struct report_group small_group = {"small", tests};
