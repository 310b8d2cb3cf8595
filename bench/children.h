/* SPDX-License-Identifier: MIT */
/*
 * children.h - programs that a benchmark starts, and a folder for their files:
 * gone when the benchmark ends, however it ends.
 */
#ifndef BENCH_CHILDREN_H
#define BENCH_CHILDREN_H

#include <stddef.h>

/* From now on SIGHUP, SIGINT and SIGTERM end the program in an orderly way. */
void children_begin(void);
/* Ends what runs, removes the folder; so does exit(3). */
void children_end(void);

/* A new folder; its path. One at a time. */
const char *children_folder(void);

struct child_options {
	const char *const *argv;
	char *const *variables; /* "NAME=VALUE", NULL behind the last; or NULL */
	const char *output;     /* file for both outputs; NULL: a pipe, see child_answer() */
	int node;               /* preferred for its memory; -1: none */
};

struct child;

/* Is there such a program in PATH? */
int child_found(const char *name);
struct child *child_start(const struct child_options *options);
int child_pid(const struct child *child);
/* Ends the program, with the end of its output, when it has ended. */
void child_check(struct child *child);
/*
 * Waits until the child has ended, for at most @seconds, and checks @server, which
 * may be NULL, meanwhile. Ends the program unless the child ended with 0. What it
 * wrote, which the caller frees.
 */
char *child_answer(struct child *child, double seconds, struct child *server);
/* By SIGTERM, and by SIGKILL when that does not help. */
void child_end(struct child *child);

/* Ends the program when a signal said so. */
void children_obey(void);
/* Sleeps for a moment, and ends the program when a signal said so. */
void children_pause(long milliseconds);

#endif
