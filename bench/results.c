/* SPDX-License-Identifier: MIT */
/* results.c - rows, and the JSON document that they are kept in. */
#include "results.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "spread.h"

struct results {
	json_t *document, *rows;
	size_t shown;
};

static void no_memory(void)
{
	fprintf(stderr, "no memory for the results\n");
	exit(1);
}

static void put(json_t *object, const char *name, json_t *value)
{
	if (!value || json_object_set_new(object, name, value) < 0)
		no_memory();
}

struct results *results_new(json_t *machine)
{
	struct results *results = malloc(sizeof(*results));

	if (!results)
		no_memory();
	results->rows = json_array();
	results->shown = 0;
	results->document = json_pack("{s:i, s:o, s:o}", "format", RESULTS_FORMAT, "machine",
				      machine, "rows", results->rows);
	if (!results->document)
		no_memory();
	return results;
}

void results_free(struct results *results)
{
	json_decref(results->document);
	free(results);
}

/* ---------------------------------------------------------------- a row */

json_t *results_row(struct results *results, const char *table, const char *metric,
		    const char *unit, enum better better)
{
	static const char *const names[] = {"more", "less", "neither"};
	json_t *row = json_pack("{s:s, s:{}, s:s, s:s, s:s}", "table", table, "keys", "metric",
				metric, "unit", unit, "better", names[better]);

	if (!row || json_array_append_new(results->rows, row) < 0)
		no_memory();
	return row;
}

json_t *results_again(struct results *results, const json_t *like, const char *metric,
		      const char *unit, enum better better)
{
	json_t *row = results_row(results, json_string_value(json_object_get(like, "table")),
				  metric, unit, better);

	put(row, "keys", json_deep_copy(json_object_get(like, "keys")));
	return row;
}

__attribute__((format(printf, 1, 0))) static json_t *text(const char *format, va_list arguments)
{
	char line[256];

	vsnprintf(line, sizeof(line), format, arguments);
	return json_string(line);
}

void row_key(json_t *row, const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(json_object_get(row, "keys"), name, text(format, arguments));
	va_end(arguments);
}

void row_note(json_t *row, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put(row, "note", text(format, arguments));
	va_end(arguments);
}

void row_values(json_t *row, const double *values, int count)
{
	json_t *rounds = json_array();
	double *sorted = malloc((size_t)count * sizeof(*sorted));
	struct spread spread;

	if (!rounds || !sorted)
		no_memory();
	memcpy(sorted, values, (size_t)count * sizeof(*sorted));
	spread = spread_of(sorted, count);
	free(sorted);
	for (int i = 0; i < count; i++)
		if (json_array_append_new(rounds, json_real(values[i])) < 0)
			no_memory();
	put(row, "median", json_real(spread.median));
	put(row, "mean", json_real(spread.mean));
	put(row, "quarter", json_real(spread.quarter));
	put(row, "three_quarters", json_real(spread.three_quarters));
	put(row, "min", json_real(spread.min));
	put(row, "max", json_real(spread.max));
	put(row, "steady", json_boolean(spread.steady));
	put(row, "rounds", rounds);
}

char *row_name(const json_t *row)
{
	const char *key;
	json_t *value;
	size_t size;
	char *name;
	FILE *file = open_memstream(&name, &size);

	if (!file)
		no_memory();
	json_object_foreach(json_object_get(row, "keys"), key, value)
		fprintf(file, "%s%s=%s", ftell(file) ? " " : "", key, json_string_value(value));
	if (fclose(file) != 0)
		no_memory();
	return name;
}

double row_number(const json_t *row, const char *name)
{
	return json_number_value(json_object_get(row, name));
}

size_t results_count(const struct results *results)
{
	return json_array_size(results->rows);
}

json_t *results_at(const struct results *results, size_t index)
{
	return json_array_get(results->rows, index);
}

size_t results_unshown(struct results *results)
{
	size_t first = results->shown;

	results->shown = json_array_size(results->rows);
	return first;
}

json_t *results_machine(const struct results *results)
{
	return json_object_get(results->document, "machine");
}

/* ---------------------------------------------------------------- files */

static int say(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	return -1;
}

/* Written beside it, and then given its name. */
static int replace(const char *path, int (*write)(const struct results *results, FILE *file),
		   const struct results *results)
{
	char beside[4096];
	FILE *file;
	int rc;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return say(path, strerror(ENAMETOOLONG));
	file = fopen(beside, "we");
	if (!file)
		return say(beside, strerror(errno));
	rc = write(results, file);
	if (fclose(file) != 0 || rc < 0 || rename(beside, path) < 0) {
		say(path, strerror(errno));
		remove(beside);
		return -1;
	}
	return 0;
}

static int write_document(const struct results *results, FILE *file)
{
	if (json_dumpf(results->document, file, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0)
		return -1;
	return fputc('\n', file) == EOF ? -1 : 0;
}

int results_write_json(const struct results *results, const char *path)
{
	return replace(path, write_document, results);
}

static void write_field(const char *value, FILE *file)
{
	if (!value)
		return;
	if (!strpbrk(value, ",\"\n")) {
		fputs(value, file);
		return;
	}
	fputc('"', file);
	for (; *value; value++) {
		if (*value == '"')
			fputc('"', file);
		fputc(*value, file);
	}
	fputc('"', file);
}

static void write_line(const json_t *row, FILE *file)
{
	static const char *const numbers[] = {"median",         "mean", "quarter",
					      "three_quarters", "min",  "max"};
	char *name = row_name(row);

	write_field(json_string_value(json_object_get(row, "table")), file);
	fputc(',', file);
	write_field(name, file);
	free(name);
	fputc(',', file);
	write_field(json_string_value(json_object_get(row, "metric")), file);
	fputc(',', file);
	write_field(json_string_value(json_object_get(row, "unit")), file);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		fprintf(file, ",%.6g", row_number(row, numbers[i]));
	fprintf(file, ",%zu,%s,", json_array_size(json_object_get(row, "rounds")),
		json_is_true(json_object_get(row, "steady")) ? "steady" : "moved");
	write_field(json_string_value(json_object_get(row, "note")), file);
	fputc('\n', file);
}

static int write_lines(const struct results *results, FILE *file)
{
	fputs("table,keys,metric,unit,median,mean,quarter,three_quarters,min,max,rounds,spread,"
	      "note\n",
	      file);
	for (size_t i = 0; i < results_count(results); i++)
		write_line(results_at(results, i), file);
	return ferror(file) ? -1 : 0;
}

int results_write_csv(const struct results *results, const char *path)
{
	return replace(path, write_lines, results);
}

/* What compare and the pictures rely on. */
static int is_sound(const struct results *results)
{
	for (size_t i = 0; i < results_count(results); i++) {
		const json_t *row = results_at(results, i);

		if (!json_is_string(json_object_get(row, "table")) ||
		    !json_is_object(json_object_get(row, "keys")) ||
		    !json_is_string(json_object_get(row, "metric")) ||
		    !json_is_string(json_object_get(row, "better")) ||
		    !json_is_number(json_object_get(row, "median")) ||
		    !json_is_number(json_object_get(row, "quarter")) ||
		    !json_is_number(json_object_get(row, "three_quarters")))
			return 0;
	}
	return 1;
}

struct results *results_read(const char *path)
{
	struct results *results = malloc(sizeof(*results));
	json_error_t error;

	if (!results)
		no_memory();
	results->document = json_load_file(path, 0, &error);
	results->rows = json_object_get(results->document, "rows");
	if (!results->document)
		fprintf(stderr, "%s: line %d: %s\n", path, error.line, error.text);
	else if (json_integer_value(json_object_get(results->document, "format")) != RESULTS_FORMAT)
		fprintf(stderr, "%s is no file of batchmig-bench with format %d\n", path,
			RESULTS_FORMAT);
	else if (!json_is_array(results->rows) || !is_sound(results))
		fprintf(stderr, "%s has rows that are not whole\n", path);
	else
		return results;
	results_free(results);
	return NULL;
}
