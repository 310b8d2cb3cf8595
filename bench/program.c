/* SPDX-License-Identifier: MIT */
/*
 * program.c - what real programs notice while their memory migrates.
 *
 * A redis-server under load, and a loop of an HPC code, each in three phases: before,
 * during (over and over, all the while) and after. In a round all movers take
 * their turn with all three phases, so that what "before" did over the rounds
 * shows the drift. Both check their data: a wrong byte ends the command with status 1.
 */
#include "program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "commands.h"
#include "results.h"

#define ROUNDS      5
#define MB          512
#define SECONDS     2
#define CLIENTS     8
#define SECONDS_MAX 600
#define CLIENTS_MAX 1000

/* -------------------------------------------------------------------- rows */

static const char *const phase_names[PHASES] = {"before", "during", "after"};

static const struct {
	const char *name, *unit;
	enum better better;
} metrics[METRICS] = {
	[METRIC_REQUESTS] = {"requests", "1/s", MORE_IS_BETTER},
	[METRIC_P50] = {"latency_p50", "us", LESS_IS_BETTER},
	[METRIC_P99] = {"latency_p99", "us", LESS_IS_BETTER},
	[METRIC_MAX] = {"latency_max", "us", LESS_IS_BETTER},
	[METRIC_BANDWIDTH] = {"bandwidth", "GB/s", MORE_IS_BETTER},
	[METRIC_MIGRATED] = {"migrated", "GB/s", MORE_IS_BETTER},
	[METRIC_SWAPPED] = {"swapped_share", "", NEITHER},
};

static struct measured *measured_at(const struct program *program, int round, int mover, int phase)
{
	return &program->measured[(round * program->name_count + mover) * PHASES + phase];
}

void measured_put(struct program *program, int round, int mover, enum phase phase,
		  enum metric metric, double value)
{
	struct measured *measured = measured_at(program, round, mover, (int)phase);

	measured->values[metric] = value;
	measured->has |= 1u << metric;
}

/* What a reader must not take for the price of a migration. */
static void add_note(const struct program *program, json_t *row, int mover, int metric)
{
	int idle = 0, rounds = program->setup.rounds;

	for (int i = 0; i < rounds; i++)
		idle += !(measured_at(program, i, mover, PHASE_DURING)->values[METRIC_MIGRATED] >
			  0);
	if (metric == METRIC_MIGRATED && *program->notes[mover])
		row_note(row, "%s", program->notes[mover]);
	else if (idle)
		row_note(row, "nothing migrated in %d of %d rounds", idle, rounds);
}

static void add_row(const struct program *program, const char *name, int mover, int phase,
		    int metric)
{
	double values[ROUNDS_MAX];
	json_t *row;
	int rounds = program->setup.rounds;

	for (int i = 0; i < rounds; i++) {
		const struct measured *measured = measured_at(program, i, mover, phase);

		if (!(measured->has & 1u << metric))
			return;
		values[i] = measured->values[metric];
	}
	row = results_row(program->setup.results, "program", metrics[metric].name,
			  metrics[metric].unit, metrics[metric].better);
	row_key(row, "program", "%s", name);
	row_key(row, "phase", "%s", phase_names[phase]);
	row_key(row, "mover", "%s", program->names[mover]);
	row_values(row, values, rounds);
	if (phase == PHASE_DURING)
		add_note(program, row, mover, metric);
}

static void add_rows(const struct program *program, const char *name)
{
	for (int mover = 0; mover < program->name_count; mover++)
		for (int phase = 0; phase < PHASES; phase++)
			for (int metric = 0; metric < METRICS; metric++)
				add_row(program, name, mover, phase, metric);
	results_show(program->setup.results);
}

/* ------------------------------------------------------------------- parts */

static const struct part {
	const char *name;
	int (*run)(struct program *program);
} parts[] = {{"redis", program_redis}, {"triad", program_triad}};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static int run_part(struct program *program, const struct part *part)
{
	size_t count = (size_t)program->setup.rounds * (size_t)program->name_count * PHASES;
	int measured;

	program->measured = calloc(count, sizeof(*program->measured));
	if (!program->measured)
		die("memory for what is measured");
	memset(program->notes, 0, sizeof(program->notes));
	measured = part->run(program);
	if (measured)
		add_rows(program, part->name);
	free(program->measured);
	program->measured = NULL;
	return measured;
}

const char *program_beside(const char *name, const char *folder)
{
	char self[PATH_MAX], path[2 * PATH_MAX], *slash;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return NULL;
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/%s/%s", self, folder, name);
	return realpath(path, NULL);
}

/* ----------------------------------------------------------------- command */

enum { KEY_SECONDS = 2000, KEY_CLIENTS, KEY_TRIAD, KEY_INSIDE };

static const struct argp_option options[] = {
	{"seconds", KEY_SECONDS, "N", 0, "Of a phase, about (2)", 0},
	{"clients", KEY_CLIENTS, "N", 0, "Of the redis-server, at a time (8)", 0},
	{"triad", KEY_TRIAD, "PROGRAM", 0,
	 "The example triad (../examples/triad beside this program)", 0},
	{"inside", KEY_INSIDE, "FILE", 0,
	 "What the redis-server preloads (batchmig-inside.so, beside this program or as installed)",
	 0},
	{0},
};

/* A word for each part that is wanted. */
static void check_words(const struct argp_state *state)
{
	for (int i = state->next; i < state->argc; i++) {
		size_t k = 0;

		while (k < PARTS && strcmp(state->argv[i], parts[k].name) != 0)
			k++;
		if (k == PARTS)
			argp_error(state, "%s is not allowed: it must be redis or triad",
				   state->argv[i]);
	}
}

static struct {
	char **words;
	int count;
} wanted;

static int is_wanted(const char *name)
{
	for (int i = 0; i < wanted.count; i++)
		if (strcmp(name, wanted.words[i]) == 0)
			return 1;
	return wanted.count == 0;
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct program *program = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &program->setup;
	else if (key == KEY_SECONDS)
		program->seconds = (int)whole_number("--seconds", text, 1, SECONDS_MAX);
	else if (key == KEY_CLIENTS)
		program->clients = (int)whole_number("--clients", text, 1, CLIENTS_MAX);
	else if (key == KEY_TRIAD)
		program->triad = text;
	else if (key == KEY_INSIDE)
		program->inside = text;
	else if (key == ARGP_KEY_ARGS) {
		check_words(state);
		wanted.words = state->argv + state->next;
		wanted.count = state->argc - state->next;
	} else if (key == ARGP_KEY_END && program->setup.instructions)
		argp_error(state, "--instructions is not allowed here: other programs run");
	else if (key == ARGP_KEY_END && program->setup.thread_counts > 1)
		argp_error(state, "--threads is one number here: the threads of triad");
	else if (key != ARGP_KEY_END)
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {
	.options = options,
	.parser = take_option,
	.args_doc = "[redis|triad]...",
	.doc = "What real programs notice before, during and after their memory migrates: a "
	       "redis-server of its own under load, and the loop triad.\v"
	       "The server's memory migrates from inside of it by batchmig-inside.so, which it "
	       "preloads; with the mover move_pages from outside.",
	.children = setup_options,
};

int command_program(int argc, char **argv)
{
	static struct program program = {.seconds = SECONDS, .clients = CLIENTS};
	struct setup *setup = &program.setup;
	int measured = 0, status;

	setup_parse(&parser, &program, argc, argv);
	program.threads = setup->thread_counts ? setup->threads[0] : 0;
	setup_begin(setup, ROUNDS, MB);
	program.name_count = movers_list(setup, program.names);
	children_begin();
	for (size_t i = 0; i < PARTS; i++)
		if (is_wanted(parts[i].name))
			measured += run_part(&program, &parts[i]);
	children_end();
	status = setup_end(setup);
	return status || measured ? status : SKIPPED;
}
