/* SPDX-License-Identifier: MIT */
/* choice_table.c - the times as tables for people, 100 columns wide. */
#include "choice.h"

#include <stdio.h>
#include <string.h>

/* Times of a line are all in the same unit. */
struct unit {
	const char *name;
	double ns;
	int decimals;
};

static struct unit unit_of(double ns)
{
	if (ns >= 1e8)
		return (struct unit){"ms", 1e6, 0};
	return ns >= 1e7 ? (struct unit){"ms", 1e6, 1} : (struct unit){"us", 1e3, 0};
}

static const char *time_text(struct spread spread, char *text, size_t size)
{
	struct unit unit = unit_of(spread.median);

	snprintf(text, size, "%.*f %s (%.*f-%.*f)", unit.decimals, spread.median / unit.ns,
		 unit.name, unit.decimals, spread.min / unit.ns, unit.decimals,
		 spread.max / unit.ns);
	return text;
}

static const char *left_text(const struct runner *runner, char *text, size_t size)
{
	double left = runner_left(runner);

	text[0] = '\0';
	if (left > LEFT_ALLOWED)
		snprintf(text, size, " left %.0f %%", 100 * left);
	return text;
}

static void print_runner(const struct choice *choice, const struct runner *runner)
{
	char field[64], final[64], left[32];
	int was_there = choice->finals && runner->spread[FINAL].median > 0;

	printf("  %-30s %-26s %-26s %3u%s\n", runner->setting->name,
	       time_text(runner->spread[FIELD], field, sizeof(field)),
	       was_there ? time_text(runner->spread[FINAL], final, sizeof(final)) : "",
	       (unsigned int)runner->threads, left_text(runner, left, sizeof(left)));
}

void table_scene(const struct choice *choice, const struct verdict *verdict)
{
	printf("%s (%zu entries a batch)\n  %-30s %-26s %-26s %s\n", verdict->name,
	       verdict->entries, "setting", "field: time of a batch", "final", "threads");
	for (int i = 0; i < verdict->count; i++)
		print_runner(choice, &verdict->runners[i]);
	printf("\n");
	fflush(stdout);
}

static void print_verdict(const struct verdict *verdict)
{
	const struct spread *chosen = &verdict->chosen->spread[verdict->part];
	const struct spread *best = &verdict->best->spread[verdict->part];
	char mine[64], other[64], left[32];

	printf("%-16s %-22s %-22s %5.2f %5.2f  %s%s\n", verdict->name,
	       time_text(*chosen, mine, sizeof(mine)), time_text(*best, other, sizeof(other)),
	       verdict_ratio(verdict, verdict->chosen), verdict_ratio(verdict, verdict->twin),
	       verdict->best->setting->name, left_text(verdict->chosen, left, sizeof(left)));
}

static void print_estimates(const struct verdict *verdicts, int count)
{
	int any = 0;

	for (const struct verdict *verdict = verdicts; verdict < verdicts + count; verdict++) {
		double measured = verdict->chosen->spread[verdict->part].median;
		struct unit unit = unit_of(measured);

		if (verdict->estimate_ns <= 0)
			continue;
		if (!any++)
			printf("\n%-16s %12s %12s %22s\n", "scene", "estimate", "measured",
			       "estimate / measured");
		printf("%-16s %9.*f %s %9.*f %s %22.2f\n", verdict->name, unit.decimals,
		       verdict->estimate_ns / unit.ns, unit.name, unit.decimals, measured / unit.ns,
		       unit.name, verdict->estimate_ns / measured);
	}
	if (!any)
		printf("\nThis library does not estimate.\n");
}

static void print_setup(const struct choice *choice)
{
	printf("library %s, %d CPUs, %s; %d rounds", bm_version(), choice->setup.cpus,
	       choice->setup.two_nodes ? "to the other node and back" : "one node: BM_REPLACE",
	       choice->setup.rounds);
	if (choice->finals)
		printf(", then %d of auto and the %d fastest", choice->finals, FINALISTS);
	printf("\nTime of a batch: median (smallest-largest). ratio: auto / best fixed; again: a "
	       "second context\nof auto / best fixed. How far these are from each other is "
	       "noise.\n\n");
}

void table_print(const struct choice *choice, const struct verdict *verdicts, int count)
{
	const struct verdict *worst = verdicts;

	print_setup(choice);
	printf("%-16s %-22s %-22s %5s %5s  %s\n", "scene", "auto", "best fixed", "ratio", "again",
	       "which is");
	for (int i = 0; i < count; i++) {
		const struct verdict *verdict = &verdicts[i];

		print_verdict(verdict);
		if (verdict_ratio(verdict, verdict->chosen) > verdict_ratio(worst, worst->chosen))
			worst = verdict;
	}
	printf("worst ratio %.2f: %s\n", verdict_ratio(worst, worst->chosen), worst->name);
	print_estimates(verdicts, count);
}
