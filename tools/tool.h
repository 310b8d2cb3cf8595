/* SPDX-License-Identifier: MIT */
/* tool.h - what the parts of the program share. */
#ifndef TOOL_H
#define TOOL_H

#include <batchmig.h>
#include <jansson.h>
#include <stdio.h>

#define MIB 1048576.0

/* Exit statuses, as in batchmig(1). */
enum {
	EXIT_ALL = 0,    /* done; of migrate: every page is on its node */
	EXIT_FAILED = 1, /* could not be done */
	EXIT_USAGE = 2,  /* bad arguments */
	EXIT_SOME = 3,   /* migrate: some pages are not on their node */
	EXIT_NONE = 4,   /* migrate: no page is on its node */
};

#define ANY_NODE       (-1)
#define SELECTIONS_MAX 16

enum selection_kind { SELECT_HEAP, SELECT_ANON, SELECT_RANGE };

struct selection {
	enum selection_kind kind;
	uint64_t start, end; /* page-aligned; 0, 0 for whole mappings */
};

struct arguments {
	const char *command;
	pid_t pid;
	int from, to;
	int has_from, has_to;
	int json, quiet, dry_run, all, options;
	struct selection selections[SELECTIONS_MAX];
	size_t selection_count;
	/* As in struct bm_options: unset, the environment decides. */
	int64_t max_stall_us, max_bytes_per_s;
	const char *bound;
	const char *output; /* of tune; NULL: the usual file */
};

/* Fills the arguments of a command; ends the program with one line and EXIT_USAGE. */
void arguments_parse(struct arguments *arguments, int argc, char **argv);

/* Prints one line on standard error, whatever the values hold. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
/* The same, and ends the program with EXIT_USAGE. */
__attribute__((noreturn, format(printf, 1, 2))) void usage_error(const char *format, ...);
/* Says why the library or the kernel refused, and what helps; returns EXIT_FAILED. */
int report_error(const struct arguments *arguments, long error);
/* Prints the object on standard output and gives it up; 0 or EXIT_FAILED. */
int print_json(json_t *object);
/* Sees that the output arrived: status, or EXIT_FAILED with one line. */
int close_output(int status);

int run_info(const struct arguments *arguments);
int run_query(const struct arguments *arguments);
int run_migrate(const struct arguments *arguments);
int run_tune(const struct arguments *arguments);

#endif
