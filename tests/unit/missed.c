/* SPDX-License-Identifier: MIT */
/* missed.c - pages that the kernel calls absent: marked, or in migration by others. */
#include "scene.h"
#include "unit.h"

/* Linux 6.1 takes what NUMA balancing has marked for absent; in a sealed mapping it stays so. */
static void hinted_pages(int with_report, pid_t pid, size_t count)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	long result;

	fake_reset();
	fake.old = 1;
	fake_file("/proc/sys/kernel/osrelease", "6.1.0-47-amd64\n");
	area = fake_map(BASE, count, 0);
	for (size_t i = 0; i < count; i++)
		area->pages[i].hinted = i % 3 != 1;
	area->pages[count - 1].hinted = 1;
	area->pages[count - 1].sealed = 1;
	area->pages[0].node = 1;
	context = fake_context();
	scene_line(&scene, count, 1);
	scene.lenient = 1;
	scene.pid = pid;
	result = with_report ? scene_submit(&scene, context) : scene_migrate(&scene, context);
	ck_assert_int_eq(result, 1);
	scene_check(&scene, result, with_report);
	ck_assert_int_eq(scene.status[count - 1], -ENOENT);
	if (with_report)
		ck_assert_uint_eq(scene.report.tally.already, 1);
	for (size_t i = 0; i + 1 < count; i++)
		ck_assert_int_eq(scene.status[i], 1);
	ck_assert_uint_ge(fake.calls[FAKE_READV], 1);
	ck_assert_uint_le(fake.calls[FAKE_READV], 3 * (count / 256 + 2));
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(hinted_pages_move)
{
	hinted_pages(0, 0, 2);
	hinted_pages(0, 0, 900);
	hinted_pages(1, 0, 900);
	hinted_pages(1, 200, 900);
	hinted_pages(0, 0, 9000);
}
END_TEST

/* Others see them, and are not asked to read anything. */
START_TEST(hinted_pages_of_later_kernels)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 300, 0);
	for (size_t i = 0; i < 300; i++)
		area->pages[i].hinted = 1;
	area->pages[7].present = 0;
	context = fake_context();
	scene_line(&scene, 300, 1);
	ck_assert_int_eq(scene_migrate(&scene, context), 1);
	ck_assert_uint_eq(fake.calls[FAKE_READV], 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Every fifth page is on its way until somebody waits for it. */
static void passing_pages(const char *retries, pid_t pid, int expected)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	long result;

	fake_reset();
	area = fake_map(BASE, 600, 0);
	for (size_t i = 0; i < 600; i += 5)
		area->pages[i].passing = 2;
	area->pages[1].present = 0;
	area->pages[2].present = 0;
	area->pages[2].swapped = 1;
	context = fake_context_with("BATCHMIG_RETRIES", retries);
	scene_line(&scene, 600, 1);
	scene.pid = pid;
	scene.lenient = 1;
	result = pid ? scene_submit(&scene, context) : scene_migrate(&scene, context);
	ck_assert_int_eq(result, expected == 1 ? 2 : 122);
	for (size_t i = 0; i < 600; i += 5)
		ck_assert_int_eq(scene.status[i], expected);
	ck_assert_int_eq(scene.status[1], -ENOENT);
	ck_assert_int_eq(scene.status[2], -ENOENT);
	ck_assert_int_eq(scene.status[3], 1);
	/* What is swapped out stays so. */
	ck_assert_int_eq(area->pages[2].swapped, 1);
	ck_assert_uint_le(fake.sleeps, pid ? 4 : 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(pages_in_migration)
{
	passing_pages("3", 0, 1);
	passing_pages("0", 0, 1);
	passing_pages("3", 200, 1);
	/* Of another process they cannot be told from those that are swapped out. */
	passing_pages("0", 200, -ENOENT);
}
END_TEST

/* Not one question for each page. */
START_TEST(swapped_pages_share_a_question)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 3000, 0);
	for (size_t i = 0; i < 3000; i++) {
		area->pages[i].present = 0;
		area->pages[i].swapped = 1;
	}
	area->pages[1500].present = 1;
	area->pages[1500].swapped = 0;
	area->pages[1500].passing = 1;
	context = fake_context();
	scene_line(&scene, 3000, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 2999);
	scene_check(&scene, 2999, 1);
	ck_assert_int_eq(scene.status[1500], 1);
	ck_assert_uint_le(fake.calls[FAKE_MINCORE], 4 * (3000 / 256 + 1));
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&hinted_pages_move, &hinted_pages_of_later_kernels,
					    &pages_in_migration, &swapped_pages_share_a_question,
					    NULL};
const struct report_group missed_group = {"missed", tests};
