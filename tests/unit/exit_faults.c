/* SPDX-License-Identifier: MIT */
/*
 * exit_faults.c - reports at the end of a context or of the process, where each
 * call fails once: told once or not at all, from its beginning, and wholly
 * where only the file or the call by exit(3) could not be had.
 */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define MOST      400
#define FILE_NAME "/tmp/report"

static char whole[16384];

static const struct {
	enum fake_call call;
	int error;
} faults[] = {{FAKE_ALLOC, -ENOMEM}, {FAKE_AT_EXIT, -ENOMEM}, {FAKE_OPEN, -EACCES},
	      {FAKE_WRITE, -ENOSPC}, {FAKE_WRITE, -EINTR},    {FAKE_WRITE, 0}};

/* One batch, then the end: by bm_context_free() first, or by exit(3). */
static void live(int by_exit, size_t most, size_t fault, uint64_t n)
{
	void *page = (void *)(uintptr_t)BASE;
	struct bm_context *context;
	int node = 1, status;

	fake_reset();
	fake.read_most = most;
	fake_file(FILE_NAME, "");
	fake_map(BASE, 1, 0);
	fake_env("BATCHMIG_STATS_FILE", FILE_NAME);
	fake_env("BATCHMIG_STATS", "1");
	/* Of the making of a context only what concerns the report. */
	if (faults[fault].call == FAKE_AT_EXIT)
		fake_fail(1u << FAKE_AT_EXIT, n, -ENOMEM);
	context = fake_context();
	ck_assert_int_eq(bm_migrate_batch(context, 1, &page, &node, &status, 0), 0);
	if (faults[fault].call != FAKE_AT_EXIT)
		fake_fail(1u << faults[fault].call, n, faults[fault].error);
	if (by_exit && fake.at_exit)
		fake.at_exit();
	ck_assert_int_eq(bm_context_free(context), 0);
	if (fake.at_exit)
		fake.at_exit();
	ck_assert_int_eq(fake.open_fds, 0);
}

static const char *written(void)
{
	return fake.written ? fake.written : "";
}

/* The lines about a file that cannot be had come before; times are those of the fake clock. */
static const char *report(void)
{
	const char *text = written();

	if (strstr(text, "cannot be added to " FILE_NAME))
		text = strchr(text, '\n') + 1;
	return text;
}

static void check(size_t fault, uint64_t n)
{
	size_t length = strlen(report());
	int complete = length == strlen(whole);

	ck_assert_msg(strncmp(report(), whole, length) == 0,
		      "call %d number %d gives %d: no part of a report: %s",
		      (int)faults[fault].call, (int)n, faults[fault].error, report());
	/* What is lost for want of memory or of room is lost. */
	if (faults[fault].call == FAKE_AT_EXIT || faults[fault].call == FAKE_OPEN ||
	    faults[fault].error == -EINTR || !fake.fired)
		ck_assert_msg(complete, "call %d number %d gives %d: a part only: %s",
			      (int)faults[fault].call, (int)n, faults[fault].error, report());
	if (faults[fault].call == FAKE_OPEN && fake.fired)
		ck_assert_int_eq(fake.written_to, 2);
	if (faults[fault].call == FAKE_ALLOC && fake.fired)
		ck_assert_uint_eq(length, 0);
}

static void each_call(int by_exit, size_t most)
{
	live(by_exit, most, 0, 0);
	ck_assert_msg(strstr(written(), "1 moved") != NULL, "%s", written());
	snprintf(whole, sizeof(whole), "%s", written());
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		uint64_t n = 0;

		do {
			ck_assert_uint_lt(++n, MOST);
			live(by_exit, most, fault, n);
			check(fault, n);
		} while (fake.fired);
		ck_assert_uint_gt(n, 1);
	}
	fake_end();
}

START_TEST(of_a_context_that_is_freed)
{
	each_call(0, 4096);
	each_call(0, 7);
}
END_TEST

START_TEST(of_a_process_that_exits)
{
	each_call(1, 4096);
	each_call(1, 7);
}
END_TEST

static const TTest *const *const tests[] = {&of_a_context_that_is_freed, &of_a_process_that_exits,
					    NULL};
const struct report_group exit_faults_group = {"exit_faults", tests};
