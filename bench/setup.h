/* SPDX-License-Identifier: MIT */
/*
 * setup.h - what every command of batchmig-bench is told and finds: options that
 * all of them have, the machine, and the results.
 */
#ifndef BENCH_SETUP_H
#define BENCH_SETUP_H

#include <argp.h>
#include <stddef.h>

#define WRONG_CALL  2  /* status of a command that was called wrongly */
#define SKIPPED     77 /* of one that cannot work here */
#define THREADS_MAX 64
#define LISTED_MAX  16
#define ROUNDS_MAX  1000

struct results;

struct setup {
	/* Told, or 0 and NULL: then setup_begin() takes what the command has for a default. */
	int rounds;
	size_t mb; /* MiB that move */
	int threads[LISTED_MAX];
	int thread_counts;
	const char *movers; /* names with commas between them, see mover.h */
	const char *json, *csv;
	int from, to;     /* -1: the first two nodes that have memory */
	int instructions; /* the clock counts them */

	/* Found. */
	int cpus; /* that this process may use */
	int near, far;
	int two_nodes; /* 0: near and far are the same, pages get other memory of it */
	size_t page_size, huge_size;
	int frames_seen; /* the kernel tells this process the numbers of frames */
	struct results *results;
};

/*
 * The options that all commands have, for struct argp.children. The parser of the
 * command gives its struct setup in ARGP_KEY_INIT: state->child_inputs[0] = setup.
 */
extern const struct argp_child setup_options[];

/* Parses; ends the program with WRONG_CALL when something is not allowed. */
void setup_parse(const struct argp *argp, void *input, int argc, char **argv);

/* Looks at the machine, begins the results; @rounds and @mb, or less where that does not fit, where
 * none were told. */
void setup_begin(struct setup *setup, int rounds, size_t mb);

/* Writes the files that were asked for. Returns the status of the command: without a row SKIPPED. */
int setup_end(struct setup *setup);

/* Bytes that can be had without swapping; 0: not told. */
size_t memory_available(void);

/* A whole number in @min..@max; ends the program, and says what is allowed, when it is none. */
long whole_number(const char *option, const char *text, long min, long max);
/* The same with a list "1,2,4"; returns how many, at most @room. */
int whole_numbers(const char *option, const char *text, const long range[2], long *numbers,
		  int room);

/* Ends the program: "what: why", of errno and of a call of the library. */
void die(const char *what) __attribute__((noreturn));
void library_failed(const char *what, long rc) __attribute__((noreturn));

#endif
