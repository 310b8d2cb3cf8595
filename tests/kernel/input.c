/* SPDX-License-Identifier: MIT */
/* input.c - what is not allowed gives the documented errno, and nothing happens. */
#include "support.h"

#include <dirent.h>
#include <stdio.h>

static int node0(void)
{
	return node_count ? nodes[0] : 0;
}

START_TEST(counts_and_arrays)
{
	int node = node0(), status = -9999;
	void *page = &node;

	ck_assert_int_eq(bm_migrate_batch(NULL, 0, NULL, NULL, NULL, 0), 0);
	ck_assert_int_eq(bm_migrate_batch(NULL, 0, &page, &node, &status, 0), 0);
	ck_assert_int_eq(bm_migrate_batch(NULL, 1, NULL, &node, &status, 0), -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(NULL, 1, &page, NULL, &status, 0), -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(NULL, 1, &page, &node, NULL, 0), -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(NULL, SIZE_MAX, &page, &node, &status, 0), -E2BIG);
	ck_assert_int_eq(bm_migrate_batch(NULL, SIZE_MAX / 2, &page, &node, &status, 0), -E2BIG);
	ck_assert_int_eq(bm_migrate_batch(NULL, 1, &page, &node, &status, 32), -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(NULL, 0, NULL, NULL, NULL, UINT64_MAX), -EINVAL);
	ck_assert_int_eq(bm_migrate_ranges(NULL, 1, NULL, sizeof(struct bm_range), 0), -EINVAL);
	ck_assert_int_eq(bm_query_pages(NULL, -1, 1, &page, &status, NULL), -EINVAL);
	ck_assert_int_eq(bm_query_pages(NULL, 0, 1, &page, NULL, NULL), -EINVAL);
	ck_assert_int_eq(status, -9999);
}
END_TEST

START_TEST(wild_addresses_and_nodes)
{
	static char memory[2 * PAGE];
	void *pages[] = {
		NULL,   (void *)UINTPTR_MAX, (void *)0xffff888000000000u, (void *)8, memory,
		memory, memory + PAGE};
	int targets[] = {0, 0, 0, 0, -1, 1000, INT32_MAX}, status[7];

	memory[0] = memory[PAGE] = 1;
	ck_assert_int_eq(bm_migrate_batch(NULL, 7, pages, targets, status, 0), 7);
	ck_assert_int_eq(status[0], -EFAULT);
	ck_assert_int_eq(status[1], -EFAULT);
	ck_assert_int_eq(status[2], -EFAULT);
	ck_assert_int_eq(status[3], -EFAULT);
	/* One page twice: the later entry decides, for an absent node; the other is told where. */
	ck_assert_int_eq(status[4], node_of(memory));
	ck_assert_int_ge(status[4], 0);
	ck_assert_int_eq(status[5], -ENODEV);
	ck_assert_int_eq(status[6], -ENODEV);
}
END_TEST

START_TEST(requests)
{
	struct bm_request request;
	struct bm_range range = {0};
	struct bm_batch *batch = NULL;

	ck_assert_int_eq(bm_request_init(NULL, sizeof(request)), -EINVAL);
	ck_assert_int_eq(bm_request_init(&request, 1), -EINVAL);
	ck_assert_int_eq(bm_request_init(&request, sizeof(request)), 0);
	ck_assert_int_eq(bm_submit(NULL, &request, NULL), -EINVAL);
	ck_assert_int_eq(bm_submit(NULL, NULL, &batch), -EINVAL);
	request.backend = "kernal";
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -EINVAL);
	request.backend = "dsa";
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -ENODEV);
	request.backend = "dsa,kernel";
	request.mover = "teleport";
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -EINVAL);
	request.mover = NULL;
	request.pid = -1;
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -EINVAL);
	request.pid = 0;
	request.ranges = &range;
	request.range_size = 3;
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -EINVAL);
	request.range_size = sizeof(range);
	request.pages = (void *[]){NULL};
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), -EINVAL);
	request.pages = NULL;
	ck_assert_int_eq(bm_submit(NULL, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, -2), -EINVAL);
	ck_assert_int_eq(bm_batch_wait(NULL, 0), -EINVAL);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	ck_assert_int_eq(bm_batch_free(batch), 0);
	ck_assert_int_eq(bm_batch_free(NULL), 0);
	ck_assert_int_eq(bm_context_free(NULL), 0);
	bm_info_free(NULL);
}
END_TEST

struct newer_request {
	struct bm_request known;
	uint64_t more;
};

START_TEST(newer_structs)
{
	struct newer_request request;
	struct bm_batch *batch;

	memset(&request, 0, sizeof(request));
	ck_assert_int_eq(bm_request_init(&request.known, sizeof(request)), 0);
	ck_assert_uint_eq(request.known.size, sizeof(request));
	ck_assert_int_eq(bm_submit(NULL, &request.known, &batch), 0);
	bm_batch_free(batch);
	request.more = 1;
	ck_assert_int_eq(bm_submit(NULL, &request.known, &batch), -E2BIG);
}
END_TEST

START_TEST(environment)
{
	static const char *const bad[][3] = {
		{"BATCHMIG_BACKEND", "kernal", "kernel"},
		{"BATCHMIG_BACKEND", "", "auto"},
		{"BATCHMIG_MOVER", "fast", "mbind"},
		{"BATCHMIG_QUIET", "1", "strict"},
		{"BATCHMIG_LOG", "loud", "debug"},
		{"BATCHMIG_THREADS", "-1", "0..64"},
		{"BATCHMIG_THREADS", "many", "0..64"},
		{"BATCHMIG_CALL_PAGES", "0", "1..1048576"},
		{"BATCHMIG_RETRIES", "101", "0..100"},
		{"BATCHMIG_RETRY_US", " 5", "0..1000000"},
	};
	struct bm_context *context;
	char why[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv(bad[i][0], bad[i][1], 1);
		ck_assert_int_eq(bm_context_new(NULL, &context), -EINVAL);
		ck_assert_int_eq(bm_options_check(NULL, why, sizeof(why)), -EINVAL);
		ck_assert_msg(strstr(why, bad[i][0]) && strstr(why, bad[i][2]), "%s", why);
		unsetenv(bad[i][0]);
	}
	setenv("BATCHMIG_BACKEND", "dsa,ptdma", 1);
	ck_assert_int_eq(bm_options_check(NULL, why, sizeof(why)), -ENODEV);
	ck_assert(strstr(why, "dsa") && strstr(why, "ptdma"));
	unsetenv("BATCHMIG_BACKEND");
	ck_assert_int_eq(bm_options_check(NULL, why, sizeof(why)), 0);
	ck_assert_str_eq(why, "");
}
END_TEST

static int lines;

static void count_line(void *user, int level, const char *line)
{
	ck_assert_ptr_eq(user, &lines);
	ck_assert_int_le(level, BM_LOG_DEBUG);
	ck_assert_ptr_null(strchr(line, '\n'));
	lines++;
}

START_TEST(log_hook)
{
	struct bm_context *context;
	struct bm_options options;
	int node = node0(), status;
	void *page = &node;

	bm_options_init(&options, sizeof(options));
	options.log = count_line;
	options.log_user = &lines;
	options.log_level = "debug";
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	lines = 0;
	/* Two entries: a single page takes the direct way, which has nothing to tell. */
	void *pages[] = {page, page};
	int targets[] = {node, node}, statuses[2];

	ck_assert_int_eq(bm_migrate_batch(context, 2, pages, targets, statuses, 0), 0);
	ck_assert_int_gt(lines, 0);
	ck_assert_int_eq(bm_migrate_batch(context, 1, &page, &node, &status, 0), 0);
	bm_context_free(context);
	options.backend = "dsa";
	lines = 0;
	ck_assert_int_eq(bm_context_new(&options, &context), -ENODEV);
	ck_assert_int_eq(lines, 1);
}
END_TEST

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

START_TEST(nothing_leaks)
{
	struct area area;
	int fds = 0, maps = 0;

	area_new(&area, 600, node0());
	for (int i = 0; i < 1000; i++) {
		struct bm_info *info = NULL;
		struct bm_context *context = NULL;

		area_target(&area, nodes[i % (node_count ? node_count : 1)]);
		ck_assert_int_eq(area_move(&area, 0), 0);
		if (i % 100 == 0) {
			ck_assert_int_eq(bm_context_new(NULL, &context), 0);
			ck_assert_int_eq(bm_info_new(context, &info), 0);
			bm_info_free(info);
			bm_context_free(context);
		}
		if (i == 10) {
			fds = entries("/proc/self/fd");
			maps = entries("/proc/self/map_files");
		}
	}
	ck_assert_int_eq(entries("/proc/self/fd"), fds);
	ck_assert_int_le(entries("/proc/self/map_files"), maps + 2);
	ck_assert_uint_eq(stamp_wrong(area.start, 600, PAGE), 0);
	area_free(&area);
}
END_TEST

static const TTest *const *const tests[] = {&counts_and_arrays, &wild_addresses_and_nodes,
					    &requests,          &newer_structs,
					    &environment,       &log_hook,
					    &nothing_leaks,     NULL};
const struct report_group input_group = {"input", tests};
