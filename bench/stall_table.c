/* SPDX-License-Identifier: MIT */
/* stall_table.c - medians of the rounds, as tables for people. */
#include "stall.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct metric_name metric_names[METRICS] = {
	[ACCESS_RATE] = {"million_accesses_per_s", "M/s", 2, 0},
	[SLOW] = {"in_migration", "in migration", 0, 0},
	[NET_P50] = {"us_p50", "p50", 0, 0},
	[NET_P99] = {"us_p99", "p99", 0, 0},
	[NET_P999] = {"us_p999", "p99.9", 0, 0},
	[NET_MAX] = {"us_max", "max", 0, 0},
	[OVER] = {"over_bound", "over bound", 0, 0},
	[RAW_P50] = {"with_scheduler_us_p50", "+sched p50", 0, 0},
	[RAW_P99] = {"with_scheduler_us_p99", "p99", 0, 0},
	[RAW_P999] = {"with_scheduler_us_p999", "p99.9", 0, 0},
	[RAW_MAX] = {"with_scheduler_us_max", "max", 0, 0},
	[OTHERS] = {"without_fault", "no fault", 0, 0},
	[OTHER_MAX] = {"without_fault_us_max", "max", 0, 0},
	[PAUSES_100] = {"without_fault_100_us_per_s", "/s >=100", 1, 0},
	[PAUSES_1000] = {"without_fault_1000_us_per_s", "/s >=1000", 1, 0},
	[GB_PER_S] = {"gb_per_s", "GB/s", 2, 1},
	[LEFT] = {"left_percent", "left %", 1, 1},
	[SWAPPED] = {"swapped_percent", "swapped %", 0, 1},
	[WINDOWS] = {"windows", "windows", 0, 1},
	[WINDOW_P50] = {"window_us_p50", "p50", 0, 1},
	[WINDOW_P99] = {"window_us_p99", "p99", 0, 1},
	[WINDOW_P999] = {"window_us_p999", "p99.9", 0, 1},
	[WINDOW_MAX] = {"window_us_max", "max", 0, 1},
	[LATE] = {"windows_late", "late", 0, 1},
	[PREEMPTED] = {"windows_preempted", "preempted", 0, 1},
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread trial_spread(const struct stall *stall, const struct trial *trial, int metric)
{
	int count = stall->setup.rounds;
	double sorted[STALL_ROUNDS_MAX];

	memcpy(sorted, trial->values[metric], (size_t)count * sizeof(sorted[0]));
	qsort(sorted, (size_t)count, sizeof(sorted[0]), compare);
	return (struct spread){
		.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
		.min = sorted[0],
		.max = sorted[count - 1],
	};
}

const char *trial_bound(const struct trial *trial, char *text, size_t size)
{
	if (!trial->moves)
		snprintf(text, size, "no migration");
	else if (!trial->bound_us)
		snprintf(text, size, "none");
	else
		snprintf(text, size, "%" PRId64, trial->bound_us);
	return text;
}

/* The same in all rounds: once; else the median and the range. */
static void print_cell(const struct stall *stall, const struct trial *trial, int metric)
{
	struct spread spread = trial_spread(stall, trial, metric);
	int decimals = metric_names[metric].decimals;
	char median[32], min[32], max[32];

	snprintf(median, sizeof(median), "%.*f", decimals, spread.median);
	snprintf(min, sizeof(min), "%.*f", decimals, spread.min);
	snprintf(max, sizeof(max), "%.*f", decimals, spread.max);
	if (strcmp(min, max) == 0)
		printf(" %s |", median);
	else
		printf(" %s (%s-%s) |", median, min, max);
}

static void print_table(const struct stall *stall, const struct trial *trials, int count,
			int of_library)
{
	char bound[32];

	printf("| pages | bound us |");
	for (int i = 0; i < METRICS; i++)
		if (metric_names[i].of_library == of_library)
			printf(" %s |", metric_names[i].head);
	printf("\n| --- | --- |");
	for (int i = 0; i < METRICS; i++)
		if (metric_names[i].of_library == of_library)
			printf(" ---: |");
	for (const struct trial *trial = trials; trial < trials + count; trial++) {
		if (of_library && !trial->moves)
			continue;
		printf("\n| %s | %s |", trial->huge ? "huge" : "base",
		       trial_bound(trial, bound, sizeof(bound)));
		for (int i = 0; i < METRICS; i++)
			if (metric_names[i].of_library == of_library)
				print_cell(stall, trial, i);
	}
	putchar('\n');
}

static void print_setup(const struct stall *stall)
{
	printf("library %s, mover %s, %d CPUs, %s; %d thread%s touch%s %zu MiB, the library has at "
	       "most %d; %d rounds of %d s; medians of the rounds (smallest-largest)\n",
	       bm_version(), stall->setup.mover, stall->setup.cpus,
	       stall->setup.two_nodes ? "to the other node and back" : "one node: BM_REPLACE",
	       stall->threads, stall->threads == 1 ? "" : "s", stall->threads == 1 ? "es" : "",
	       stall->setup.mb, stall->library_threads, stall->setup.rounds, stall->seconds);
	if (stall->setup.huge_size)
		printf("%.0f %% of the huge pages are huge\n",
		       100 * region_huge_share(&stall->regions[1]));
	if (stall->threads + stall->library_threads > stall->setup.cpus)
		printf("more threads than CPUs: the scheduler takes part\n");
}

void table_print(const struct stall *stall, const struct trial *trials, int count)
{
	print_setup(stall);
	printf("\nWhat the threads saw, in microseconds. In migration: accesses of %.0f us or more "
	       "that had\na page fault, without and then (+sched) with the time in which the "
	       "thread "
	       "waited for a\nCPU%s. No fault: of %.0f us or more for other reasons, and how many "
	       "a "
	       "second of\n100 and of 1000 us: pauses of the machine, which fall into windows, "
	       "too.\n\n",
	       (double)stall->slow_ns / 1000,
	       stall->delay_told ? "" : " (here: all of those in which its slice ended)",
	       (double)stall->slow_ns / 1000);
	print_table(stall, trials, count, 0);
	printf("\nWhat the library says: windows in microseconds.\n\n");
	print_table(stall, trials, count, 1);
}
