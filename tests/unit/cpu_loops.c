/* SPDX-License-Identifier: MIT */
/* cpu_loops.c - every copy loop that this CPU has, against memcpy(). */
#include "cpu_scene.h"
#include "unit.h"

/* Every loop that is here, and at the end the choice of the engine. */
static void with_every_loop(void (*test)(void))
{
	cpu_set_up();
	for (size_t i = 0; i <= bm_cpu_loop_count(); i++) {
		if (i < bm_cpu_loop_count() && !bm_cpu_loop_here(i))
			continue;
		ck_assert_int_eq(
			cpu_open_loop(i < bm_cpu_loop_count() ? bm_cpu_loop_name(i) : "auto"), 0);
		test();
		cpu_close_loop();
	}
	cpu_tear_down();
}

static void one_copy(void)
{
	static const size_t pieces[] = {1,  2,  3,  4,  5,  6,  7,   8,   9,
					15, 16, 17, 63, 64, 65, 130, 512, 515};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (size_t start = 1; start < 6; start++) {
			cpu_begin();
			cpu_add(start, 2 * start, pieces[i]);
			cpu_run("one copy");
		}
	}
}

START_TEST(lengths_and_places)
{
	with_every_loop(one_copy);
}
END_TEST

/* Piece i * step is another one for each i: the step is coprime to ARENA. */
static void single_pieces(void)
{
	for (size_t count = 1; count < 70; count++) {
		cpu_begin();
		for (size_t i = 0; i < count; i++)
			cpu_add(i * 607 % ARENA, i * 301 % ARENA, 1);
		cpu_run("scattered pieces");
	}
	cpu_begin();
	for (size_t i = 0; i < BM_CPU_DEPTH; i++)
		cpu_add(i * 607 % ARENA, i * 301 % ARENA, 1);
	cpu_run("scattered pieces");
}

START_TEST(scattered_single_pages)
{
	with_every_loop(single_pieces);
}
END_TEST

static size_t random_pieces(size_t left)
{
	size_t pieces = one_in(8) ? 1 + rnd() % 150 : 1 + rnd() % 9;

	return pieces < left ? pieces : left;
}

/* Runs of all classes in the order of their destinations, some of which touch. */
static void mixed_runs(void)
{
	for (int round = 0; round < 40; round++) {
		cpu_begin();
		for (size_t to = 0; to < ARENA;) {
			size_t pieces = random_pieces(ARENA - to);

			cpu_add(to, rnd() % (ARENA - pieces + 1), pieces);
			to += pieces + rnd() % 3;
		}
		cpu_run("mixed runs");
	}
}

START_TEST(runs_of_all_lengths)
{
	with_every_loop(mixed_runs);
}
END_TEST

static const TTest *const *const tests[] = {&lengths_and_places, &scattered_single_pages,
					    &runs_of_all_lengths, NULL};
const struct report_group cpu_loops_group = {"cpu_loops", tests};
