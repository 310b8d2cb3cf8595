/* SPDX-License-Identifier: MIT */
/* input.c - what the header calls bad input; nothing is tried, no output is written. */
#include "scene.h"
#include "unit.h"

struct input {
	struct bm_context *context;
	struct bm_request request;
	struct bm_batch *batch;
	void *page;
	int node, status;
};

static int lines;

static void count_line(void *user, int level, const char *line)
{
	ck_assert_int_eq(level, BM_LOG_ERROR);
	ck_assert_ptr_eq(user, &lines);
	ck_assert_uint_gt(strlen(line), 20);
	lines++;
}

static void input_new(struct input *input)
{
	struct bm_options options;

	fake_reset();
	fake_map(BASE, 4, 0);
	bm_options_init(&options, sizeof(options));
	options.log_level = "error";
	options.log = count_line;
	options.log_user = &lines;
	ck_assert_int_eq(bm_context_create(&fake_sys, &options, &input->context), 0);
	input->batch = NULL;
	input->page = (void *)(uintptr_t)BASE;
	input->node = 1;
	input->status = UNSET;
	bm_request_init(&input->request, sizeof(input->request));
	input->request.count = 1;
	input->request.pages = &input->page;
	input->request.nodes = &input->node;
	input->request.status = &input->status;
}

static void input_end(struct input *input)
{
	ck_assert_uint_eq(fake.migrated, 0);
	ck_assert_int_eq(input->status, UNSET);
	bm_context_free(input->context);
	fake_end();
}

static void refused(struct input *input, int error)
{
	struct bm_batch *before = input->batch;

	lines = 0;
	ck_assert_int_eq(bm_submit(input->context, &input->request, &input->batch), error);
	ck_assert_ptr_eq(input->batch, before);
	/* Why is told, and once. */
	ck_assert_int_eq(lines, 1);
}

static void taken(struct input *input)
{
	ck_assert_int_eq(bm_submit(input->context, &input->request, &input->batch), 0);
	ck_assert_ptr_nonnull(input->batch);
}

START_TEST(null_pointers)
{
	struct input input;

	input_new(&input);
	ck_assert_int_eq(bm_submit(input.context, &input.request, NULL), -EINVAL);
	ck_assert_int_eq(bm_submit(input.context, NULL, &input.batch), -EINVAL);
	input.request.pages = NULL;
	refused(&input, -EINVAL);
	input.request.pages = &input.page;
	input.request.nodes = NULL;
	refused(&input, -EINVAL);
	input.request.nodes = &input.node;
	input.request.status = NULL;
	refused(&input, -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(input.context, 1, NULL, &input.node, &input.status, 0),
			 -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(input.context, 1, &input.page, NULL, &input.status, 0),
			 -EINVAL);
	ck_assert_int_eq(bm_migrate_batch(input.context, 1, &input.page, &input.node, NULL, 0),
			 -EINVAL);
	ck_assert_int_eq(bm_migrate_ranges(input.context, 1, NULL, sizeof(struct bm_range), 0),
			 -EINVAL);
	ck_assert_int_eq(bm_batch_wait(NULL, 0), -EINVAL);
	ck_assert_int_eq(bm_batch_report(NULL, NULL, 0), -EINVAL);
	bm_batch_free(NULL);
	bm_info_free(NULL);
	input_end(&input);
}
END_TEST

START_TEST(counts)
{
	struct bm_range range = {0};
	struct input input;
	static const size_t absurd[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8, SIZE_MAX / 32,
					SIZE_MAX / 100};

	input_new(&input);
	for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		input.request.count = absurd[i];
		refused(&input, -E2BIG);
		ck_assert_int_eq(bm_migrate_batch(input.context, absurd[i], &input.page,
						  &input.node, &input.status, 0),
				 -E2BIG);
	}
	ck_assert_int_eq(bm_migrate_batch(input.context, 0, NULL, NULL, NULL, 0), 0);
	ck_assert_int_eq(bm_migrate_batch(input.context, 0, NULL, NULL, NULL, 32), -EINVAL);
	ck_assert_int_eq(bm_migrate_ranges(input.context, 0, NULL, sizeof(struct bm_range), 0), 0);
	/* Not even the kernel is asked. */
	fake.refuse = -EPERM;
	ck_assert_int_eq(bm_migrate_ranges(input.context, 0, &range, sizeof(range), 0), 0);
	ck_assert_int_eq(bm_migrate_ranges(input.context, 0, NULL, sizeof(struct bm_range), 0), 0);
	ck_assert_int_eq(bm_migrate_batch(input.context, 0, NULL, NULL, NULL, BM_MOVE_ALL), 0);
	input.request.count = 0;
	input.request.pages = NULL;
	taken(&input);
	ck_assert_int_eq(bm_batch_wait(input.batch, BM_FOREVER), 0);
	bm_batch_free(input.batch);
	input_end(&input);
}
END_TEST

START_TEST(flags)
{
	struct input input;

	input_new(&input);
	for (unsigned int bit = 5; bit < 64; bit++) {
		input.request.flags = UINT64_C(1) << bit;
		refused(&input, -EINVAL);
		ck_assert_int_eq(bm_migrate_batch(input.context, 1, &input.page, &input.node,
						  &input.status, input.request.flags),
				 -EINVAL);
	}
	input_end(&input);
}
END_TEST

START_TEST(names_and_numbers)
{
	struct input input;

	input_new(&input);
	input.request.pid = -1;
	refused(&input, -EINVAL);
	input.request.pid = 0;
	input.request.mover = "rubbish";
	refused(&input, -EINVAL);
	input.request.mover = NULL;
	input.request.backend = "kernal";
	refused(&input, -EINVAL);
	input.request.backend = "";
	refused(&input, -EINVAL);
	input.request.backend = "dsa,ptdma";
	refused(&input, -ENODEV);
	input_end(&input);
}
END_TEST

START_TEST(pages_and_ranges)
{
	struct input input;
	struct bm_range range = {.addr = (void *)(uintptr_t)BASE, .length = 4096, .node = 1};

	input_new(&input);
	input.request.ranges = &range;
	input.request.range_size = sizeof(range);
	refused(&input, -EINVAL);
	input.request.pages = NULL;
	input.request.nodes = NULL;
	input.request.status = NULL;
	input.request.range_size = 0;
	refused(&input, -EINVAL);
	input.request.range_size = sizeof(range) - 1;
	refused(&input, -EINVAL);
	input.request.range_size = SIZE_MAX;
	refused(&input, -EINVAL);
	input.request.ranges = NULL;
	input.request.range_size = sizeof(range);
	refused(&input, -EINVAL);
	input_end(&input);
}
END_TEST

START_TEST(structs_of_other_versions)
{
	struct {
		struct bm_request request;
		uint64_t more[3];
	} newer;
	struct input input;

	input_new(&input);
	memset(&newer, 0, sizeof(newer));
	newer.request = input.request;
	newer.request.size = sizeof(newer);
	newer.request.count = 0;
	newer.more[2] = 1;
	ck_assert_int_eq(bm_submit(input.context, &newer.request, &input.batch), -E2BIG);
	newer.more[2] = 0;
	ck_assert_int_eq(bm_submit(input.context, &newer.request, &input.batch), 0);
	bm_batch_free(input.batch);
	input.batch = NULL;
	input.request.size = 0;
	refused(&input, -EINVAL);
	input.request.size = SIZE_MAX;
	refused(&input, -EINVAL);
	ck_assert_int_eq(bm_request_init(NULL, sizeof(newer)), -EINVAL);
	ck_assert_int_eq(bm_request_init(&input.request, 4), -EINVAL);
	/* There is no older one: what is shorter is sizeof of a pointer. */
	for (size_t size = 0; size < sizeof(input.request); size++) {
		ck_assert_int_eq(bm_request_init(&input.request, size), -EINVAL);
		input.request.size = size;
		refused(&input, -EINVAL);
	}
	ck_assert_int_eq(bm_request_init(&newer.request, sizeof(input.request) + 4), -EINVAL);
	input_end(&input);
}
END_TEST

START_TEST(waits_and_reports)
{
	struct input input;
	struct bm_report report;

	input_new(&input);
	input.request.count = 0;
	taken(&input);
	ck_assert_int_eq(bm_batch_wait(input.batch, INT64_MAX), 0);
	ck_assert_int_eq(bm_batch_wait(input.batch, 0), 0);
	ck_assert_int_eq(bm_batch_wait(input.batch, -2), -EINVAL);
	ck_assert_int_eq(bm_batch_wait(input.batch, INT64_MIN), -EINVAL);
	ck_assert_int_eq(bm_batch_report(input.batch, NULL, sizeof(report)), -EINVAL);
	for (size_t size = 0; size < sizeof(report); size++)
		ck_assert_int_eq(bm_batch_report(input.batch, &report, size), -EINVAL);
	ck_assert_int_eq(bm_batch_report(input.batch, &report, SIZE_MAX), -EINVAL);
	ck_assert_int_eq(bm_batch_report(input.batch, &report, sizeof(report)), 0);
	ck_assert_uint_eq(report.tally.pages, 0);
	ck_assert_str_eq(report.backend, "kernel");
	bm_batch_free(input.batch);
	ck_assert_int_eq(bm_stats_get(input.context, NULL, 100), -EINVAL);
	ck_assert_int_eq(bm_info_new(input.context, NULL), -EINVAL);
	input_end(&input);
}
END_TEST

static const TTest *const *const tests[] = {&null_pointers,
					    &counts,
					    &flags,
					    &names_and_numbers,
					    &pages_and_ranges,
					    &structs_of_other_versions,
					    &waits_and_reports,
					    NULL};
const struct report_group input_group = {"input", tests};
