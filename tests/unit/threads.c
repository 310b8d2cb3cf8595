/* SPDX-License-Identifier: MIT */
/* threads.c - what belongs to a thread must be known of all of them, or nothing is swapped. */
#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

static ssize_t no_more_descriptors(const char *path, char *buffer, size_t size)
{
	(void)path, (void)buffer, (void)size;
	return -EMFILE;
}

START_TEST(all_or_none)
{
	struct bm_sys sys = bm_sys_linux;
	struct bm_spans spans;
	uint64_t here = (uint64_t)(uintptr_t)pthread_self();
	int found = 0;

	if (!sys.thread_block(0))
		skip_test("no get_robust_list(2) here");
	ck_assert_int_eq(bm_spans_read(&sys, PAGE, NULL, &spans), 0);
	for (size_t i = 0; i < spans.count; i++)
		found |= spans.list[i].start <= here && here < spans.list[i].end;
	ck_assert(found);
	bm_spans_free(&spans);
	sys.list = no_more_descriptors;
	ck_assert_int_eq(bm_spans_read(&sys, PAGE, NULL, &spans), -EMFILE);
	ck_assert_uint_eq(spans.count, 0);
	ck_assert_ptr_null(spans.list);
}
END_TEST

/* With nobody to tell which pages are a thread's, they stay. */
START_TEST(nothing_is_swapped_then)
{
	unsigned char reasons[PART];

	NEED_SWAP();
	scripted_sys.list = no_more_descriptors;
	ck_assert_uint_eq(move_part(area, reasons), 0);
	for (size_t i = 0; i < PART; i++)
		ck_assert_int_eq(reasons[i], BM_REASON_NO_POOL);
	scripted_sys.list = bm_sys_linux.list;
	ck_assert_uint_eq(move_part(area, reasons), PART);
	script_end();
}
END_TEST

/* What does not fit is not left out. */
START_TEST(lists_are_whole)
{
	char names[4096], few[8];
	ssize_t length = bm_sys_linux.list("/proc/self", names, sizeof(names));

	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(names[length - 1], '\0');
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		ck_assert_int_ne(names[at], '.');
	ck_assert_int_eq(bm_sys_linux.list("/proc/self", few, sizeof(few)), -ENOBUFS);
	ck_assert_int_eq(bm_sys_linux.list("/proc/self/none", few, sizeof(few)), -ENOENT);
	ck_assert_int_eq(bm_sys_linux.list("/proc/self/maps", few, sizeof(few)), -ENOTDIR);
}
END_TEST

static const TTest *const *const tests[] = {&all_or_none, &nothing_is_swapped_then,
					    &lists_are_whole, NULL};
const struct report_group threads_group = {"threads", tests};
