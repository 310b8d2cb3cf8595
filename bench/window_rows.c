/* SPDX-License-Identifier: MIT */
/* window_rows.c - what a rival did, as rows of the table "window". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"
#include "window.h"

static const struct {
	const char *name, *unit;
	enum better better;
} metrics[WINDOW_METRICS] = {
	[THROUGHPUT] = {"throughput", "GB/s", MORE_IS_BETTER},
	[FIRST_PAGE] = {"first_page", "us", LESS_IS_BETTER},
	[OUT_OF_REACH] = {"out_of_reach", "us", LESS_IS_BETTER},
	[CALL] = {"call", "us", LESS_IS_BETTER},
	[TOLD] = {"window_told", "us", NEITHER},
};

static json_t *first_row(const struct match *match, const struct rival *rival)
{
	const struct stage *stage = match->stage;
	json_t *row = results_row(stage->setup->results, "window", metrics[0].name, metrics[0].unit,
				  metrics[0].better);

	row_key(row, "pages", "%s", pages_text(stage->setup, stage->frames));
	row_key(row, "count", "%zu", stage->count);
	row_key(row, "chunk", "%s", rival->chunk);
	row_key(row, "mover", "%s", rival->name);
	row_key(row, "threads", "%d", stage->threads);
	return row;
}

/* The rounds of which it is known; none: no row. */
static json_t *add_row(const struct match *match, const struct rival *rival, json_t *first,
		       enum window_metric metric)
{
	struct results *results = match->stage->setup->results;
	const double *values = rival->values[metric];
	int known = 0;
	double *some = malloc((size_t)match->stage->setup->rounds * sizeof(*some));
	json_t *row = first;

	if (!some)
		die("memory for the rounds");
	for (int i = 0; i < match->stage->setup->rounds; i++)
		if (values[i] >= 0)
			some[known++] = values[i];
	if (known && metric)
		row = results_again(results, first, metrics[metric].name, metrics[metric].unit,
				    metrics[metric].better);
	if (known)
		row_values(row, some, known);
	free(some);
	return known ? row : NULL;
}

static void note_reasons(json_t *row, const struct mover *mover)
{
	char text[200];

	if (mover_reasons(mover, text, sizeof(text)))
		row_note(row, "%s", text);
}

/* What was not seen by an access that had to wait. */
static void note_unseen(const struct rival *rival, json_t *first_page, json_t *out_of_reach)
{
	if (rival->first_by_frame || rival->first_unseen)
		row_note(first_page,
			 "in %zu of %zu batches no access had to wait for the first page: %zu are "
			 "told "
			 "by when it was found in another frame, the rest by the end of the batch",
			 rival->first_by_frame + rival->first_unseen, rival->batches,
			 rival->first_by_frame);
	if (rival->unseen && out_of_reach)
		row_note(out_of_reach,
			 "of %zu of %zu batches: in the others no access had to wait for a page",
			 rival->batches - rival->unseen, rival->batches);
}

/* Nobody is fast because pages stay. */
static void add_left(const struct match *match, const struct rival *rival, json_t *first)
{
	size_t entries = rival->batches * match->stage->count;
	double share = entries ? (double)rival->left / (double)entries : 0;

	if (!rival->plain)
		share = mover_left_share(&rival->mover);
	if (share > 0)
		row_values(results_again(match->stage->setup->results, first, "left_share", "",
					 NEITHER),
			   &share, 1);
}

void rival_rows(const struct match *match, const struct rival *rival)
{
	json_t *first = first_row(match, rival), *first_page, *out_of_reach;

	add_row(match, rival, first, THROUGHPUT);
	first_page = add_row(match, rival, first, FIRST_PAGE);
	out_of_reach = add_row(match, rival, first, OUT_OF_REACH);
	add_row(match, rival, first, CALL);
	if (rival->mover.windows)
		add_row(match, rival, first, TOLD);
	add_left(match, rival, first);
	if (!rival->plain)
		note_reasons(first, &rival->mover);
	note_unseen(rival, first_page, out_of_reach);
}
