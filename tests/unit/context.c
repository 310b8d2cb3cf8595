/* SPDX-License-Identifier: MIT */
/* context.c - contexts: what they read, the default one, and forks. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "unit.h"

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define LARGE(kb) "/sys/kernel/mm/transparent_hugepage/hugepages-" #kb "kB/enabled"

START_TEST(sizes_are_read)
{
	struct bm_context *context;

	fake_reset();
	context = fake_context();
	ck_assert_uint_eq(context->page_size, 4096);
	ck_assert_uint_eq(context->huge_size, 2 << 20);
	ck_assert_uint_eq(context->large_size, 0);
	bm_context_free(context);
	fake_file(LARGE(64), "always [inherit] madvise never\n");
	fake_file(LARGE(1024), "always inherit madvise [never]\n");
	fake_file(LARGE(16), "[always] inherit madvise never\n");
	context = fake_context();
	ck_assert_uint_eq(context->large_size, 64 << 10);
	bm_context_free(context);
	fake_file(HUGE_FILE, NULL);
	fake.page_size = 65536;
	context = fake_context();
	ck_assert_uint_eq(context->page_size, 65536);
	ck_assert_uint_eq(context->huge_size, 0);
	ck_assert_uint_eq(context->large_size, 0);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(releases_are_read)
{
	static const struct {
		const char *text;
		int version, flushes_once;
	} releases[] = {{"6.1.0-47-amd64\n", 6001, 0},
			{"6.2\n", 6002, 0},
			{"6.3.0\n", 6003, 1},
			{"5.14.0-503.el9.x86_64\n", 5014, 0},
			{"10.0-rc1\n", 10000, 1},
			{"rubbish\n", 0, 1},
			{"", 0, 1},
			{NULL, 0, 1}};
	struct bm_context *context;

	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		fake_reset();
		fake_file(BM_RELEASE_FILE, releases[i].text);
		ck_assert_int_eq(bm_sys_version(&fake_sys), releases[i].version);
		context = fake_context();
		ck_assert_int_eq(context->flushes_once, releases[i].flushes_once);
		bm_context_free(context);
		fake_end();
	}
}
END_TEST

static int logged;

static void count_lines(void *user, int level, const char *line)
{
	ck_assert_ptr_eq(user, &logged);
	ck_assert_int_eq(level, BM_LOG_ERROR);
	ck_assert_ptr_nonnull(strstr(line, "mover=rubbish"));
	logged++;
}

static void count_version(void *user, int level, const char *line)
{
	(void)user;
	ck_assert_int_eq(level, BM_LOG_ERROR);
	ck_assert_ptr_nonnull(strstr(line, bm_version()));
	logged++;
}

START_TEST(a_bad_option_is_logged)
{
	struct bm_context *context = (struct bm_context *)(void *)&logged;
	struct bm_options options;
	struct {
		struct bm_options options;
		uint64_t more;
	} newer;

	fake_reset();
	bm_options_init(&options, sizeof(options));
	options.mover = "rubbish";
	options.log = count_lines;
	options.log_user = &logged;
	logged = 0;
	ck_assert_int_eq(bm_context_create(&fake_sys, &options, &context), -EINVAL);
	ck_assert_int_eq(logged, 0);
	options.log_level = "error";
	ck_assert_int_eq(bm_context_create(&fake_sys, &options, &context), -EINVAL);
	ck_assert_int_eq(logged, 1);
	ck_assert_ptr_eq(context, &logged);
	/* Of a newer caller, too. */
	newer.options = options;
	newer.options.log = count_version;
	newer.options.size = sizeof(newer);
	newer.more = 1;
	ck_assert_int_eq(bm_context_create(&fake_sys, &newer.options, &context), -E2BIG);
	ck_assert_int_eq(logged, 2);
	fake_end();
}
END_TEST

START_TEST(options_are_copied)
{
	char backend[] = "kernel";
	struct bm_context *context;
	struct bm_options options;
	struct bm_info *info;

	fake_reset();
	bm_options_init(&options, sizeof(options));
	options.backend = backend;
	ck_assert_int_eq(bm_context_create(&fake_sys, &options, &context), 0);
	memset(backend, 'x', sizeof(backend));
	memset(&options, 0xff, sizeof(options));
	ck_assert_int_eq(bm_info_new(context, &info), 0);
	ck_assert_str_eq(bm_info_option(info, 0)->value, "kernel");
	ck_assert_str_eq(bm_info_option(info, 0)->source, "option");
	bm_info_free(info);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(every_acquisition_fails_once)
{
	fake_reset();
	for (uint64_t n = 1;; n++) {
		struct bm_context *context = NULL;
		int rc;

		fake_fail(FAKE_ALL, n, -EIO);
		rc = bm_context_create(&fake_sys, NULL, &context);
		ck_assert_int_eq(fake.open_fds, 0);
		if (rc < 0) {
			ck_assert_int_eq(rc, -ENOMEM);
			ck_assert_ptr_null(context);
		} else {
			bm_context_free(context);
		}
		if (!fake.fired)
			break;
	}
	fake_end();
}
END_TEST

/* What a child sees of its parent's handles. */
static void stale(struct bm_context *context, struct bm_batch *batch)
{
	void *page = (void *)(uintptr_t)BASE;
	int node = 0, status = UNSET;
	struct bm_request request;
	struct bm_batch *other = NULL;
	struct bm_report report;
	struct bm_stats stats;
	struct bm_info *info = NULL;
	struct bm_scan scan;

	ck_assert_int_eq(bm_migrate_batch(context, 1, &page, &node, &status, 0), -ESTALE);
	ck_assert_int_eq(bm_migrate_ranges(context, 0, NULL, sizeof(struct bm_range), 0), -ESTALE);
	bm_request_init(&request, sizeof(request));
	ck_assert_int_eq(bm_submit(context, &request, &other), -ESTALE);
	ck_assert_int_eq(bm_batch_wait(batch, 0), -ESTALE);
	ck_assert_int_eq(bm_batch_report(batch, &report, sizeof(report)), -ESTALE);
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats)), -ESTALE);
	ck_assert_int_eq(bm_stats_reset(context), -ESTALE);
	ck_assert_int_eq(bm_info_new(context, &info), -ESTALE);
	bm_scan_init(&scan, sizeof(scan));
	ck_assert_int_eq(bm_scan_next(context, &scan), -ESTALE);
	ck_assert_int_eq(bm_query_pages(context, 0, 1, &page, &status, NULL), -ESTALE);
	ck_assert_int_eq(status, UNSET);
	ck_assert(!other && !info);
}

/* A child has none. */
static void no_threads(struct bm_context *context)
{
	unsigned int threads;

	do {
		pthread_mutex_lock(&context->queue.lock);
		threads = context->queue.threads;
		pthread_mutex_unlock(&context->queue.lock);
	} while (threads > 0);
}

START_TEST(handles_are_stale_after_a_fork)
{
	struct bm_context *context;
	struct bm_request request;
	struct bm_batch *batch = NULL;

	fake_reset();
	fake_map(BASE, 4, 0);
	context = fake_context();
	bm_request_init(&request, sizeof(request));
	request.ranges = &(struct bm_range){.addr = (void *)(uintptr_t)BASE, .length = 4096};
	request.range_size = sizeof(struct bm_range);
	request.count = 1;
	ck_assert_int_eq(bm_submit(context, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	no_threads(context);
	/* The wiped page of a child. */
	*fake.marker = 0;
	fake.pid++;
	stale(context, batch);
	bm_batch_free(batch);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* An emulator may accept MADV_WIPEONFORK and do nothing. */
static int forks_wipe(void)
{
	volatile unsigned char *marker = bm_sys_linux.fork_marker();
	int status = 1;
	pid_t child;

	if (!marker)
		return 0;
	child = fork();
	if (child == 0)
		_exit(*marker);
	waitpid(child, &status, 0);
	bm_sys_linux.fork_marker_free(marker);
	return status == 0;
}

/* The real system: a default context in the parent and anew in the child. */
START_TEST(default_context_in_a_child)
{
	struct bm_context *context = NULL;
	struct bm_stats stats;
	int status = 0;
	pid_t child;

	if (!forks_wipe())
		skip_test("MADV_WIPEONFORK does nothing here");
	ck_assert_int_eq(bm_stats_get(NULL, &stats, sizeof(stats)), 0);
	ck_assert_int_eq(bm_context_new(NULL, &context), 0);
	child = fork();
	if (child == 0) {
		int ok = bm_stats_get(NULL, &stats, sizeof(stats)) == 0 &&
			 bm_stats_get(context, &stats, sizeof(stats)) == -ESTALE;

		bm_context_free(context);
		_exit(ok ? 0 : 1);
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	bm_context_free(context);
	bm_context_free(NULL);
	ck_assert_int_eq(bm_context_new(NULL, NULL), -EINVAL);
}
END_TEST

/* Sums of a context: filled up to what the caller knows, wholly zero after a reset. */
START_TEST(statistics)
{
	struct {
		struct bm_stats stats;
		uint64_t more;
	} newer;
	struct bm_context *context;
	struct bm_stats stats;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 64, 0);
	context = fake_context();
	scene_line(&scene, 64, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats)), 0);
	ck_assert_uint_eq(stats.calls, 2);
	ck_assert_uint_eq(stats.tally.pages, 128);
	ck_assert_uint_eq(stats.tally.moved, 64);
	ck_assert_uint_eq(stats.tally.already, 64);
	ck_assert_uint_eq(stats.bytes_asked, 128 * 4096);
	ck_assert_uint_eq(stats.bytes_moved, 64 * 4096);
	ck_assert_uint_eq(stats.reasons[BM_REASON_NONE], 64);
	ck_assert_uint_eq(stats.reasons[BM_REASON_ALREADY], 64);
	ck_assert_uint_ge(stats.kernel_calls, 1);
	memset(&newer, 0xff, sizeof(newer));
	ck_assert_int_eq(bm_stats_get(context, &newer.stats, sizeof(newer)), 0);
	ck_assert_uint_eq(newer.more, 0);
	memset(&stats, 0xff, sizeof(stats));
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(uint64_t)), -EINVAL);
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats) - 8), -EINVAL);
	ck_assert_uint_eq(stats.calls, UINT64_MAX);
	ck_assert_int_eq(bm_stats_reset(context), 0);
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats)), 0);
	ck_assert_uint_eq(stats.calls, 0);
	ck_assert_uint_eq(stats.tally.pages, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&sizes_are_read,
					    &releases_are_read,
					    &a_bad_option_is_logged,
					    &options_are_copied,
					    &every_acquisition_fails_once,
					    &handles_are_stale_after_a_fork,
					    &default_context_in_a_child,
					    &statistics,
					    NULL};
const struct report_group context_group = {"context", tests};
