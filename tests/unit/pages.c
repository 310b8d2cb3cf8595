/* SPDX-License-Identifier: MIT */
/* pages.c - batches of pages, one rule of the header at a time. */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

START_TEST(one_page)
{
	struct bm_context *context;
	struct bm_stats stats;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 1, 0);
	context = fake_context();
	scene_line(&scene, 1, 1);
	scene.pages[0] = (void *)(uintptr_t)(BASE + 4095);
	ck_assert_int_eq(scene_migrate(&scene, context), 0);
	scene_check(&scene, 0, 0);
	ck_assert_uint_eq(fake.calls[FAKE_MOVE], 1);
	ck_assert_uint_eq(fake.calls[FAKE_QUERY], 0);
	scene.nodes[0] = 99;
	ck_assert_int_eq(scene_migrate(&scene, context), 1);
	ck_assert_int_eq(scene.status[0], -ENODEV);
	scene.nodes[0] = -1;
	ck_assert_int_eq(scene_submit(&scene, context), 1);
	scene_check(&scene, 1, 1);
	scene.pages[0] = NULL;
	scene.nodes[0] = 0;
	ck_assert_int_eq(scene_migrate(&scene, context), 1);
	ck_assert_int_eq(scene.status[0], -EFAULT);
	bm_stats_get(context, &stats, sizeof(stats));
	ck_assert_uint_eq(stats.calls, 4);
	ck_assert_uint_eq(stats.tally.pages, 4);
	ck_assert_uint_eq(stats.tally.moved, 1);
	ck_assert_uint_eq(stats.tally.failed, 3);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(each_kind_of_failure)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	static const int expected[] = {1,       -ENOENT, -ENOENT,    -EFAULT,
				       -EACCES, -EBUSY,  -EHWPOISON, 1};

	fake_reset();
	area = fake_map(BASE, 8, 0);
	area->pages[1].present = 0;
	area->pages[2].present = 0;
	area->pages[2].swapped = 1;
	area->pages[3].zero = 1;
	area->pages[4].shared = 1;
	area->pages[5].stuck = 1;
	area->pages[6].poisoned = 1;
	area->pages[7].node = 1;
	context = fake_context();
	scene_line(&scene, 9, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 7);
	scene_check(&scene, 7, 1);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(scene.status[i], expected[i]);
	ck_assert_int_eq(scene.status[8], -EFAULT);
	ck_assert_int_eq(scene.reasons[7], BM_REASON_ALREADY);
	fake.capable = 1;
	scene.flags = BM_MOVE_ALL;
	ck_assert_int_eq(scene_submit(&scene, context), 6);
	scene_check(&scene, 6, 1);
	ck_assert_int_eq(scene.status[4], 1);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Two to five entries of one huge page, in batches below and above where pagemap is read. */
static void contradict(size_t others, size_t entries, unsigned int order)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	long result;

	fake_reset();
	area = fake_map(BASE, 512, 0);
	fake_folio(area, 0, 512, 1);
	fake_map(BASE + 512 * 4096, 1000, 0);
	context = fake_context();
	scene_new(&scene, entries + others);
	for (size_t i = 0; i < scene.count; i++) {
		scene.pages[i] = (void *)(uintptr_t)(BASE + (512 + i) * 4096);
		scene.nodes[i] = 1;
	}
	for (size_t i = 0; i < entries; i++) {
		scene.pages[i] = (void *)(uintptr_t)(BASE + (i * 7 + order) % 512 * 4096);
		scene.nodes[i] = 1 + (int)(order >> i & 1);
	}
	result = scene_submit(&scene, context);
	scene_check(&scene, result, 1);
	for (size_t i = 0; i < entries; i++)
		ck_assert_int_eq(scene.status[i], scene.nodes[entries - 1]);
	/* The other way round, and without reasons. */
	for (size_t i = 0; i < entries; i++)
		scene.nodes[i] = 3 - scene.nodes[i];
	result = scene_migrate(&scene, context);
	scene_check(&scene, result, 0);
	ck_assert_int_eq(fake_node(BASE), scene.nodes[entries - 1]);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(the_highest_index_decides)
{
	for (size_t entries = 2; entries < 6; entries++) {
		for (unsigned int order = 0; order < 1u << entries; order++) {
			contradict(0, entries, order);
			contradict(300, entries, order);
		}
	}
}
END_TEST

/* An entry that was overruled is told where the page is, when that cannot move too. */
START_TEST(overruled_by_what_cannot_be)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 2, 0);
	area->pages[1].pinned = -1;
	context = fake_context_with("BATCHMIG_RETRIES", "0");
	scene_line(&scene, 4, 0);
	scene.pages[2] = scene.pages[0];
	scene.pages[3] = scene.pages[1];
	scene.nodes[2] = 99;
	scene.nodes[3] = 1;
	ck_assert_int_eq(scene_submit(&scene, context), 2);
	scene_check(&scene, 2, 1);
	ck_assert_int_eq(scene.status[0], 0);
	ck_assert_int_eq(scene.status[1], 0);
	ck_assert_int_eq(scene.status[2], -ENODEV);
	ck_assert_int_eq(scene.status[3], -EBUSY);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Naming one page of it moves a huge page as a whole, and it counts whole. */
START_TEST(huge_pages_count_whole)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 1024, 0);
	fake_folio(area, 0, 512, 1);
	fake_folio(area, 512, 512, 1);
	context = fake_context();
	scene_line(&scene, 1024, 2);
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	scene_check(&scene, 0, 1);
	ck_assert_uint_eq(scene.report.bytes_moved, 4 << 20);
	ck_assert_uint_eq(scene.report.tally.moved, 1024);
	ck_assert_uint_le(fake.calls[FAKE_MOVE], 2);
	ck_assert_uint_eq(fake.migrated, 1024);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Many slices and calls, several threads; also where the page is 64 KiB. */
static void large(uint64_t page_size, const char *threads, size_t count)
{
	struct bm_context *context;
	struct scene scene;
	long result;

	fake_reset();
	fake.page_size = page_size;
	fake.task_size = UINT64_C(1) << 56;
	if (page_size > 4096)
		fake_file(HUGE_FILE, "536870912\n");
	fake_map(BASE, count / 2, 0);
	fake_map(BASE + count * page_size, count / 2, 3);
	fake_env("BATCHMIG_CALL_PAGES", "64");
	context = fake_context_with("BATCHMIG_THREADS", threads);
	scene_line(&scene, count, 1);
	rnd_seed(5);
	for (size_t i = 0; i < count; i++) {
		if (i >= count / 2)
			scene.pages[i] = (char *)scene.pages[i] + count / 2 * page_size;
		scene.nodes[i] = (int)(rnd() % 3);
	}
	for (size_t i = count - 1; i > 0; i--) {
		size_t with = rnd() % (i + 1);
		void *page = scene.pages[i];

		scene.pages[i] = scene.pages[with];
		scene.pages[with] = page;
	}
	result = scene_submit(&scene, context);
	ck_assert_int_eq(result, 0);
	scene_check(&scene, result, 1);
	ck_assert_uint_le(scene.report.threads, (unsigned int)atoi(threads));
	ck_assert_uint_eq(scene.report.bytes_moved, scene.report.tally.moved * page_size);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(many_slices)
{
	large(4096, "1", 20000);
	large(4096, "4", 20000);
	large(4096, "64", 9001 * 2);
	large(65536, "2", 10000);
}
END_TEST

/* mbind is not for another process: its pages go by move_pages. */
START_TEST(another_process)
{
	struct bm_context *context;
	struct bm_request request;
	struct bm_batch *batch = NULL;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 20, 0);
	context = fake_context_with("BATCHMIG_MOVER", "auto");
	scene_line(&scene, 20, 1);
	bm_request_init(&request, sizeof(request));
	request.pid = fake.other;
	request.count = 20;
	request.pages = scene.pages;
	request.nodes = scene.nodes;
	request.status = scene.status;
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	bm_batch_free(batch);
	request.mover = "mbind";
	ck_assert_int_eq(bm_submit(context, &request, &batch), -EINVAL);
	request.mover = NULL;
	request.flags = BM_BIND;
	ck_assert_int_eq(bm_submit(context, &request, &batch), -EINVAL);
	request.flags = 0;
	request.pid = 31337;
	ck_assert_int_eq(bm_submit(context, &request, &batch), -ESRCH);
	/* Its own number is this process. */
	request.pid = fake.pid;
	request.mover = "mbind";
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	bm_batch_free(batch);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&one_page,
					    &each_kind_of_failure,
					    &the_highest_index_decides,
					    &overruled_by_what_cannot_be,
					    &huge_pages_count_whole,
					    &many_slices,
					    &another_process,
					    NULL};
const struct report_group pages_group = {"pages", tests};
