/* SPDX-License-Identifier: MIT */
/* copy.c - copies in pieces, the cpu beside an engine, and how long that is waited for. */
#include "copy.h"

#include <errno.h>

#include "cpu/cpu.h"
#include "faulty.h"
#include "scene.h"
#include "unit.h"

#define COPIES 40
#define LENGTH 4096u

static unsigned char ends[COPIES];

#define LONGEST 16u /* pages of a copy */
#define PIECE   (2 * LENGTH)

static struct {
	unsigned char *from, *to;
	struct bm_copier copier;
	struct bm_backend_env env;
	struct bm_engine *cpu;
	struct bm_copy copies[COPIES];
	size_t pieces, bytes;
} both;

static void *some_memory(const struct bm_sys *sys, size_t size)
{
	return sys->alloc(1, size);
}

static void some_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	(void)size;
	free(memory);
}

static void both_begin(void)
{
	static struct bm_log silent;

	both.env = (struct bm_backend_env){.sys = &bm_sys_linux,
					   .log = &silent,
					   .loop = "memcpy",
					   .page_size = LENGTH,
					   .memory = some_memory,
					   .memory_end = some_memory_end};
	both.copier = (struct bm_copier){.sys = &bm_sys_linux,
					 .backend = &faulty_backend,
					 .cpu = &bm_backend_cpu,
					 .patience_ns = 20000000};
	both.from = calloc(COPIES * LONGEST, LENGTH);
	both.to = calloc(COPIES * LONGEST, LENGTH);
	ck_assert_int_eq(bm_backend_cpu.open(&both.env, &both.cpu), 0);
	ck_assert_int_eq(bm_backend_cpu.chan_open(both.cpu, -1, &both.copier.cpu_channel), 0);
	ck_assert_int_eq(faulty_backend.chan_open(NULL, -1, &both.copier.channel), 0);
}

static void both_end(void)
{
	faulty_backend.chan_close(both.copier.channel);
	bm_backend_cpu.chan_close(both.copier.cpu_channel);
	bm_backend_cpu.close(both.cpu);
	free(both.from);
	free(both.to);
}

/* Copies of 1 to 16 pages, with room between them that nobody may write to. */
static size_t both_run(const struct faulty *how)
{
	size_t length = COPIES * LONGEST * LENGTH, lost, beside = 0;

	faulty = *how;
	both.pieces = both.bytes = 0;
	for (size_t i = 0; i < length; i += 64)
		both.from[i] = (unsigned char)rnd();
	memset(both.to, 0, length);
	for (size_t i = 0; i < COPIES; i++) {
		size_t bytes = (1 + rnd() % (LONGEST - 1)) * LENGTH, at = i * LONGEST * LENGTH;

		both.copies[i] = (struct bm_copy){both.to + at, both.from + at, bytes, 0};
		both.pieces += (bytes + PIECE - 1) / PIECE;
		both.bytes += bytes;
	}
	both.copier.silent = 0;
	both.copier.offloaded = both.copier.finished = 0;
	lost = bm_copy_all(&both.copier, both.copies, COPIES, ends);
	for (size_t i = 0; i < COPIES; i++) {
		size_t at = i * LONGEST * LENGTH, bytes = both.copies[i].length;

		ck_assert_msg(ends[i] == BM_COPY_LOST ||
				      memcmp(both.to + at, both.from + at, bytes) == 0,
			      "copy %zu is not what was copied", i);
		for (size_t k = at + bytes; k < at + LONGEST * LENGTH; k++)
			beside += both.to[k];
	}
	ck_assert_uint_eq(beside, 0);
	return lost;
}

START_TEST(long_copies_are_cut)
{
	struct faulty how = {.piece = PIECE, .shuffle = 1};

	both_begin();
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(faulty.seen, both.pieces);
	ck_assert_uint_eq(both.copier.offloaded, both.bytes);
	how.depth = 3;
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(faulty.seen, both.pieces);
	both_end();
}
END_TEST

START_TEST(too_many_pieces)
{
	struct faulty how = {.piece = 64};

	both_begin();
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(faulty.seen, 0);
	both_end();
}
END_TEST

START_TEST(little_is_the_cpus)
{
	struct faulty how = {.piece = PIECE};

	both_begin();
	both.copier.least = COPIES * LONGEST * LENGTH;
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(faulty.seen, 0);
	ck_assert_uint_eq(both.copier.offloaded, 0);
	both.copier.least = COPIES * LENGTH;
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(faulty.seen, both.pieces);
	both_end();
}
END_TEST

/* With an engine that is slow, so that there is something left for the cpu. */
START_TEST(both_share)
{
	struct faulty how = {.piece = PIECE, .kind = FAULTY_LATE, .every = 5, .depth = 4};

	both_begin();
	both.copier.shares = 1;
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_gt(both.copier.offloaded, 0);
	ck_assert_uint_lt(both.copier.offloaded, both.bytes);
	ck_assert_uint_lt(faulty.seen, both.pieces);
	both_end();
}
END_TEST

START_TEST(each_kind_at_each_piece)
{
	static const enum faulty_kind kinds[] = {FAULTY_ERROR,   FAULTY_SHORT, FAULTY_LATE,
						 FAULTY_REFUSED, FAULTY_TWICE, FAULTY_SILENT};
	size_t hits = 0;

	both_begin();
	for (size_t round = 0; round < 2 * 6 * 60; round++) {
		struct faulty how = {.kind = kinds[round % 6],
				     .at = 1 + round / 12,
				     .depth = round % 5 * 7,
				     .piece = PIECE};
		size_t lost;

		/* One that refused takes nothing ever after. */
		faulty_backend.chan_close(both.copier.channel);
		ck_assert_int_eq(faulty_backend.chan_open(NULL, -1, &both.copier.channel), 0);
		both.copier.has_failed = 0;
		both.copier.shares = round / 6 % 2;
		lost = both_run(&how);
		hits += (size_t)faulty.hit;
		ck_assert_uint_eq(lost, how.kind == FAULTY_SILENT && faulty.hit);
		ck_assert_int_eq(both.copier.silent, lost > 0);
	}
	ck_assert_uint_gt(hits, 600);
	both_end();
}
END_TEST

START_TEST(the_cpu_takes_over)
{
	struct faulty how = {.kind = FAULTY_SILENT, .every = 1, .piece = PIECE, .depth = 2};

	both_begin();
	ck_assert_uint_gt(both_run(&how), 0);
	ck_assert_int_eq(both.copier.silent, 1);
	faulty.seen = 0;
	ck_assert_uint_eq(bm_copy_all(&both.copier, both.copies, COPIES, ends), 0);
	ck_assert_uint_eq(faulty.seen, 0);
	both_end();
}
END_TEST

/* ---------------------------------------------------------------- whose fault it is not */

#define ASKED 20

static struct {
	struct bm_sys sys;
	struct bm_backend backend;
	uint64_t skew; /* of the clock */
	int asked;
} odd;

static uint64_t skewed_now(void)
{
	return bm_sys_linux.now_ns() + odd.skew;
}

static int takes_nothing(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	(void)channel;
	(void)copies;
	(void)count;
	return -EAGAIN;
}

/* The thread is stopped when it has just been told that nothing has ended. */
static int stopped_after_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	if (odd.asked++ > ASKED)
		return faulty_backend.reap(channel, copied, most);
	/* Not just after it has taken some, which is a sign of life. */
	odd.skew = odd.asked > ASKED ? 10000000000u : 0;
	return 0;
}

static void odd_begin(void)
{
	odd.sys = bm_sys_linux;
	odd.sys.now_ns = skewed_now;
	odd.backend = faulty_backend;
	odd.skew = 0;
	odd.asked = 0;
	both_begin();
	both.copier.sys = &odd.sys;
	both.copier.backend = &odd.backend;
}

/* As a shared work queue that other processes keep full: pages are away meanwhile. */
START_TEST(a_queue_full_of_others_is_not_waited_for)
{
	struct faulty how = {.piece = PIECE};
	uint64_t begin;

	odd_begin();
	odd.backend.submit = takes_nothing;
	both.copier.patience_ns = 2000000000u;
	begin = bm_sys_linux.now_ns();
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_lt(bm_sys_linux.now_ns() - begin, 1000000000u);
	ck_assert_int_eq(both.copier.silent, 0);
	both_end();
}
END_TEST

START_TEST(a_thread_that_was_stopped_asks_again)
{
	struct faulty how = {.piece = PIECE};

	odd_begin();
	odd.backend.reap = stopped_after_reap;
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_int_gt(odd.asked, ASKED + 1);
	ck_assert_int_eq(both.copier.silent, 0);
	ck_assert_uint_eq(both.copier.offloaded, both.bytes);
	both_end();
}
END_TEST

/* One piece, just before the time is over; then nothing for a while. */
static int trickles(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	if (odd.asked++ % 2 || most == 0)
		return 0;
	odd.skew += both.copier.patience_ns / 10 * 9;
	return faulty_backend.reap(channel, copied, 1);
}

START_TEST(an_engine_that_stands_still_is_given_up)
{
	struct faulty how = {.piece = PIECE};

	odd_begin();
	odd.backend.reap = trickles;
	ck_assert_uint_gt(both_run(&how), 0);
	ck_assert_int_eq(both.copier.silent, 1);
	ck_assert_uint_gt(both.copier.offloaded, 0);
	ck_assert_uint_lt(odd.skew, 12 * both.copier.patience_ns);
	both_end();
}
END_TEST

/* A queue of one entry is empty whenever something comes back: it is not full of others then. */
START_TEST(a_small_queue_keeps_its_work)
{
	struct faulty how = {.piece = PIECE, .kind = FAULTY_LATE, .every = 1, .depth = 1};

	both_begin();
	both.copier.patience_ns = UINT64_C(10000000000);
	ck_assert_uint_eq(both_run(&how), 0);
	ck_assert_uint_eq(both.copier.offloaded, both.bytes);
	both_end();
}
END_TEST

static const TTest *const *const tests[] = {&a_small_queue_keeps_its_work,
					    &long_copies_are_cut,
					    &too_many_pieces,
					    &little_is_the_cpus,
					    &both_share,
					    &each_kind_at_each_piece,
					    &the_cpu_takes_over,
					    &a_queue_full_of_others_is_not_waited_for,
					    &a_thread_that_was_stopped_asks_again,
					    &an_engine_that_stands_still_is_given_up,
					    NULL};
const struct report_group copy_group = {"copy", tests};
