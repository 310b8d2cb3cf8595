/* SPDX-License-Identifier: MIT */
/* report.c - runs tests of Check one by one and prints a line for each. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char skipped[256];
static int passed, failed, skips;

void report_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(skipped, sizeof(skipped), format, args);
	va_end(args);
}

static void print_result(const char *name, TestResult *result)
{
	if (tr_rtype(result) != CK_PASS) {
		failed++;
		printf("not ok %s: line %d: %s\n", name, tr_lno(result), tr_msg(result));
	} else if (skipped[0]) {
		skips++;
		printf("skip %s: %s\n", name, skipped);
	} else {
		passed++;
		printf("ok %s\n", name);
	}
}

/* Not forked: sanitizers then see everything, and memory is that of this process. */
static void run_one(const TTest *test, const char *name)
{
	Suite *suite = suite_create(name);
	TCase *single = tcase_create(name);
	SRunner *runner;
	TestResult **results;

	tcase_add_test(single, test);
	suite_add_tcase(suite, single);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	skipped[0] = '\0';
	srunner_run_all(runner, CK_SILENT);
	results = srunner_results(runner);
	print_result(name, results[0]);
	free(results);
	srunner_free(runner);
}

/* Named by a part of its name, if any is; and not named with a minus in front of it. */
static int wanted(const char *name, int argc, char **argv)
{
	int any = 0, named = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && strstr(name, argv[i] + 1))
			return 0;
		any |= argv[i][0] != '-';
		named |= argv[i][0] != '-' && strstr(name, argv[i]);
	}
	return named || !any;
}

int report_run(const struct report_group *groups, size_t count, int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; groups[i].tests[k]; k++) {
			const TTest *test = *groups[i].tests[k];
			char name[128];

			snprintf(name, sizeof(name), "%s/%s", groups[i].name, test->name);
			if (wanted(name, argc, argv))
				run_one(test, name);
		}
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skips);
	return failed ? 1 : 0;
}
