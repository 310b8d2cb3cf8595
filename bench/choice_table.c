/* SPDX-License-Identifier: MIT */
/* choice_table.c - the rows of a scene, and one line for each scene for people. */
#include "choice.h"

#include <stdio.h>

#include "results.h"

/* Each setting has what the first row has for keys. */
static void add_times(const struct choice *choice, json_t *row, const struct runner *runner,
		      enum part part)
{
	double us[ROUNDS_MAX];

	for (int i = 0; i < part_rounds(choice, part); i++)
		us[i] = runner->ns[part][i] / 1000;
	row_values(row, us, part_rounds(choice, part));
}

static json_t *add_setting(const struct choice *choice, const struct verdict *verdict,
			   const struct runner *runner)
{
	struct results *results = choice->setup.results;
	json_t *row = results_row(results, "choice", "time", "us", LESS_IS_BETTER);
	double left = runner_left(runner);

	row_key(row, "scene", "%s", verdict->name);
	row_key(row, "setting", "%s", runner->setting->name);
	add_times(choice, row, runner, FIELD);
	if (choice->finals && runner->spread[FINAL].median > 0)
		add_times(choice, results_again(results, row, "final_time", "us", LESS_IS_BETTER),
			  runner, FINAL);
	row_values(results_again(results, row, "left_share", "", LESS_IS_BETTER), &left, 1);
	return row;
}

/* What a scene is about: auto, or its twin, beside the best. */
static void add_ratio(const struct choice *choice, const struct verdict *verdict,
		      const struct runner *runner, const json_t *like)
{
	json_t *row = results_again(choice->setup.results, like, "to_best", "x", LESS_IS_BETTER);
	double ratios[ROUNDS_MAX];

	verdict_ratio(choice, verdict, runner, ratios);
	row_values(row, ratios, part_rounds(choice, verdict->part));
	row_note(row, "the best fixed setting: %s", verdict->best->setting->name);
}

void verdict_rows(const struct choice *choice, const struct verdict *verdict)
{
	for (int i = 0; i < verdict->count; i++) {
		const struct runner *runner = &verdict->runners[i];
		const json_t *row = add_setting(choice, verdict, runner);
		double us = verdict->estimate_ns / 1000;

		if (runner->setting->kind != FIXED)
			add_ratio(choice, verdict, runner, row);
		if (runner->setting->kind == AUTO && us > 0)
			row_values(results_again(choice->setup.results, row, "estimate", "us",
						 NEITHER),
				   &us, 1);
	}
}

/* "1234 (1200-1300)", microseconds. */
static const char *time_text(const struct spread *spread, char *text, size_t size)
{
	snprintf(text, size, "%.0f (%.0f-%.0f)", spread->median / 1000, spread->min / 1000,
		 spread->max / 1000);
	return text;
}

static void print_verdict(const struct choice *choice, const struct verdict *verdict)
{
	const struct spread *chosen = &verdict->chosen->spread[verdict->part];
	double left = runner_left(verdict->chosen), ratios[ROUNDS_MAX];
	char mine[64], other[64], estimate[32] = "";

	if (verdict->estimate_ns > 0)
		snprintf(estimate, sizeof(estimate), "%.2f", verdict->estimate_ns / chosen->median);
	printf("%-16s %-22s %-22s %5.2f %5.2f %8s  %s", verdict->name,
	       time_text(chosen, mine, sizeof(mine)),
	       time_text(&verdict->best->spread[verdict->part], other, sizeof(other)),
	       verdict_ratio(choice, verdict, verdict->chosen, ratios),
	       verdict_ratio(choice, verdict, verdict->twin, ratios), estimate,
	       verdict->best->setting->name);
	if (left > LEFT_ALLOWED)
		printf(" left %.0f %%", 100 * left);
	printf("\n");
}

void table_print(const struct choice *choice, const struct verdict *verdicts, int count)
{
	printf("\nMicroseconds of a batch. ratio: auto by the best fixed setting; again: a second "
	       "context of auto\nby it. How far these are from each other is noise. estimate: of "
	       "bm_estimate(), by what was measured.\n\n%-16s %-22s %-22s %5s %5s %8s  %s\n",
	       "scene", "auto", "best fixed", "ratio", "again", "estimate", "which is");
	for (int i = 0; i < count; i++)
		print_verdict(choice, &verdicts[i]);
}
