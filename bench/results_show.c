/* SPDX-License-Identifier: MIT */
/* results_show.c - rows as lines for people. */
#include <stdlib.h>
#include <string.h>

#include "results.h"
#include "setup.h"

#define WIDTH 110

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

/* Four digits, and no powers of ten. */
static void put_number(FILE *file, const json_t *row, const char *before, const char *name)
{
	double value = row_number(row, name);

	fprintf(file, value >= 1000 || value <= -1000 ? "%s%.0f" : "%s%.4g", before, value);
}

static void put_median(FILE *file, const json_t *row)
{
	fputs(text_of(row, "metric"), file);
	put_number(file, row, " ", "median");
	if (*text_of(row, "unit"))
		fprintf(file, " %s", text_of(row, "unit"));
}

static void put_spread(FILE *file, const json_t *row)
{
	put_median(file, row);
	if (json_array_size(json_object_get(row, "rounds")) < 2)
		return;
	put_number(file, row, " (", "quarter");
	put_number(file, row, "-", "three_quarters");
	put_number(file, row, "; ", "min");
	put_number(file, row, "-", "max");
	fputs(json_is_true(json_object_get(row, "steady")) ? ")" : "; MOVED >10 %)", file);
}

/* One metric: of the @first of a line with its spread, and each with its note. */
static char *text_with_note(const json_t *row, int first)
{
	size_t size;
	char *text;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		die("memory for a line");
	if (first)
		put_spread(file, row);
	else
		put_median(file, row);
	if (*text_of(row, "note"))
		fprintf(file, " [%s]", text_of(row, "note"));
	if (fclose(file) != 0)
		die("memory for a line");
	return text;
}

static int go_together(const json_t *one, const json_t *other)
{
	return one && strcmp(text_of(one, "table"), text_of(other, "table")) == 0 &&
	       json_equal(json_object_get(one, "keys"), json_object_get(other, "keys"));
}

/* What does not fit begins a line of its own. */
static void show(const json_t *row, int first, size_t *column)
{
	char *text = text_with_note(row, first);

	if (*column + strlen(text) > WIDTH) {
		fputs(first ? "\n    " : ",\n    ", stdout);
		*column = 4;
	} else {
		*column += (size_t)printf(first ? " " : ", ");
	}
	*column += (size_t)printf("%s", text);
	free(text);
}

void results_show(struct results *results)
{
	const json_t *first = NULL;
	size_t column = 0;

	for (size_t i = results_unshown(results); i < results_count(results); i++) {
		const json_t *row = results_at(results, i);
		int together = go_together(first, row);

		if (!together) {
			char *name = row_name(row);

			column = (size_t)printf("%s%s %s:", first ? "\n" : "",
						text_of(row, "table"), name);
			free(name);
			first = row;
		}
		show(row, !together, &column);
	}
	if (first)
		putchar('\n');
	fflush(stdout);
}
