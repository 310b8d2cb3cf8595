/* SPDX-License-Identifier: MIT */
/*
 * results.h - what was measured, as rows that a person, a spreadsheet, gnuplot and
 * the next run can read.
 *
 * A row belongs to a table. Its *keys* say what was done (unit=4K mover=swap
 * threads=2), in the order in which they were given; its *metric* what was
 * measured, once in each round. Table, keys and metric together name a row: the
 * same in two files are compared.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <jansson.h>
#include <stdio.h>

#define RESULTS_FORMAT 1 /* of the document */

/* NEITHER: tells something about the others, and is not compared. */
enum better { MORE_IS_BETTER, LESS_IS_BETTER, NEITHER };

struct results;

/* Facts of the machine, see machine.h: the results own them. */
struct results *results_new(json_t *machine);
void results_free(struct results *results);

/* One more row, without keys and values yet; the results own it. Texts are copied. */
json_t *results_row(struct results *results, const char *table, const char *metric,
		    const char *unit, enum better better);
void row_key(json_t *row, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* One more row of the same table, with the keys that @like has so far. */
json_t *results_again(struct results *results, const json_t *like, const char *metric,
		      const char *unit, enum better better);
/* Of each round; what they come to is told beside them. At least one. */
void row_values(json_t *row, const double *values, int count);
/* What a reader has to know of it. */
void row_note(json_t *row, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "unit=4K mover=swap threads=2": the caller frees it. */
char *row_name(const json_t *row);
double row_number(const json_t *row, const char *name);

/* The first row that has not been shown; all are then. */
size_t results_unshown(struct results *results);
size_t results_count(const struct results *results);
json_t *results_at(const struct results *results, size_t index);
json_t *results_machine(const struct results *results);

/* 0 or -1, with what went wrong on stderr. A file is there whole or not at all. */
int results_write_json(const struct results *results, const char *path);
/* A line for each row, keys as one column; a field with a comma is quoted (RFC 4180). */
int results_write_csv(const struct results *results, const char *path);
/* NULL, with why on stderr. */
struct results *results_read(const char *path);

/* On standard output, for people: the rows that have not been shown yet. A line for those that
 * follow each other with the same keys: of the first metric with its spread, of the others the
 * median. */
void results_show(struct results *results);

#endif
