/* SPDX-License-Identifier: MIT */
/* exit_report.c - the sums of a context are told once: when it is freed, or at exit. */
#include "exit_report.h"

#include <pthread.h>

#include "scene.h"
#include "stats_text.h"
#include "unit.h"

#define MANY    70 /* more than there are slots for exit */
#define THREADS 4

static struct bm_context *reporting(void)
{
	return fake_context_with("BATCHMIG_STATS", "1");
}

/* Three pages, and one that is absent. */
static void one_batch(struct bm_context *context)
{
	int nodes[] = {1, 1, 0, 1}, status[4];
	void *pages[4];

	for (size_t i = 0; i < 4; i++)
		pages[i] = (void *)(uintptr_t)(BASE + i * 4096);
	bm_migrate_batch(context, 4, pages, nodes, status, 0);
}

static void begin(void)
{
	struct fake_area *area;

	fake_reset();
	area = fake_map(BASE, 4, 0);
	area->pages[3].present = 0;
}

/* How often a text was written. */
static unsigned int times(const char *text)
{
	unsigned int count = 0;

	for (const char *at = fake.written; at && (at = strstr(at, text)); at++)
		count++;
	return count;
}

static unsigned int reports(void)
{
	return times("batchmig: process ");
}

START_TEST(when_it_is_freed)
{
	struct bm_context *context;

	begin();
	context = reporting();
	one_batch(context);
	one_batch(context);
	ck_assert_ptr_null(fake.written);
	bm_context_free(context);
	ck_assert_uint_eq(reports(), 1);
	ck_assert_int_eq(fake.written_to, 2);
	ck_assert_uint_eq(times("batchmig: process 100: 2 batches\n"), 1);
	ck_assert_uint_eq(times("pages                6 moved, 0 already there, 2 not;"), 1);
	ck_assert_uint_eq(times("not moved            2 errno 2: "), 1);
	ck_assert_uint_eq(times("reason               2 absent: "), 1);
	ck_assert_uint_eq(times("windows"), 0);
	ck_assert_uint_eq(fake.calls[FAKE_WRITE], 1);
	fake.at_exit();
	ck_assert_uint_eq(reports(), 1);
	fake_end();
}
END_TEST

START_TEST(at_exit)
{
	struct bm_context *first, *second;

	begin();
	first = reporting();
	second = reporting();
	ck_assert_uint_eq(fake.calls[FAKE_AT_EXIT], 1);
	one_batch(first);
	one_batch(second);
	fake.at_exit();
	ck_assert_uint_eq(reports(), 2);
	fake.at_exit();
	bm_context_free(first);
	bm_context_free(second);
	ck_assert_uint_eq(reports(), 2);
	/* What others make whom exit(3) calls later is told, too. */
	first = reporting();
	ck_assert_uint_eq(fake.calls[FAKE_AT_EXIT], 2);
	one_batch(first);
	fake.at_exit();
	ck_assert_uint_eq(reports(), 3);
	bm_context_free(first);
	fake_end();
}
END_TEST

START_TEST(nothing_to_tell)
{
	struct bm_context *context;

	begin();
	context = reporting();
	bm_context_free(context);
	context = reporting();
	one_batch(context);
	bm_stats_reset(context);
	fake.at_exit();
	bm_context_free(context);
	/* Or nobody has asked. */
	context = fake_context_with("BATCHMIG_STATS", "0");
	one_batch(context);
	fake.at_exit();
	bm_context_free(context);
	ck_assert_ptr_null(fake.written);
	fake_end();
}
END_TEST

START_TEST(in_a_forked_child)
{
	struct bm_context *first, *second;

	begin();
	first = reporting();
	one_batch(first);
	*fake.marker = 0;
	second = reporting();
	one_batch(second);
	*fake.marker = 0;
	bm_context_free(first);
	fake.at_exit();
	bm_context_free(second);
	ck_assert_ptr_null(fake.written);
	fake_end();
}
END_TEST

START_TEST(into_a_file)
{
	struct bm_context *context;

	begin();
	fake_file("/tmp/100.100", "");
	fake_env("BATCHMIG_STATS_FILE", "/tmp/%p.%p");
	context = reporting();
	one_batch(context);
	bm_context_free(context);
	ck_assert_uint_eq(reports(), 1);
	ck_assert_int_ne(fake.written_to, 2);
	/* Where that cannot be, it is not lost. */
	fake_file("/tmp/100.100", NULL);
	context = reporting();
	one_batch(context);
	fake.at_exit();
	bm_context_free(context);
	ck_assert_uint_eq(times("cannot be added to /tmp/100.100: errno 2\n"), 1);
	ck_assert_uint_eq(reports(), 2);
	ck_assert_int_eq(fake.written_to, 2);
	fake_end();
}
END_TEST

/* A thread that has ended with a lock must not keep the process from ending. */
START_TEST(a_lock_is_taken)
{
	struct bm_context *context;

	begin();
	context = reporting();
	one_batch(context);
	pthread_mutex_lock(&context->sums.lock);
	fake.at_exit();
	pthread_mutex_unlock(&context->sums.lock);
	ck_assert_uint_eq(reports(), 1);
	ck_assert_uint_eq(times("in use by other threads is left out\n"), 1);
	ck_assert_uint_le(fake.slept_us, 200000);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(writes_are_short_or_fail)
{
	static const int errors[] = {-EINTR, -EIO};
	struct bm_context *context;

	for (size_t i = 0; i < 2; i++) {
		begin();
		context = reporting();
		one_batch(context);
		fake.read_most = 7;
		fake_fail(1u << FAKE_WRITE, 2, errors[i]);
		bm_context_free(context);
		if (errors[i] == -EINTR)
			ck_assert_uint_eq(times("moved as asked\n"), 1);
		else
			ck_assert_str_eq(fake.written, "batchmi");
		fake.at_exit();
		fake_end();
	}
}
END_TEST

/* At exit or when freed, never both, whatever there is no memory or no room for. */
START_TEST(each_is_told_once)
{
	struct bm_context *contexts[MANY];

	begin();
	fake_fail(1u << FAKE_AT_EXIT, 1, -ENOMEM);
	for (size_t i = 0; i < MANY; i++) {
		contexts[i] = reporting();
		one_batch(contexts[i]);
	}
	ck_assert_uint_eq(fake.calls[FAKE_AT_EXIT], 2);
	fake_fail(1u << FAKE_ALLOC, 1, -ENOMEM);
	fake.at_exit();
	ck_assert_uint_lt(reports(), MANY);
	for (size_t i = 0; i < MANY; i++)
		bm_context_free(contexts[i]);
	/* But for the one for which there was no memory. */
	ck_assert_uint_eq(reports(), MANY - 1);
	fake_end();
}
END_TEST

static struct bm_context *shared[THREADS][MANY / THREADS];

static void *free_all(void *arg)
{
	struct bm_context **contexts = arg;

	for (size_t i = 0; i < MANY / THREADS; i++)
		bm_context_free(contexts[i]);
	return NULL;
}

START_TEST(freed_while_the_process_exits)
{
	pthread_t threads[THREADS];

	begin();
	for (size_t i = 0; i < THREADS * (MANY / THREADS); i++) {
		struct bm_context *context = reporting();

		one_batch(context);
		shared[i % THREADS][i / THREADS] = context;
	}
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, free_all, shared[i]), 0);
	fake.at_exit();
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(reports(), THREADS * (MANY / THREADS));
	fake_end();
}
END_TEST

static const struct bm_stats_view view = {
	.pid = 7,
	.stats = {.calls = 1,
		  .tally = {.pages = 1000000,
			    .moved = 999990,
			    .already = 7,
			    .failed = 3,
			    .retried = 5,
			    .by_errno = {{0, 2}, {16, 1}}},
		  .bytes_asked = UINT64_C(4096000000),
		  .bytes_moved = UINT64_C(4000000000),
		  .bytes_swapped = 1536,
		  .kernel_calls = 12,
		  .ns_plan = 999,
		  .ns_classify = 1000,
		  .ns_move = 500000000,
		  .ns_verify = 12345678,
		  .windows = 4,
		  .ns_window = 400000,
		  .ns_window_max = 200000,
		  .ns_window_p50 = 90000,
		  .ns_window_p99 = 190000,
		  .ns_window_p999 = 195000,
		  .windows_late = 2,
		  .windows_preempted = 1,
		  .ns_call_max = 2500000,
		  .reasons = {[BM_REASON_NONE] = 999990, [BM_REASON_KSM] = 3}},
	.pools = {{.node = 5, .base_bytes = 4096, .most_bytes = 134217728, .recycled = 1 << 30}},
	.pool_count = 1};

START_TEST(the_text)
{
	static const char expected[] =
		"batchmig: process 7: 1 batch\n"
		"batchmig:   pages           999990 moved, 7 already there, 3 not; 1000000 asked "
		"for, 5 retried\n"
		"batchmig:   not moved            2 errno 0: on another node\n";
	char text[8192];
	size_t length = bm_stats_text(&view, text, sizeof(text));

	ck_assert_uint_eq(length, strlen(text));
	ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
	ck_assert_ptr_nonnull(strstr(text, "   bytes     3.7 GiB moved at 8.00 GB/s, 1.5 KiB of "
					   "them by swap; 3.8 GiB asked for\n"));
	ck_assert_ptr_nonnull(strstr(text, "   time      500 ms to move, 999 ns to plan, 1 us to "
					   "look before, 12.3 ms after\n"));
	ck_assert_ptr_nonnull(strstr(text, " 12 of the kernel that move, the longest 2.5 ms\n"));
	ck_assert_ptr_nonnull(strstr(text, " 4 out of reach, 100 us each, 50 % within 90 us, 99 % "
					   "190 us, 99.9 % 195 us, the longest 200 us; 2 late, 1 "
					   "preempted\n"));
	ck_assert_ptr_nonnull(strstr(text, " 3 ksm: "));
	ck_assert_ptr_nonnull(strstr(text, "   pool      node 5: 4 KiB in base pages, 0 bytes in "
					   "huge ones, at most 128 MiB; 1 GiB recycled, "));
	for (size_t size = 1; size < length; size++) {
		ck_assert_uint_eq(bm_stats_text(&view, text, size), size - 1);
		ck_assert_uint_eq(strlen(text), size - 1);
	}
}
END_TEST

START_TEST(names_of_files)
{
	static const char *const names[][2] = {{"", ""},
					       {"/tmp/x", "/tmp/x"},
					       {"%p", "12345"},
					       {"a%pb%p", "a12345b12345"},
					       {"%%p%d%", "%12345%d%"}};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bm_stats_path(names[i][0], 12345, path, sizeof(path));
		ck_assert_str_eq(path, names[i][1]);
	}
	bm_stats_path("%p%p", 12345, path, 8);
	ck_assert_str_eq(path, "1234512");
}
END_TEST

static const TTest *const *const tests[] = {&when_it_is_freed,
					    &at_exit,
					    &nothing_to_tell,
					    &in_a_forked_child,
					    &into_a_file,
					    &a_lock_is_taken,
					    &writes_are_short_or_fail,
					    &each_is_told_once,
					    &freed_while_the_process_exits,
					    &the_text,
					    &names_of_files,
					    NULL};
const struct report_group reports_group = {"exit_report", tests};
