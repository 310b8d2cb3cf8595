/* SPDX-License-Identifier: MIT */
/* swap_kinds.c - the mover swap and pages that it cannot take, or only with care. */
#include "swap_support.h"

#define KSM     "/sys/kernel/mm/ksm/"
#define HUGETLB "/proc/sys/vm/nr_hugepages"
#define GUARD   102 /* MADV_GUARD_INSTALL */

START_TEST(not_writable)
{
	struct area area;

	watchdog_start("swap_kinds/not_writable");
	area_new_low(&area, 2, 0, nodes[0]);
	ck_assert_int_eq(mprotect(area.start, area.length, PROT_READ), 0);
	expect_left(&area, BM_REASON_READ_ONLY);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	/* Linux 6.1 does not see pages without access. */
	ck_assert_int_eq(mprotect(area.start, area.length, PROT_NONE), 0);
	if (node_of(area.start) >= 0)
		expect_left(&area, BM_REASON_READ_ONLY);
	ck_assert_int_eq(mprotect(area.start, area.length, PROT_READ | PROT_WRITE), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	expect_swapped(&area);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	watchdog_stop();
}
END_TEST

static void locked_pages(int huge)
{
	struct area area;

	area_new_low(&area, 2, huge, nodes[0]);
	ck_assert_int_eq(mlock(area.start, area.length), 0);
	expect_swapped(&area);
	ck_assert_int_eq(smaps_flag(area.start, "lo"), 1);
	ck_assert_int_eq(smaps_kb(area.start, "Locked"), (long)(area.length >> 10));
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	ck_assert_int_eq(munlock(area.start, area.length), 0);
	expect_swapped(&area);
	ck_assert_int_eq(smaps_flag(area.start, "lo"), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
}

START_TEST(locked_pages_stay_locked)
{
	watchdog_start("swap_kinds/locked_pages_stay_locked");
	locked_pages(0);
	locked_pages(1);
	watchdog_stop();
}
END_TEST

/* In the child the mapping must be missing, as the advice says. */
static int mapped_in_child(void *arg)
{
	return msync(arg, PAGE, MS_ASYNC) == 0;
}

START_TEST(not_for_children)
{
	struct area area;

	watchdog_start("swap_kinds/not_for_children");
	area_new_low(&area, 2, 0, nodes[0]);
	ck_assert_int_eq(madvise(area.start, area.length, MADV_DONTFORK), 0);
	expect_swapped(&area);
	ck_assert_int_eq(smaps_flag(area.start, "dc"), 1);
	ck_assert_int_eq(in_child(mapped_in_child, area.start), 0);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&area);
	watchdog_stop();
}
END_TEST

static int compare_frames(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Which pages have the same memory as another one of the area: 0 or 1 for each; how many. */
static size_t pages_alike(const struct area *area, char *alike)
{
	uint64_t *frames = frames_of(area), *sorted = frames_of(area);
	size_t count = 0;

	qsort(sorted, area->count, sizeof(*sorted), compare_frames);
	for (size_t i = 0; i < area->count; i++) {
		const uint64_t *found =
			bsearch(&frames[i], sorted, area->count, sizeof(*sorted), compare_frames);

		alike[i] = frames[i] != 0 &&
			   ((found > sorted && found[-1] == *found) ||
			    (found < sorted + area->count - 1 && found[1] == *found));
		count += (size_t)alike[i];
	}
	free(sorted);
	free(frames);
	return count;
}

/* Waits until the kernel has merged most of 512 pages, at most 15 s; which: merged. */
static size_t merge_pages(const struct area *area, char *merged)
{
	size_t count = 0;

	setting(KSM "pages_to_scan", "20000");
	setting(KSM "sleep_millisecs", "10");
	setting(KSM "run", "1");
	for (int i = 0; i < 150 && count < 400; i++) {
		usleep(100000);
		watchdog_beat();
		count = pages_alike(area, merged);
	}
	/* What it is doing just now comes to an end; afterwards it does nothing. */
	settings_back();
	sleep(1);
	return pages_alike(area, merged);
}

/*
 * Kernels that set the flag for every anonymous page, as Linux 6.12 does, do not
 * tell what is merged: then it is told as shared.
 */
static int reason_of_merged(const struct area *area)
{
	char flagged[2 * HUGE_PAGES];
	size_t wrong = 0;

	pages_flagged(area, FLAG_KSM, flagged);
	for (size_t i = HUGE_PAGES; i < area->count; i++)
		wrong += flagged[i] != 0;
	ck_assert(wrong == 0 || wrong == area->count - HUGE_PAGES);
	return wrong ? BM_REASON_COW_SHARED : BM_REASON_KSM;
}

/*
 * What was merged is told so, what was not (the kernel may leave some) is
 * swapped. Where there is another node the kernel may have moved what swap left.
 */
static void check_merged(const struct swapper *swapper, const struct area *area, const char *merged,
			 const uint64_t *before)
{
	int reason = reason_of_merged(area);
	uint64_t *frames = frames_of(area);
	size_t swapped = 0;

	for (size_t i = 0; i < area->count; i++) {
		int there = area->status[i] == area->targets[i];
		int expected = !there ? BM_REASON_SHARED : merged[i] ? reason : BM_REASON_NONE;

		ck_assert(there || merged[i]);
		if (there && swap_refusal())
			expected = swap_refusal();
		ck_assert_msg(swapper->reasons[i] == expected, "page %zu: reason %s, not %s", i,
			      bm_reason_name(swapper->reasons[i]), bm_reason_name(expected));
		if (expected == BM_REASON_NONE)
			ck_assert_uint_ne(frames[i], before[i]);
		else if (!there || node_count == 1)
			ck_assert_uint_eq(frames[i], before[i]);
		swapped += expected == BM_REASON_NONE;
	}
	ck_assert_uint_eq(swapper->report.bytes_swapped, swapped * PAGE);
	free(frames);
}

/* The first 512 pages are all alike, those behind are stamped. */
START_TEST(merged_pages)
{
	struct swapper swapper;
	struct area area;
	char merged[2 * HUGE_PAGES];
	uint64_t *before;

	watchdog_start("swap_kinds/merged_pages");
	if (read_number(KSM "run") < 0)
		skip_test("a kernel without KSM");
	swapper_new(&swapper, 256, 2, 64);
	area_new_low(&area, 2, 0, nodes[0]);
	memset(area.start, 'k', HUGE);
	ck_assert_int_eq(madvise(area.start, area.length, MADV_MERGEABLE), 0);
	ck_assert_uint_ge(merge_pages(&area, merged), 400);
	for (size_t i = HUGE_PAGES; i < area.count; i++)
		ck_assert_int_eq(merged[i], 0);
	before = frames_of(&area);
	ck_assert_int_ge(swapper_round(&swapper, &area, 0), 0);
	/* The kernel does not move them either. */
	for (size_t i = 0; i < area.count; i++)
		ck_assert(area.status[i] == node_of(area.pages[i]) ||
			  (merged[i] && area.status[i] == -EACCES));
	check_any_swapped(&swapper);
	check_merged(&swapper, &area, merged, before);
	free(before);
	for (size_t at = 0; at < HUGE; at++)
		ck_assert_int_eq(area.start[at], 'k');
	ck_assert_uint_eq(stamp_wrong(area.start + HUGE, HUGE_PAGES, PAGE), 0);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

START_TEST(hugetlb_pages)
{
	struct area area;
	char *start;

	watchdog_start("swap_kinds/hugetlb_pages");
	setting(HUGETLB, "16");
	prefer(nodes[0]);
	start = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (start != MAP_FAILED)
		stamp(start, 4 * HUGE_PAGES, PAGE);
	prefer(-1);
	if (start == MAP_FAILED)
		skip_test("no pages for hugetlb");
	area_over(&area, start, 4, HUGE);
	expect_left(&area, BM_REASON_HUGETLB);
	ck_assert_uint_eq(stamp_wrong(start, 4 * HUGE_PAGES, PAGE), 0);
	munmap(start, 4 * HUGE);
	area_free(&area);
	settings_back();
	watchdog_stop();
}
END_TEST

static void shared_mapping(int flags, int fd)
{
	struct area area;
	char *start;

	prefer(nodes[0]);
	start = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
	ck_assert_ptr_ne(start, MAP_FAILED);
	stamp(start, HUGE_PAGES, PAGE);
	prefer(-1);
	area_over(&area, start, HUGE_PAGES, PAGE);
	area.length = HUGE;
	expect_left(&area, BM_REASON_FILE);
	ck_assert_uint_eq(stamp_wrong(start, HUGE_PAGES, PAGE), 0);
	area_free(&area);
}

START_TEST(shared_memory)
{
	int fd = memfd_create("swap", MFD_CLOEXEC);

	watchdog_start("swap_kinds/shared_memory");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, HUGE), 0);
	shared_mapping(0, fd);
	shared_mapping(MAP_ANONYMOUS, -1);
	close(fd);
	watchdog_stop();
}
END_TEST

/* Of a private mapping of a file the first half is copied on write, the rest the file's own. */
START_TEST(private_file)
{
	int fd = memfd_create("swap", MFD_CLOEXEC);
	volatile char sum = 0;
	struct area area;
	char *start;

	watchdog_start("swap_kinds/private_file");
	ck_assert_int_eq(ftruncate(fd, HUGE), 0);
	prefer(nodes[0]);
	start = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(start, MAP_FAILED);
	stamp(start, HUGE_PAGES, PAGE);
	ck_assert_ptr_eq(mmap(start, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0),
			 start);
	for (size_t i = 0; i < HUGE_PAGES; i++) {
		sum = (char)(sum + *(volatile char *)(start + i * PAGE));
		if (i < HUGE_PAGES / 2)
			start[i * PAGE + 100] = 'c';
	}
	prefer(-1);
	area_over(&area, start, HUGE_PAGES, PAGE);
	area.length = HUGE;
	expect_left(&area, BM_REASON_FILE);
	for (size_t i = 0; i < HUGE_PAGES; i++)
		ck_assert_int_eq(start[i * PAGE + 100], i < HUGE_PAGES / 2 ? 'c' : 0);
	ck_assert_uint_eq(stamp_wrong(start, HUGE_PAGES, PAGE), 0);
	area_free(&area);
	close(fd);
	watchdog_stop();
}
END_TEST

/* Guards within the area forbid access, before and after. */
START_TEST(guard_pages)
{
	struct swapper swapper;
	struct area area;
	int ends[2];

	watchdog_start("swap_kinds/guard_pages");
	swapper_new(&swapper, 256, 2, 64);
	area_new_low(&area, 2, 0, nodes[0]);
	if (madvise(area.start + 300 * PAGE, 100 * PAGE, GUARD) != 0) {
		area_free(&area);
		swapper_free(&swapper);
		skip_test("guard pages need Linux 6.13");
	}
	ck_assert_int_eq(pipe(ends), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(swapper_round(&swapper, &area, round), 100);
		ck_assert_uint_eq(status_wrong(&area), 0);
		for (size_t i = 0; i < area.count; i++) {
			int guard = i >= 300 && i < 400;

			ck_assert_int_eq(area.status[i] < 0, guard);
			if (guard)
				ck_assert_int_eq(write(ends[1], area.pages[i], 1), -1);
			else
				ck_assert_int_eq(swapper.reasons[i], BM_REASON_NONE);
		}
	}
	check_any_swapped(&swapper);
	ck_assert_uint_eq(stamp_wrong(area.start, 300, PAGE), 0);
	ck_assert_uint_eq(stamp_wrong(area.start + 400 * PAGE, area.count - 400, PAGE), 0);
	close(ends[0]);
	close(ends[1]);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&not_writable,
					    &locked_pages_stay_locked,
					    &not_for_children,
					    &merged_pages,
					    &hugetlb_pages,
					    &shared_memory,
					    &private_file,
					    &guard_pages,
					    NULL};
const struct report_group swap_kinds_group = {"swap_kinds", tests};
