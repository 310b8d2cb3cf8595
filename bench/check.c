/* SPDX-License-Identifier: MIT */
/*
 * check.c - batchmig-bench check: holds files of results to limits.
 *
 * A limit is held when the median of each row that it means is within it. A
 * target is what the design wants: told when it is missed, and never a failure.
 * Ends with 0 when all limits are held, with 1 when one is broken or has no row,
 * with 2 when it was called wrongly or a file is not what it should be.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "results.h"
#include "setup.h"

#define FILES_MAX 16
#define ROOM      32 /* for a number */

struct limit {
	const char *name, *table, *metric;
	const char *clock; /* of the machine; NULL: any */
	const char *why;   /* NULL: not told */
	json_t *keys;
	const json_t *most, *least, *target; /* NULL: there is none */
};

struct checking {
	const char *path; /* of the limits */
	json_t *limits;
	struct results *results[FILES_MAX];
	int count;
	int held, broken, missed;
};

/* ------------------------------------------------------------- the limits */

enum kind { TEXT, NUMBER, KEYS, KINDS };
static const char *const kind_names[KINDS] = {"a text", "a number", "an object of texts"};

static const struct member {
	const char *name;
	enum kind kind;
	int needed;
} members[] = {
	{"name", TEXT, 1},     {"table", TEXT, 1},     {"keys", KEYS, 1},
	{"metric", TEXT, 1},   {"at_most", NUMBER, 0}, {"at_least", NUMBER, 0},
	{"target", NUMBER, 0}, {"clock", TEXT, 0},     {"why", TEXT, 0},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static int is_of(json_t *value, enum kind kind)
{
	const char *key;
	json_t *text;

	if (kind == TEXT)
		return json_is_string(value);
	if (kind == NUMBER)
		return json_is_number(value);
	json_object_foreach(value, key, text) if (!json_is_string(text)) return 0;
	return json_is_object(value);
}

static const struct member *member_of(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static void malformed(const struct checking *checking, size_t index, const char *member,
		      const char *what)
{
	const json_t *name = json_object_get(json_array_get(checking->limits, index), "name");

	fprintf(stderr, "%s: limit %zu%s%s%s: \"%s\" %s\n", checking->path, index + 1,
		json_is_string(name) ? " (" : "",
		json_is_string(name) ? json_string_value(name) : "",
		json_is_string(name) ? ")" : "", member, what);
	exit(WRONG_CALL);
}

static void check_member(const struct checking *checking, size_t index, const char *name,
			 json_t *value)
{
	const struct member *member = member_of(name);
	char what[64];

	if (!member)
		malformed(checking, index, name,
			  "is not known: allowed are name, table, keys, metric, at_most, at_least, "
			  "target, clock and why");
	if (member && !is_of(value, member->kind)) {
		snprintf(what, sizeof(what), "must be %s", kind_names[member->kind]);
		malformed(checking, index, name, what);
	}
}

static void check_limit(const struct checking *checking, size_t index)
{
	json_t *limit = json_array_get(checking->limits, index), *value;
	const char *name;

	if (!json_is_object(limit)) {
		fprintf(stderr, "%s: limit %zu must be an object\n", checking->path, index + 1);
		exit(WRONG_CALL);
	}
	json_object_foreach(limit, name, value) check_member(checking, index, name, value);
	for (size_t i = 0; i < MEMBERS; i++)
		if (members[i].needed && !json_object_get(limit, members[i].name))
			malformed(checking, index, members[i].name, "is missing");
	if (!json_object_get(limit, "at_most") == !json_object_get(limit, "at_least"))
		malformed(checking, index, "at_most", "or \"at_least\" must be there, one of them");
}

static void read_limits(struct checking *checking)
{
	json_error_t error;

	checking->limits = json_load_file(checking->path, JSON_REJECT_DUPLICATES, &error);
	if (!checking->limits) {
		fprintf(stderr, "%s: line %d: %s\n", checking->path, error.line, error.text);
		exit(WRONG_CALL);
	}
	if (!json_array_size(checking->limits)) {
		fprintf(stderr, "%s must be an array of limits, with one at least\n",
			checking->path);
		exit(WRONG_CALL);
	}
	for (size_t i = 0; i < json_array_size(checking->limits); i++)
		check_limit(checking, i);
}

static const char *text_of(const json_t *limit, const char *name)
{
	return json_string_value(json_object_get(limit, name));
}

static struct limit limit_of(const struct checking *checking, size_t index)
{
	const json_t *limit = json_array_get(checking->limits, index);

	return (struct limit){.name = text_of(limit, "name"),
			      .table = text_of(limit, "table"),
			      .metric = text_of(limit, "metric"),
			      .clock = text_of(limit, "clock"),
			      .why = text_of(limit, "why"),
			      .keys = json_object_get(limit, "keys"),
			      .most = json_object_get(limit, "at_most"),
			      .least = json_object_get(limit, "at_least"),
			      .target = json_object_get(limit, "target")};
}

/* --------------------------------------------------------------- the rows */

static int is_meant(const struct limit *limit, const json_t *row)
{
	const char *key;
	json_t *value;

	if (strcmp(text_of(row, "table"), limit->table) != 0 ||
	    strcmp(text_of(row, "metric"), limit->metric) != 0)
		return 0;
	json_object_foreach(
		limit->keys, key,
		value) if (!json_equal(json_object_get(json_object_get(row, "keys"), key),
				       value)) return 0;
	return 1;
}

static int has_clock(const struct limit *limit, const struct results *results)
{
	const char *clock = text_of(results_machine(results), "clock");

	return !limit->clock || (clock && strcmp(clock, limit->clock) == 0);
}

static int within(const struct limit *limit, double value, const json_t *bound)
{
	return limit->most ? value <= json_number_value(bound) : value >= json_number_value(bound);
}

/* The row that is the worst of all that the limit means, and how many these are. */
static const json_t *worst_row(const struct checking *checking, const struct limit *limit,
			       size_t *count)
{
	const json_t *worst = NULL;

	*count = 0;
	for (int i = 0; i < checking->count; i++) {
		const struct results *results = checking->results[i];

		for (size_t k = 0; has_clock(limit, results) && k < results_count(results); k++) {
			const json_t *row = results_at(results, k);

			if (!is_meant(limit, row))
				continue;
			++*count;
			if (!worst || !within(limit, row_number(row, "median"),
					      json_object_get(worst, "median")))
				worst = row;
		}
	}
	return worst;
}

/* ---------------------------------------------------------------- verdict */

static const char *number(double value, char text[ROOM])
{
	snprintf(text, ROOM, value >= 10000 || value <= -10000 ? "%.0f" : "%.5g", value);
	return text;
}

static void print_missing(const struct limit *limit)
{
	const char *key;
	json_t *value;

	printf("not ok %s: no row %s", limit->name, limit->table);
	json_object_foreach(limit->keys, key, value)
		printf(" %s=%s", key, json_string_value(value));
	printf(" %s", limit->metric);
	if (limit->clock)
		printf(" of a machine whose clock is %s", limit->clock);
	printf("\n");
}

static void print_target(struct checking *checking, const struct limit *limit, double value)
{
	int met = within(limit, value, limit->target);
	char text[ROOM];

	checking->missed += !met;
	printf("; target %s: %s", number(json_number_value(limit->target), text),
	       met ? "met" : "missed");
}

static void print_ok(struct checking *checking, const struct limit *limit, double value)
{
	double bound = json_number_value(limit->most ? limit->most : limit->least);
	char is[ROOM], allowed[ROOM];

	printf("ok %s: %s (%s %s", limit->name, number(value, is),
	       limit->most ? "at most" : "at least", number(bound, allowed));
	if (limit->target)
		print_target(checking, limit, value);
	printf(")");
}

static void print_broken(const struct limit *limit, double value)
{
	double bound = json_number_value(limit->most ? limit->most : limit->least);
	char is[ROOM], allowed[ROOM];

	printf("not ok %s: %s, %s %s is allowed", limit->name, number(value, is),
	       limit->most ? "at most" : "at least", number(bound, allowed));
}

static void judge(struct checking *checking, const struct limit *limit)
{
	size_t count;
	const json_t *row = worst_row(checking, limit, &count);
	double value = row ? row_number(row, "median") : 0;
	int held = row && within(limit, value, limit->most ? limit->most : limit->least);

	checking->held += held;
	checking->broken += !held;
	if (!row) {
		print_missing(limit);
		return;
	}
	if (held)
		print_ok(checking, limit, value);
	else
		print_broken(limit, value);
	if (count > 1) {
		char *name = row_name(row);

		printf(" [the worst of %zu rows: %s]", count, name);
		free(name);
	}
	if (!held && limit->why)
		printf("\n\t%s", limit->why);
	printf("\n");
}

/* ---------------------------------------------------------------- command */

static void take_file(struct argp_state *state, struct checking *checking, const char *path)
{
	if (!checking->path) {
		checking->path = path;
		return;
	}
	if (checking->count == FILES_MAX)
		argp_error(state, "%s: at most %d files of results are allowed", path, FILES_MAX);
	checking->results[checking->count] = results_read(path);
	if (!checking->results[checking->count])
		exit(WRONG_CALL);
	checking->count++;
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct checking *checking = state->input;

	if (key == ARGP_KEY_ARG)
		take_file(state, checking, text);
	else if (key == ARGP_KEY_END && !checking->count)
		argp_error(state, "a file of limits and one of results are needed");
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp argp = {
	.parser = take_option,
	.args_doc = "LIMITS.json RESULTS.json...",
	.doc = "Holds files of results to limits; bench/limits.json has those of the counts of "
	       "instructions.\vLIMITS.json is an array of objects: \"name\"; \"table\", \"keys\" "
	       "and \"metric\", which say what rows are meant (all keys that are given must be "
	       "equal); \"at_most\" or \"at_least\", a number; and, if there is one, \"target\", "
	       "what the design wants, \"clock\", nanoseconds or instructions, and \"why\".",
};

int command_check(int argc, char **argv)
{
	struct checking checking = {0};

	setup_parse(&argp, &checking, argc, argv);
	read_limits(&checking);
	for (size_t i = 0; i < json_array_size(checking.limits); i++) {
		struct limit limit = limit_of(&checking, i);

		judge(&checking, &limit);
	}
	printf("%d limits held, %d broken, %d targets missed\n", checking.held, checking.broken,
	       checking.missed);
	json_decref(checking.limits);
	for (int i = 0; i < checking.count; i++)
		results_free(checking.results[i]);
	return checking.broken > 0;
}
