/* SPDX-License-Identifier: MIT */
/* cpu.c - the backend cpu: its channels, its names, and which loop is used. */
#include <errno.h>
#include <string.h>

#include "cpu/choose.h"
#include "cpu_scene.h"
#include "unit.h"

static uint64_t test_now(void)
{
	cpu.clock_reads++;
	return cpu.clock += cpu.tick;
}

static size_t take_some(struct bm_copied *copied, unsigned char *seen, size_t most)
{
	int got = bm_backend_cpu.reap(cpu.channel, copied, most);

	ck_assert_int_ge(got, 0);
	ck_assert_uint_le((size_t)got, most);
	for (int i = 0; i < got; i++) {
		ck_assert_uint_lt(copied[i].tag, MOST);
		ck_assert_int_eq(copied[i].error, 0);
		ck_assert_uint_eq(copied[i].done, PIECE);
		seen[copied[i].tag]++;
	}
	return (size_t)got;
}

static void prepare_many(void)
{
	cpu_begin();
	for (size_t i = 0; i < MOST; i++) {
		cpu_add(i % ARENA, i % ARENA, 1);
		cpu.copies[i].tag = (uint32_t)i;
	}
}

START_TEST(full_channels_say_so)
{
	struct bm_copied copied[BM_CPU_DEPTH];
	unsigned char seen[MOST] = {0};

	cpu_set_up();
	ck_assert_int_eq(cpu_open_loop("memcpy"), 0);
	prepare_many();
	ck_assert_int_eq(bm_backend_cpu.reap(cpu.channel, copied, 5), 0);
	ck_assert_int_eq(bm_backend_cpu.submit(cpu.channel, cpu.copies, MOST), BM_CPU_DEPTH);
	ck_assert_int_eq(bm_backend_cpu.submit(cpu.channel, cpu.copies, 1), -EAGAIN);
	ck_assert_mem_eq(cpu.to, cpu.from, BM_CPU_DEPTH * PIECE);
	ck_assert_uint_eq(cpu.to[BM_CPU_DEPTH * PIECE], STALE_BYTE);
	ck_assert_uint_eq(take_some(copied, seen, 10), 10);
	ck_assert_int_eq(
		bm_backend_cpu.submit(cpu.channel, cpu.copies + BM_CPU_DEPTH, BM_CPU_DEPTH), 10);
	ck_assert_int_eq(bm_backend_cpu.submit(cpu.channel, cpu.copies, 1), -EAGAIN);
	cpu_close_loop();
	cpu_tear_down();
}
END_TEST

START_TEST(each_tag_comes_once)
{
	struct bm_copied copied[BM_CPU_DEPTH];
	unsigned char seen[MOST] = {0};
	size_t sent = 0, back = 0;

	cpu_set_up();
	ck_assert_int_eq(cpu_open_loop("memcpy"), 0);
	prepare_many();
	while (back < MOST) {
		int took = sent < MOST ? bm_backend_cpu.submit(cpu.channel, cpu.copies + sent,
							       1 + rnd() % (MOST - sent))
				       : 0;

		ck_assert(took >= 0 || took == -EAGAIN);
		sent += took > 0 ? (size_t)took : 0;
		back += take_some(copied, seen, rnd() % 600);
	}
	for (size_t i = 0; i < MOST; i++)
		ck_assert_msg(seen[i] == 1, "tag %zu came %d times", i, seen[i]);
	ck_assert_int_eq(bm_backend_cpu.reap(cpu.channel, copied, BM_CPU_DEPTH), 0);
	cpu_close_loop();
	cpu_tear_down();
}
END_TEST

START_TEST(unknown_loops)
{
	static const char *const bad[] = {"", "avx", "AVX2", "avx512_x8", "auto ", "memcpy,avx2"};

	cpu_set_up();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cpu.line[0] = '\0';
		ck_assert_int_eq(cpu_open_loop(bad[i]), -EINVAL);
		ck_assert_ptr_nonnull(strstr(cpu.line, bad[i]));
		ck_assert_ptr_nonnull(strstr(cpu.line, "auto, memcpy"));
	}
	cpu_tear_down();
}
END_TEST

START_TEST(loops_of_other_cpus)
{
	size_t refused = 0;

	cpu_set_up();
	for (size_t i = 0; i < bm_cpu_loop_count(); i++) {
		if (bm_cpu_loop_here(i))
			continue;
		refused++;
		ck_assert_int_eq(cpu_open_loop(bm_cpu_loop_name(i)), -ENODEV);
		ck_assert_ptr_nonnull(strstr(cpu.line, bm_cpu_loop_name(i)));
		ck_assert_ptr_nonnull(strstr(cpu.line, "it has auto, memcpy"));
		ck_assert_ptr_null(strstr(strstr(cpu.line, "it has"), bm_cpu_loop_name(i)));
	}
	cpu_tear_down();
	if (refused == 0)
		skip_test("this CPU has every loop");
}
END_TEST

START_TEST(classes_by_length)
{
	ck_assert_int_eq(bm_cpu_class_of(4096, HUGE), BM_CPU_PAGES);
	ck_assert_int_eq(bm_cpu_class_of(12288, HUGE), BM_CPU_PAGES);
	ck_assert_int_eq(bm_cpu_class_of(16384, HUGE), BM_CPU_RUNS);
	ck_assert_int_eq(bm_cpu_class_of(HUGE - PIECE, HUGE), BM_CPU_RUNS);
	ck_assert_int_eq(bm_cpu_class_of(HUGE, HUGE), BM_CPU_HUGE);
	ck_assert_int_eq(bm_cpu_class_of(8u << 20, 0), BM_CPU_RUNS);
}
END_TEST

START_TEST(the_least_time_is_chosen)
{
	static const uint64_t ns[] = {50, 40, 30, 40, BM_CPU_UNMEASURED, 30};
	static const uint64_t never[] = {BM_CPU_UNMEASURED, BM_CPU_UNMEASURED};
	static const uint64_t gap[] = {BM_CPU_UNMEASURED, 90, BM_CPU_UNMEASURED};

	ck_assert_uint_eq(bm_cpu_choose(ns, 1, 0), 0);
	ck_assert_uint_eq(bm_cpu_choose(ns, 2, 0), 1);
	ck_assert_uint_eq(bm_cpu_choose(ns, 6, 0), 2); /* not the later tie */
	ck_assert_uint_eq(bm_cpu_choose(ns + 3, 3, 0), 2);
	ck_assert_uint_eq(bm_cpu_choose(never, 2, 1), 1);
	ck_assert_uint_eq(bm_cpu_choose(gap, 3, 0), 1);
	ck_assert_uint_le(bm_cpu_loop_count(), BM_CPU_LOOPS_MOST);
}
END_TEST

static size_t last_loop_here(void)
{
	size_t loop = bm_cpu_loop_count();

	while (!bm_cpu_loop_here(--loop))
		continue;
	return loop;
}

/* A clock of a microsecond a look never ends the measuring, one of 2 ms soon does. */
START_TEST(measuring_ends)
{
	unsigned int all;

	cpu_set_up();
	cpu.sys.now_ns = test_now;
	cpu.tick = 1000;
	ck_assert_int_eq(cpu_open_loop("auto"), 0);
	ck_assert_uint_eq(bm_cpu_loop_used(cpu.engine, BM_CPU_HUGE), 0); /* all equal */
	cpu_close_loop();
	all = cpu.clock_reads;
	ck_assert_uint_le(all, 2 * 4 * BM_CPU_CLASSES * BM_CPU_LOOPS_MOST + 1);
	cpu.clock_reads = 0;
	cpu.tick = 2000000;
	ck_assert_int_eq(cpu_open_loop(NULL), 0);
	ck_assert_uint_eq(bm_cpu_loop_used(cpu.engine, BM_CPU_HUGE), last_loop_here());
	cpu_close_loop();
	ck_assert_uint_le(cpu.clock_reads, 5);
	cpu_tear_down();
}
END_TEST

START_TEST(without_memory)
{
	cpu_set_up();
	cpu.fail_at = 1;
	ck_assert_int_eq(cpu_open_loop("auto"), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(cpu.line, "memory"));
	cpu.fail_at = 2; /* that of the trials */
	ck_assert_int_eq(cpu_open_loop("auto"), 0);
	ck_assert_uint_eq(bm_cpu_loop_used(cpu.engine, BM_CPU_PAGES), last_loop_here());
	cpu.fail_at = 1;
	bm_backend_cpu.chan_close(cpu.channel);
	ck_assert_int_eq(bm_backend_cpu.chan_open(cpu.engine, 0, &cpu.channel), -ENOMEM);
	bm_backend_cpu.close(cpu.engine);
	cpu_tear_down();
}
END_TEST

static const TTest *const *const tests[] = {
	&full_channels_say_so, &each_tag_comes_once, &unknown_loops,
	&loops_of_other_cpus,  &classes_by_length,   &the_least_time_is_chosen,
	&measuring_ends,       &without_memory,      NULL};
const struct report_group cpu_group = {"cpu", tests};
