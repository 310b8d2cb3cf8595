/* SPDX-License-Identifier: MIT */
/*
 * report.h - one line for each test, for scripts and people:
 * "ok NAME", "not ok NAME: message", "skip NAME: reason", and a sum.
 */
#ifndef TESTS_REPORT_H
#define TESTS_REPORT_H

#include <check.h>
#include <stddef.h>

/* A list of tests, as START_TEST() defines them. */
struct report_group {
	const char *name;
	const TTest *const *const *tests; /* ended by NULL */
};

/* Leaves the running test and counts it as skipped. */
#define skip_test(...)                    \
	do {                              \
		report_skip(__VA_ARGS__); \
		return;                   \
	} while (0)

__attribute__((format(printf, 1, 2))) void report_skip(const char *format, ...);

/*
 * Runs the groups in this process, or those tests whose names hold one of the
 * arguments; not those that hold one behind a minus. Returns the exit status.
 */
int report_run(const struct report_group *groups, size_t count, int argc, char **argv);

#endif
