/* SPDX-License-Identifier: MIT */
/*
 * compare.c - batchmig-bench compare: what changed between two files, beyond noise.
 *
 * A row has changed when the middle halves of its rounds do not overlap and the
 * medians are further apart than what is allowed. Ends with 0 when nothing became
 * worse, with 1 when something did, with 2 when it was called wrongly or a file
 * cannot be read.
 */
#include "commands.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"
#include "setup.h"

#define ALLOWED_PERCENT 5

struct comparison {
	double allowed; /* share of the older median */
	int all;        /* also what has not changed */
	int better, worse, same, alone;
	const char *files[2];
};

static int is_same(const json_t *one, const json_t *other)
{
	static const char *const fields[] = {"table", "metric", "unit", "keys"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!json_equal(json_object_get(one, fields[i]), json_object_get(other, fields[i])))
			return 0;
	return 1;
}

static const json_t *find(const struct results *results, const json_t *wanted)
{
	for (size_t i = 0; i < results_count(results); i++)
		if (is_same(results_at(results, i), wanted))
			return results_at(results, i);
	return NULL;
}

static int is_only_told(const json_t *row)
{
	return strcmp(json_string_value(json_object_get(row, "better")), "neither") == 0;
}

static int overlap(const json_t *one, const json_t *other)
{
	return row_number(one, "quarter") <= row_number(other, "three_quarters") &&
	       row_number(other, "quarter") <= row_number(one, "three_quarters");
}

static const char *judge(struct comparison *comparison, const json_t *before, const json_t *after)
{
	const char *better = json_string_value(json_object_get(before, "better"));
	double was = row_number(before, "median"), is = row_number(after, "median");

	if (overlap(before, after) || fabs(is - was) <= comparison->allowed * fabs(was)) {
		comparison->same++;
		return NULL;
	}
	if ((is > was) == (strcmp(better, "more") == 0)) {
		comparison->better++;
		return "better";
	}
	comparison->worse++;
	return "WORSE";
}

static void print_row(const json_t *before, const json_t *after, const char *verdict)
{
	double was = row_number(before, "median"), is = row_number(after, "median");
	char *name = row_name(before);

	printf("%-7s %s %s %s: %.4g -> %.4g %s (%+.1f %%)\n", verdict,
	       json_string_value(json_object_get(before, "table")), name,
	       json_string_value(json_object_get(before, "metric")), was, is,
	       json_string_value(json_object_get(before, "unit")),
	       was != 0 ? 100 * (is - was) / fabs(was) : 0.0);
	free(name);
}

static void print_alone(const json_t *row, const char *where)
{
	char *name = row_name(row);

	printf("%-7s %s %s %s\n", where, json_string_value(json_object_get(row, "table")), name,
	       json_string_value(json_object_get(row, "metric")));
	free(name);
}

static void compare_rows(struct comparison *comparison, const struct results *before,
			 const struct results *after)
{
	for (size_t i = 0; i < results_count(before); i++) {
		const json_t *old = results_at(before, i), *new = find(after, old);
		const char *verdict;

		if (is_only_told(old))
			continue;
		if (!new) {
			comparison->alone++;
			print_alone(old, "gone");
			continue;
		}
		verdict = judge(comparison, old, new);
		if (verdict || comparison->all)
			print_row(old, new, verdict ? verdict : "same");
	}
	for (size_t i = 0; i < results_count(after); i++)
		if (!is_only_told(results_at(after, i)) && !find(before, results_at(after, i))) {
			comparison->alone++;
			print_alone(results_at(after, i), "new");
		}
}

/* What a file says of its machine that is never twice the same. */
static int is_passing(const char *key)
{
	return strcmp(key, "date") == 0 || strcmp(key, "load") == 0;
}

static char *fact_text(const json_t *value)
{
	const size_t flags = JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(6);
	char *text = value ? json_dumps(value, flags) : strdup("not told");

	if (!text)
		die("memory for a fact");
	return text;
}

static void print_fact(const char *key, const json_t *before, const json_t *after)
{
	char *was, *is;

	if (is_passing(key) || json_equal(before, after))
		return;
	was = fact_text(before);
	is = fact_text(after);
	printf("machine: %s: %s -> %s\n", key, was, is);
	free(was);
	free(is);
}

/* Numbers of two machines, or of other settings, may be compared; but not without knowing it. */
static void print_machines(const struct results *before, const struct results *after)
{
	json_t *old = results_machine(before), *new = results_machine(after), *value;
	const char *key;

	json_object_foreach(old, key, value)
	{
		print_fact(key, value, json_object_get(new, key));
	}
	json_object_foreach(new, key, value)
	{
		if (!json_object_get(old, key))
			print_fact(key, NULL, value);
	}
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct comparison *comparison = state->input;

	if (key == 'a')
		comparison->allowed = (double)whole_number("--allow", text, 0, 1000) / 100;
	else if (key == 'l')
		comparison->all = 1;
	else if (key == ARGP_KEY_ARG && state->arg_num < 2)
		comparison->files[state->arg_num] = text;
	else if (key == ARGP_KEY_END && state->arg_num != 2)
		argp_error(state, "two files are compared, not %u", state->arg_num);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option options[] = {
	{"allow", 'a', "PERCENT", 0, "So far may medians be apart (5)", 0},
	{"all", 'l', NULL, 0, "Rows that have not changed, too", 0},
	{0},
};
static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.args_doc = "BEFORE.json AFTER.json",
	.doc = "What changed between two files of results, beyond noise.\v"
	       "A row has changed when the middle halves of its rounds do not overlap and the "
	       "medians are further apart than --allow. Rows that only tell something about "
	       "others are not compared. Status 0: nothing is worse; 1: something is; 2: called "
	       "wrongly, or a file cannot be read.",
};

int command_compare(int argc, char **argv)
{
	struct comparison comparison = {.allowed = ALLOWED_PERCENT / 100.0};
	struct results *before, *after;

	setup_parse(&parser, &comparison, argc, argv);
	before = results_read(comparison.files[0]);
	after = before ? results_read(comparison.files[1]) : NULL;
	if (after) {
		print_machines(before, after);
		compare_rows(&comparison, before, after);
		printf("%d better, %d worse, %d the same, %d in one file only\n", comparison.better,
		       comparison.worse, comparison.same, comparison.alone);
		results_free(after);
	}
	if (before)
		results_free(before);
	if (!after)
		return WRONG_CALL;
	return comparison.worse > 0;
}
