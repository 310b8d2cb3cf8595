/* SPDX-License-Identifier: MIT */
/* policy.c - BM_BIND and the mover mbind: what they do to policies and huge pages. */
#include <linux/mempolicy.h>

#include "scene.h"
#include "unit.h"

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define HUGE      512u

START_TEST(mbind_moves_and_puts_back)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 32, 0);
	area = fake_map(BASE + 32 * 4096, 32, 0);
	for (size_t i = 0; i < 32; i++) {
		area->pages[i].policy = MPOL_INTERLEAVE;
		area->pages[i].policy_node = 2;
	}
	area->pages[8].shared = 1;
	fake_map(BASE + 64 * 4096, 8, 0)->pages[0].file = 1;
	context = fake_context();
	scene_line(&scene, 72, 1);
	scene.mover = "mbind";
	ck_assert_int_eq(scene_submit(&scene, context), 1);
	scene_check(&scene, 1, 1);
	ck_assert_int_eq(scene.status[40], -EACCES);
	ck_assert_str_eq(scene.report.mover, "mbind");
	ck_assert_msg(fake.calls[FAKE_MBIND] >= 2, "mbind was not called: %d",
		      (int)fake.calls[FAKE_MBIND]);
	for (size_t i = 0; i < 64; i++)
		ck_assert_int_eq(fake_at(BASE + i * 4096)->policy,
				 i < 32 ? MPOL_DEFAULT : MPOL_INTERLEAVE);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(bind_of_pages)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 20, 0);
	area->pages[5].pinned = -1;
	context = fake_context_with("BATCHMIG_RETRIES", "0");
	scene_line(&scene, 10, 1);
	scene.flags = BM_BIND;
	ck_assert_int_eq(scene_submit(&scene, context), 1);
	scene_check(&scene, 1, 1);
	for (size_t i = 0; i < 20; i++)
		ck_assert_int_eq(area->pages[i].policy,
				 i < 10 && i != 5 ? MPOL_PREFERRED : MPOL_DEFAULT);
	fake_fail(1u << FAKE_MBIND, 1, -ENOMEM);
	scene.nodes[5] = 0;
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	ck_assert_int_eq(scene.reasons[0], BM_REASON_NO_BIND);
	ck_assert_int_eq(scene.reasons[9], BM_REASON_ALREADY);
	ck_assert_int_eq(scene.status[0], 1);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(bind_on_too_many_runs)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 400, 0);
	fake_file("/proc/sys/vm/max_map_count", "400\n");
	context = fake_context();
	scene_line(&scene, 101, 1);
	for (size_t i = 0; i < 101; i++)
		scene.pages[i] = (void *)(uintptr_t)(BASE + i * 2 * 4096);
	scene.flags = BM_BIND;
	ck_assert_int_eq(scene_submit(&scene, context), -E2BIG);
	ck_assert_int_eq(scene_migrate(&scene, context), -E2BIG);
	ck_assert_int_eq(scene.status[0], UNSET);
	ck_assert_uint_eq(fake.migrated, 0);
	scene.count = 100;
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static struct fake_area *huge_pages(size_t count)
{
	struct fake_area *area;

	fake_reset();
	fake_file(HUGE_FILE, "2097152\n");
	area = fake_map(BASE, count * HUGE, 0);
	for (size_t i = 0; i < count; i++)
		fake_folio(area, i * HUGE, HUGE, 1);
	return area;
}

static void all_are(const struct fake_area *area, int policy)
{
	for (size_t i = 0; i < area->count; i++) {
		ck_assert_int_eq(area->pages[i].policy, policy);
		ck_assert_int_eq(area->pages[i].node, 1);
		ck_assert_int_eq(area->pages[i].pmd, area->pages[0].pmd);
	}
	ck_assert_int_eq(area->pages[0].pmd, 1);
}

/* Named by any of their pages, one or several, in a short or a long batch. */
static void stay_whole(size_t count, size_t entries, uint64_t flags, const char *mover)
{
	struct fake_area *area = huge_pages(count);
	struct bm_context *context = fake_context();
	struct scene scene;

	scene_new(&scene, count * entries);
	for (size_t i = 0; i < scene.count; i++) {
		size_t page = i / entries * HUGE + 7 + i % entries;

		scene.pages[i] = (void *)(uintptr_t)(BASE + page * 4096);
		scene.nodes[i] = 1;
	}
	scene.flags = flags;
	scene.mover = mover;
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	scene_check(&scene, 0, 1);
	all_are(area, flags & BM_BIND ? MPOL_PREFERRED : MPOL_DEFAULT);
	ck_assert_uint_ge(fake.calls[FAKE_MBIND], 1);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(huge_pages_stay_whole)
{
	static const size_t counts[] = {1, 3, 300};

	for (size_t i = 0; i < 3; i++) {
		for (size_t entries = 1; entries < 6; entries += 2) {
			stay_whole(counts[i], entries, BM_BIND, NULL);
			stay_whole(counts[i], entries, 0, "mbind");
			stay_whole(counts[i], entries, BM_BIND, "mbind");
		}
	}
}
END_TEST

/* Both ends in the middle of one. */
START_TEST(huge_pages_of_a_range_stay_whole)
{
	struct fake_area *area = huge_pages(3);
	struct bm_context *context = fake_context();
	struct bm_range range = {
		.addr = (void *)(uintptr_t)(BASE + 100 * 4096), .length = 1200 * 4096, .node = 1};

	ck_assert_int_eq(bm_migrate_ranges(context, 1, &range, sizeof(range), BM_BIND), 0);
	ck_assert_uint_eq(range.tally.moved, 1200);
	all_are(area, MPOL_PREFERRED);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* mbind(2) would take pages of another node where the target has none. */
START_TEST(mbind_to_a_full_node)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 100, 0);
	fake.room[1] = 10;
	fake_file("/sys/devices/system/node/node1/meminfo",
		  "Node 1 MemTotal:  1000 kB\nNode 1 MemFree:  40 kB\n");
	context = fake_context();
	scene_line(&scene, 100, 1);
	scene.mover = "mbind";
	scene.bounded = 1;
	ck_assert_int_eq(scene_submit(&scene, context), 90);
	scene_check(&scene, 90, 1);
	ck_assert_uint_eq(fake.calls[FAKE_MBIND], 0);
	for (size_t i = 0; i < 100; i++)
		ck_assert_int_eq(area->pages[i].node, i < 10 ? 1 : 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* What cannot be looked at afterwards must not be moved. */
START_TEST(mbind_where_questions_are_forbidden)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 10, 0);
	/* For the short form, which asks nothing before. */
	context = fake_context_with("BATCHMIG_MOVER", "mbind");
	scene_line(&scene, 10, 1);
	fake.refuse = -EPERM;
	ck_assert_int_eq(scene_migrate(&scene, context), -EPERM);
	ck_assert_int_eq(scene_submit(&scene, context), -EPERM);
	ck_assert_uint_eq(fake.calls[FAKE_MBIND], 0);
	ck_assert_int_eq(scene.status[0], UNSET);
	ck_assert_uint_eq(fake.migrated, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&mbind_moves_and_puts_back,
					    &bind_of_pages,
					    &bind_on_too_many_runs,
					    &huge_pages_stay_whole,
					    &huge_pages_of_a_range_stay_whole,
					    &mbind_to_a_full_node,
					    &mbind_where_questions_are_forbidden,
					    NULL};
const struct report_group policy_group = {"policy", tests};
