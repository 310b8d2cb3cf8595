/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - thousands of small random batches on the fake kernel.
 *
 * FUZZ_ONLY=N runs scenario N alone, FUZZ_VERBOSE=1 prints all that are wrong,
 * FUZZ_SEED=N makes other ones.
 */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define HUGE_FILE  "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define LARGE_FILE "/sys/kernel/mm/transparent_hugepage/hugepages-16kB/enabled"
#define HUGE_PAGES 16u

enum spice {
	HOLES = 1,
	SPECIAL = 2, /* swapped, zero, poisoned */
	PINNED = 4,
	SHARED = 8,
	HUGE = 16,
	LARGE = 32,
	BAD_NODE = 64,
	CPUSET = 128,
	MIXED = 256, /* targets at random */
	FULL = 512,
	NO_HUGE = 1024,
	DOUBLE = 2048,   /* entries named more than once */
	STUCK = 4096,    /* some of the pinned cannot even be isolated */
	HINTED = 8192,   /* of Linux 6.1 only */
	PASSING = 16384, /* in migration by others when first looked at */
	SPICES = 32768
};

static void season_page(struct fake_page *page, unsigned int spice)
{
	page->node = (int)(rnd() % 4);
	if (spice & HOLES && one_in(5))
		page->present = 0;
	if (spice & SPECIAL && one_in(10)) {
		uint32_t kind = rnd() % 3;

		page->present = kind == 2;
		page->swapped = kind == 0;
		page->zero = kind == 1;
		page->poisoned = kind == 2;
	}
	if (spice & PINNED && one_in(12)) {
		page->pinned = one_in(2) ? -1 : 1 + (int)(rnd() % 2);
		page->stuck = spice & STUCK && one_in(4);
	}
	if (spice & SHARED)
		page->shared = one_in(8);
	if (spice & PASSING && page->present && !page->poisoned)
		page->passing = one_in(9) ? (unsigned char)(1 + rnd() % 2) : 0;
	if (spice & HINTED)
		page->hinted = one_in(3);
}

/* Folios of 4 or 16 pages, naturally aligned as the kernel has them. */
static void season(struct fake_area *area, unsigned int spice)
{
	for (size_t i = 0; i < area->count; i++)
		season_page(&area->pages[i], spice);
	for (size_t i = 0; i < area->count; i += HUGE_PAGES) {
		if (spice & HUGE && one_in(2)) {
			area->pages[i].swapped = area->pages[i].zero = area->pages[i].poisoned = 0;
			fake_folio(area, i, HUGE_PAGES, 1);
			continue;
		}
		for (size_t k = 0; spice & LARGE && k < HUGE_PAGES; k += 4) {
			struct fake_page *page = &area->pages[i + k];

			if (one_in(2))
				continue;
			page->swapped = page->zero = page->poisoned = 0;
			fake_folio(area, i + k, 4, 0);
		}
	}
}

static int target_of(unsigned int spice, int usual)
{
	if (spice & BAD_NODE && one_in(10))
		return one_in(2) ? -3 : one_in(2) ? 6 : 5000;
	return spice & MIXED ? (int)(rnd() % 4) : usual;
}

static void fill(struct scene *scene, unsigned int spice)
{
	uint32_t way = rnd() % 3, step = 1 + rnd() % 2, usual = rnd() % 4;

	for (size_t i = 0; i < scene->count; i++) {
		uint64_t page = i * step;

		if (way == 1)
			page = rnd() % 700;
		if (way == 2)
			page = (scene->count - 1 - i) * step;
		if (spice & DOUBLE && i > 0 && one_in(4))
			scene->pages[i] = scene->pages[rnd() % i];
		else
			scene->pages[i] = (void *)(uintptr_t)(BASE + page % 700 * fake.page_size +
							      rnd() % fake.page_size);
		scene->nodes[i] = target_of(spice, (int)usual);
	}
}

static void set_number(const char *name, uint32_t value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", value);
	fake_env(name, digits);
}

static unsigned int set_world(unsigned int number, int old, unsigned int spice)
{
	static const uint32_t calls[] = {1, 3, 16, 64, 4096};

	const char *seed = getenv("FUZZ_SEED");

	fake_reset();
	rnd_seed(number + (seed ? strtoul(seed, NULL, 10) << 32 : 0));
	spice &= rnd() & (SPICES - 1);
	fake.old = old;
	if (number % 2 == 0)
		spice &= ~(unsigned int)HINTED;
	if (old)
		fake_file("/proc/sys/kernel/osrelease", number % 2 ? "6.1.0-40\n" : "6.6\n");
	fake.cpus = 1 + (int)(rnd() % 4);
	fake.capable = 1;
	fake.allowed = spice & CPUSET ? 7 : 15;
	fake.no_huge = (spice & NO_HUGE) != 0;
	for (size_t i = 0; spice & FULL && i < 4; i++)
		fake.room[i] = one_in(2) ? rnd() % 40 : FAKE_ROOM;
	fake_file(HUGE_FILE, "65536\n");
	/* Some were left by what was switched off since. */
	fake_file(LARGE_FILE,
		  spice & LARGE && !one_in(3) ? "always [madvise] never\n" : "always [never]\n");
	set_number("BATCHMIG_CALL_PAGES", calls[rnd() % 5]);
	set_number("BATCHMIG_THREADS", rnd() % 4);
	set_number("BATCHMIG_RETRIES", 2 + rnd() % 3);
	season(fake_map(BASE, 256, 0), spice);
	season(fake_map(BASE + 256 * 4096, 128, 0), spice);
	season(fake_map(BASE + 512 * 4096, 128, 0), spice);
	return spice;
}

/* Every folio is in one piece, and the nodes hold as many pages as before. */
static const char *world_wrong(void)
{
	for (size_t i = 0; i < fake.area_count; i++) {
		for (size_t k = 0; k < fake.areas[i].count; k++) {
			struct fake_page *page = &fake.areas[i].pages[k];

			if (page->node != fake_head(page)->node)
				return "a huge page is on two nodes";
			if (page->isolated)
				return "the fake left a page isolated";
		}
	}
	for (size_t i = 0; i < 4; i++) {
		if (fake.room[i] < 0)
			return "the fake overfilled a node";
	}
	return fake.open_fds ? "a descriptor was left open" : NULL;
}

static const char *scenario(unsigned int number, int old, unsigned int spice, const char *mover)
{
	struct bm_context *context;
	struct scene scene;
	const char *wrong;
	int with_report;

	spice = set_world(number, old, spice);
	context = fake_context();
	scene_new(&scene, one_in(3) ? 256 + rnd() % 300 : 1 + rnd() % 80);
	fill(&scene, spice);
	scene.bounded = (spice & (FULL | NO_HUGE)) != 0;
	scene.flags = spice & SHARED && one_in(2) ? BM_MOVE_ALL : 0;
	scene.mover = mover;
	with_report = mover || one_in(2);
	wrong = scene_wrong(&scene,
			    with_report ? scene_submit(&scene, context)
					: scene_migrate(&scene, context),
			    with_report);
	if (!wrong)
		wrong = world_wrong();
	scene_free(&scene);
	bm_context_free(context);
	return wrong;
}

static void fuzz(unsigned int count, int old, unsigned int spice, const char *mover)
{
	const char *only = getenv("FUZZ_ONLY");
	unsigned int bad = 0, first = 0;
	char message[512] = "";

	for (unsigned int i = 1; i <= count; i++) {
		const char *wrong;

		if (only && strtoul(only, NULL, 10) != i)
			continue;
		wrong = scenario(i, old, spice, mover);
		if (wrong && getenv("FUZZ_VERBOSE"))
			printf("# scenario %u: %s\n", i, wrong);
		if (wrong && bad++ == 0) {
			snprintf(message, sizeof(message), "%s", wrong);
			first = i;
		}
	}
	ck_assert_msg(bad == 0, "%u of %u scenarios, first %u: %s", bad, count, first, message);
	fake_end();
}

START_TEST(plain_pages)
{
	fuzz(2000, 0, HOLES | SPECIAL | SHARED | MIXED, NULL);
}
END_TEST

START_TEST(pinned_pages)
{
	fuzz(1000, 0, HOLES | PINNED | SHARED | MIXED, NULL);
}
END_TEST

START_TEST(pinned_and_stuck_pages)
{
	fuzz(1000, 0, HOLES | PINNED | STUCK, NULL);
}
END_TEST

START_TEST(named_twice)
{
	fuzz(1000, 0, HOLES | DOUBLE | MIXED, NULL);
}
END_TEST

START_TEST(bad_targets)
{
	fuzz(1000, 0, HOLES | CPUSET | MIXED | BAD_NODE, NULL);
}
END_TEST

START_TEST(bad_targets_named_twice)
{
	fuzz(1000, 0, DOUBLE | CPUSET | MIXED | BAD_NODE, NULL);
}
END_TEST

START_TEST(huge_pages)
{
	fuzz(1500, 0, HOLES | HUGE | PINNED, NULL);
}
END_TEST

START_TEST(huge_pages_contradicted)
{
	fuzz(1500, 0, HOLES | HUGE | MIXED | DOUBLE, NULL);
}
END_TEST

START_TEST(large_folios)
{
	fuzz(1500, 0, HOLES | LARGE | HUGE | PINNED, NULL);
}
END_TEST

START_TEST(large_folios_contradicted)
{
	fuzz(1500, 0, HOLES | LARGE | HUGE | MIXED | DOUBLE, NULL);
}
END_TEST

START_TEST(full_targets)
{
	fuzz(1500, 0, FULL | HOLES | MIXED, NULL);
}
END_TEST

START_TEST(full_targets_huge_pages)
{
	fuzz(1500, 0, FULL | NO_HUGE | HUGE | HOLES | DOUBLE, NULL);
}
END_TEST

START_TEST(full_targets_huge_pages_contradicted)
{
	fuzz(1500, 0, FULL | NO_HUGE | HUGE | HOLES | MIXED | DOUBLE, NULL);
}
END_TEST

START_TEST(everything)
{
	fuzz(4000, 0, SPICES - 1, NULL);
}
END_TEST

START_TEST(everything_without_scan)
{
	fuzz(2000, 1, SPICES - 1, NULL);
}
END_TEST

START_TEST(everything_by_mbind)
{
	fuzz(2000, 0, SPICES - 1, "mbind");
}
END_TEST

START_TEST(everything_by_mbind_without_scan)
{
	fuzz(1000, 1, SPICES - 1, "mbind");
}
END_TEST

static const TTest *const *const tests[] = {&plain_pages,
					    &pinned_pages,
					    &pinned_and_stuck_pages,
					    &named_twice,
					    &bad_targets,
					    &bad_targets_named_twice,
					    &huge_pages,
					    &huge_pages_contradicted,
					    &large_folios,
					    &large_folios_contradicted,
					    &full_targets,
					    &full_targets_huge_pages,
					    &full_targets_huge_pages_contradicted,
					    &everything,
					    &everything_without_scan,
					    &everything_by_mbind,
					    &everything_by_mbind_without_scan,
					    NULL};
const struct report_group fuzz_group = {"fuzz", tests};
