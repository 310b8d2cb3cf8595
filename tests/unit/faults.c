/* SPDX-License-Identifier: MIT */
/*
 * faults.c - every call of the kernel, and every allocation, fails once.
 *
 * Whatever failed: the result is one that the header names; below 0 nothing
 * was tried or written; else each status is written, and true where it names
 * a node. No descriptor stays open, no policy stays changed.
 */
#include <linux/mempolicy.h>
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define MOST    2000 /* calls of one run */
#define QUERIED 1100 /* pages: two blocks */

static const struct {
	enum fake_call call;
	int error;
} faults[] = {
	{FAKE_ALLOC, 0},       {FAKE_THREAD, 0},        {FAKE_MOVE, -ENOMEM},
	{FAKE_MOVE, -EPERM},   {FAKE_MOVE, -ESRCH},     {FAKE_MOVE, -EIO},
	{FAKE_QUERY, -ENOMEM}, {FAKE_QUERY, -EPERM},    {FAKE_QUERY, -ESRCH},
	{FAKE_MBIND, -ENOMEM}, {FAKE_MBIND, -EPERM},    {FAKE_POLICY, -EFAULT},
	{FAKE_POLICY, -EPERM}, {FAKE_OPEN, -EMFILE},    {FAKE_OPEN, -ENOENT},
	{FAKE_IOCTL, -ENOTTY}, {FAKE_IOCTL, -EPERM},    {FAKE_IOCTL, -EFAULT},
	{FAKE_READ, -EIO},     {FAKE_READ, -ENOMEM},    {FAKE_PREAD, -EIO},
	{FAKE_PREAD, -ENOMEM}, {FAKE_READV, -EPERM},    {FAKE_READV, -EFAULT},
	{FAKE_MSYNC, -ENOMEM}, {FAKE_MINCORE, -ENOMEM}, {FAKE_AFFINITY, -ENOSYS},
	{FAKE_PIN, -EPERM},
};

/* Holes, a huge page, large folios, a pinned page, and marked ones; two targets. */
static struct bm_context *make_world(int old, int hinted)
{
	struct fake_area *area;

	fake_reset();
	fake.old = old;
	fake_file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "65536\n");
	fake_file("/sys/kernel/mm/transparent_hugepage/hugepages-16kB/enabled", "[always]\n");
	area = fake_map(BASE, 512, 0);
	fake_folio(area, 64, 16, 1);
	fake_folio(area, 96, 4, 0);
	for (size_t i = 0; i < 60; i += 9)
		area->pages[i].present = 0;
	area->pages[200].pinned = 1;
	for (size_t i = 3; hinted && i < 60; i += 9)
		area->pages[i].hinted = 1;
	for (size_t i = 5; hinted && i < 60; i += 9)
		area->pages[i].passing = 2;
	fake_file(BM_RELEASE_FILE, old ? "6.1.0-47-amd64\n" : "6.12.1\n");
	fake_caches(2);
	fake_env("BATCHMIG_THREADS", "2");
	fake_env("BATCHMIG_CALL_PAGES", "64");
	return fake_context();
}

static int documented(long rc)
{
	return rc >= 0 || rc == -EPERM || rc == -ENOSYS || rc == -ESRCH || rc == -ENOMEM ||
	       rc == -EAGAIN;
}

static char what[128];

static void say_what(const char *kind, size_t fault, uint64_t n)
{
	snprintf(what, sizeof(what), "%s: call %d fails with %d at number %llu", kind,
		 (int)faults[fault].call, faults[fault].error, (unsigned long long)n);
}

static void world_is_sound(void)
{
	ck_assert_msg(fake.open_fds == 0, "%s: a descriptor is open", what);
	for (size_t i = 0; i < 512; i++) {
		const struct fake_page *page = &fake.areas[0].pages[i];

		ck_assert_msg(!page->isolated && page->node == (page - page->back)->node,
			      "%s: page %zu", what, i);
	}
}

static void check_batch(struct scene *scene, long rc, int with_report)
{
	const char *wrong = NULL;

	ck_assert_msg(documented(rc), "%s: result %ld", what, rc);
	if (rc >= 0) {
		wrong = scene_wrong(scene, rc, with_report);
		ck_assert_msg(!wrong, "%s: %s", what, wrong);
		return;
	}
	ck_assert_msg(fake.migrated == 0, "%s: %ld, but pages moved", what, rc);
	for (size_t i = 0; i < scene->count; i++)
		ck_assert_msg(scene->status[i] == UNSET, "%s: %ld, but a status", what, rc);
}

/* 0 when the fault did not come. */
static int batch_with(size_t fault, uint64_t n, int old, const char *mover, size_t count)
{
	struct bm_context *context = make_world(old, old);
	int with_report = mover || n % 2, fired;
	struct scene scene;
	long rc;

	scene_line(&scene, count, 1);
	for (size_t i = 0; i < count; i++)
		scene.nodes[i] = i % 100 < 50 ? 1 : 2;
	scene.lenient = 1;
	scene.mover = mover;
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	rc = with_report ? scene_submit(&scene, context) : scene_migrate(&scene, context);
	fired = fake.fired;
	check_batch(&scene, rc, with_report);
	world_is_sound();
	scene_free(&scene);
	bm_context_free(context);
	return fired;
}

static void batches(int old, const char *mover, size_t count)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		uint64_t n = 1;

		say_what("batch", fault, n);
		while (batch_with(fault, n, old, mover, count)) {
			ck_assert_uint_lt(n, MOST);
			say_what("batch", fault, ++n);
		}
	}
	fake_end();
}

START_TEST(small_batches)
{
	batches(0, NULL, 1);
	batches(0, NULL, 100);
	batches(1, NULL, 100);
}
END_TEST

START_TEST(large_batches)
{
	batches(0, NULL, 512);
	batches(1, NULL, 512);
}
END_TEST

START_TEST(batches_by_mbind)
{
	batches(0, "mbind", 300);
}
END_TEST

static void check_ranges(const struct bm_range *ranges, long rc)
{
	uint64_t moved = 0;

	for (size_t i = 0; i < 2 && rc >= 0; i++) {
		const struct bm_tally *tally = &ranges[i].tally;

		moved += tally->moved;
		ck_assert_msg(tally->pages == tally->moved + tally->already + tally->failed,
			      "%s: tally of range %zu", what, i);
		ck_assert_msg(tally->pages == 256 || ranges[i].error < 0,
			      "%s: range %zu: %llu pages, no error", what, i,
			      (unsigned long long)tally->pages);
	}
	/* A page whose place could not be asked for may have moved all the same. */
	ck_assert_msg(rc < 0 || moved <= fake.migrated, "%s: more moved than there are", what);
	ck_assert_msg(rc >= 0 || fake.migrated == 0, "%s: %ld, but pages moved", what, rc);
}

static int ranges_with(size_t fault, uint64_t n, int old)
{
	struct bm_context *context = make_world(old, old);
	struct bm_range ranges[2];
	long rc;

	for (size_t i = 0; i < 2; i++)
		ranges[i] = (struct bm_range){.addr = (void *)(uintptr_t)(BASE + i * 256 * 4096),
					      .length = 256 * 4096,
					      .node = 1 + (int)i};
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	rc = bm_migrate_ranges(context, 2, ranges, sizeof(ranges[0]), n % 2 ? BM_BIND : 0);
	ck_assert_msg(documented(rc) ||
			      (faults[fault].call == FAKE_OPEN && rc == faults[fault].error),
		      "%s: result %ld", what, rc);
	check_ranges(ranges, rc);
	world_is_sound();
	bm_context_free(context);
	return fake.fired;
}

START_TEST(ranges)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		for (int old = 0; old < 2; old++) {
			uint64_t n = 1;

			say_what("ranges", fault, n);
			while (ranges_with(fault, n, old)) {
				ck_assert_uint_lt(n, MOST);
				say_what("ranges", fault, ++n);
			}
		}
	}
	fake_end();
}
END_TEST

/* The policies of the mappings are as before, whatever failed but their setting. */
static int policies_with(size_t fault, uint64_t n)
{
	struct bm_context *context = make_world(0, 0);
	struct scene scene;
	long rc;

	for (size_t i = 0; i < 512; i++) {
		fake.areas[0].pages[i].policy = MPOL_INTERLEAVE;
		fake.areas[0].pages[i].policy_node = 3;
	}
	scene_line(&scene, 300, 1);
	scene.lenient = 1;
	scene.mover = "mbind";
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	rc = scene_submit(&scene, context);
	check_batch(&scene, rc, 1);
	for (size_t i = 0; faults[fault].call != FAKE_MBIND && i < 512; i++)
		ck_assert_msg(fake.areas[0].pages[i].policy == MPOL_INTERLEAVE,
			      "%s: policy of page %zu", what, i);
	scene_free(&scene);
	bm_context_free(context);
	return fake.fired;
}

START_TEST(policies_stay)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		uint64_t n = 1;

		say_what("mbind", fault, n);
		while (policies_with(fault, n)) {
			ck_assert_uint_lt(n, MOST);
			say_what("mbind", fault, ++n);
		}
	}
	fake_end();
}
END_TEST

static int query_with(size_t fault, uint64_t n, int old)
{
	struct bm_context *context = make_world(old, 0);
	unsigned int *kinds = calloc(QUERIED, sizeof(*kinds));
	struct scene scene;
	long rc;

	fake_map(BASE + 4096 * 4096, QUERIED, 1);
	scene_new(&scene, QUERIED);
	for (size_t i = 0; i < QUERIED; i++) {
		scene.pages[i] = (void *)(uintptr_t)(BASE + (i * 4 + i % 3) * 4096);
		scene.status[i] = UNSET;
	}
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	rc = bm_query_pages(context, 0, QUERIED, scene.pages, scene.status, kinds);
	ck_assert_int_eq(fake.open_fds, 0);
	if (faults[fault].call == FAKE_QUERY && fake.fired)
		ck_assert_msg(rc == faults[fault].error, "%s: %ld", what, rc);
	for (size_t i = 0; i < QUERIED; i++) {
		int status = scene.status[i];

		ck_assert_msg((rc < 0 && status == UNSET) ||
				      status == fake_node((uint64_t)(uintptr_t)scene.pages[i]),
			      "%s: %ld, status %zu is %d", what, rc, i, status);
	}
	free(kinds);
	scene_free(&scene);
	bm_context_free(context);
	return fake.fired;
}

START_TEST(queries)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		for (int old = 0; old < 2; old++) {
			uint64_t n = 1;

			say_what("query", fault, n);
			while (query_with(fault, n, old)) {
				ck_assert_uint_lt(n, MOST);
				say_what("query", fault, ++n);
			}
		}
	}
	fake_end();
}
END_TEST

/* A failed call leaves the scan where it was: repeated, it finds everything. */
static int scan_with(size_t fault, uint64_t n, int old)
{
	struct bm_context *context = make_world(old, 0);
	struct bm_extent extents[8];
	struct bm_scan scan;
	uint64_t pages = 0, failures = 0, expected = 0;

	for (size_t i = 0; i < 512; i++)
		expected += fake.areas[0].pages[i].present;
	bm_scan_init(&scan, sizeof(scan));
	scan.start = BASE;
	scan.end = BASE + 600 * 4096;
	scan.extents = extents;
	scan.extent_size = sizeof(extents[0]);
	scan.max = 8;
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	while (scan.start < scan.end && failures < 3) {
		uint64_t before = scan.start;
		long got = bm_scan_next(context, &scan);

		failures += got < 0;
		ck_assert_msg(got >= 0 || scan.start == before, "%s: start moved", what);
		for (long i = 0; i < got; i++)
			pages += extents[i].length / 4096;
	}
	ck_assert_int_eq(fake.open_fds, 0);
	ck_assert_uint_le(failures, 1);
	ck_assert_msg(pages == expected, "%s: %llu pages of %llu", what, (unsigned long long)pages,
		      (unsigned long long)expected);
	bm_context_free(context);
	return fake.fired;
}

START_TEST(scans)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		for (int old = 0; old < 2; old++) {
			uint64_t n = 1;

			say_what("scan", fault, n);
			while (scan_with(fault, n, old)) {
				ck_assert_uint_lt(n, MOST);
				say_what("scan", fault, ++n);
			}
		}
	}
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&small_batches,
					    &large_batches,
					    &batches_by_mbind,
					    &ranges,
					    &policies_stay,
					    &queries,
					    &scans,
					    NULL};
const struct report_group faults_group = {"faults", tests};
