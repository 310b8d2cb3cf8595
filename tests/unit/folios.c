/* SPDX-License-Identifier: MIT */
/* folios.c - large folios that the kernel does not show, and entries that contradict each other. */
#include "scene.h"
#include "unit.h"

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

/* Large folios that nothing shows: left over from huge pages whose mapping was split. */
static void contradict_unseen(size_t count, int with_reasons)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	long result;

	fake_reset();
	fake_file(HUGE_FILE, "2097152\n");
	area = fake_map(BASE, count, 0);
	for (size_t i = 0; i + 4 <= count; i += 12)
		fake_folio(area, i, 4, 0);
	context = fake_context();
	scene_line(&scene, count, 0);
	for (size_t i = 1; i < count; i += 2)
		scene.nodes[i] = 1;
	result = with_reasons ? scene_submit(&scene, context) : scene_migrate(&scene, context);
	scene_check(&scene, result, with_reasons);
	ck_assert_int_eq(scene.status[0], 1);
	ck_assert_int_eq(scene.status[4], 0);
	/* One or two for each folio, not one for each page. */
	ck_assert_uint_le(fake.calls[FAKE_MOVE], 20 + 2 * count / 12);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(unseen_folios)
{
	static const size_t counts[] = {8, 300, 9000};

	for (size_t i = 0; i < 3; i++) {
		contradict_unseen(counts[i], 0);
		contradict_unseen(counts[i], 1);
	}
}
END_TEST

/* Without PAGEMAP_SCAN no huge page is seen; it is not sent to and fro for each entry. */
START_TEST(unseen_huge_pages)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	fake.old = 1;
	fake_file(HUGE_FILE, "2097152\n");
	area = fake_map(BASE, 2048, 0);
	for (size_t i = 0; i < 2048; i += 512)
		fake_folio(area, i, 512, 1);
	context = fake_context();
	scene_line(&scene, 2048, 1);
	for (size_t i = 0; i < 2048; i += 2)
		scene.nodes[i] = 2;
	ck_assert_int_eq(scene_submit(&scene, context), 1024);
	scene_check(&scene, 1024, 1);
	for (size_t i = 0; i < 2048; i++)
		ck_assert_int_eq(scene.status[i], 1);
	ck_assert_uint_le(fake.migrated, 2048 * 6);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static void no_huge_page_later(enum fake_call call, uint64_t number)
{
	(void)call;
	(void)number;
	fake.no_huge = fake.migrated >= 512;
}

/* Moved whole at first, split the next time: from then on each page has a target of its own. */
START_TEST(an_unseen_huge_page_is_split)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_file(HUGE_FILE, "2097152\n");
	fake_folio(fake_map(BASE, 512, 0), 0, 512, 0);
	fake.hook = no_huge_page_later;
	context = fake_context();
	scene_line(&scene, 512, 0);
	for (size_t i = 1; i < 512; i += 2)
		scene.nodes[i] = 1;
	scene.bounded = 1;
	ck_assert_int_eq(scene_migrate(&scene, context), 0);
	scene_check(&scene, 0, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Of hugetlbfs there are pages larger than those of a PMD: parts of one go where the last goes. */
START_TEST(larger_than_a_huge_page)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;
	long result;

	fake_reset();
	fake_file(HUGE_FILE, "65536\n");
	area = fake_map(BASE, 640, 0);
	for (size_t i = 0; i < 640; i += 64)
		fake_folio(area, i, 64, 1);
	context = fake_context();
	scene_line(&scene, 640, 1);
	for (size_t i = 0; i < 640; i++)
		scene.nodes[i] = 1 + (int)(i / 16 % 2);
	result = scene_migrate(&scene, context);
	ck_assert_int_gt(result, 0);
	for (size_t i = 0; i < 640; i++) {
		ck_assert_int_eq(scene.status[i], area->pages[i].node);
		result -= scene.status[i] != scene.nodes[i];
	}
	ck_assert_int_eq(result, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* As the mover swap does, and programs that change a part of the mapping. */
static void split_on_its_way(enum fake_call call, uint64_t number)
{
	struct fake_page *head = fake_at(BASE);

	if (call == FAKE_MOVE && number == 1 && head->pmd)
		fake_split(head);
}

/* The same, and its first page is removed. */
static void behead_on_its_way(enum fake_call call, uint64_t number)
{
	split_on_its_way(call, number);
	if (call == FAKE_MOVE && number == 1)
		fake_at(BASE)->present = 0;
}

/* Whoever names much of a huge page means the whole of it. */
static void split_meanwhile(size_t entries, int headless)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 512, 0);
	fake_folio(area, 0, 512, 1);
	fake.hook = headless ? behead_on_its_way : split_on_its_way;
	context = fake_context();
	scene_line(&scene, entries, 1);
	scene.lenient = headless;
	ck_assert_int_eq(scene_submit(&scene, context), headless);
	scene_check(&scene, headless, 1);
	for (size_t i = 0; i < 512; i++) {
		int expected = headless && i == 0 ? -ENOENT : 1;

		ck_assert_msg(i == 0 || area->pages[i].node == 1, "%zu entries: page %zu", entries,
			      i);
		ck_assert(i >= entries || scene.status[i] == expected);
	}
	ck_assert_uint_eq(scene.report.tally.moved, entries - (size_t)headless);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}

START_TEST(a_huge_page_is_split_on_its_way)
{
	for (int headless = 0; headless < 2; headless++) {
		split_meanwhile(300, headless);
		split_meanwhile(512, headless);
	}
}
END_TEST

static const TTest *const *const tests[] = {&unseen_folios,
					    &unseen_huge_pages,
					    &an_unseen_huge_page_is_split,
					    &a_huge_page_is_split_on_its_way,
					    &larger_than_a_huge_page,
					    NULL};
const struct report_group folios_group = {"folios", tests};
