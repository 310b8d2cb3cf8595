/* SPDX-License-Identifier: MIT */
/* program_triad.c - the example triad, a loop of an HPC code, as a child. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "program.h"

#define TEXTS 8

static const char *const phases[PHASES] = {"before", "during", "after"};

/* It also makes and checks its arrays, and in an emulated machine all of that is slow. */
static double limit_seconds(const struct program *program)
{
	return 120 + 4.0 * PHASES * program->seconds + (double)program->setup.mb / 4;
}

static void take_line(struct program *program, const char *line, int round, int mover)
{
	double loop, moved, share;
	char phase[16];

	if (sscanf(line, "phase=%15s gb_per_s=%lf migrated_gb_per_s=%lf swapped_share=%lf", phase,
		   &loop, &moved, &share) != 4)
		return;
	for (int i = 0; i < PHASES; i++) {
		if (strcmp(phase, phases[i]) != 0)
			continue;
		measured_put(program, round, mover, (enum phase)i, METRIC_BANDWIDTH, loop);
		if (i != PHASE_DURING)
			continue;
		measured_put(program, round, mover, PHASE_DURING, METRIC_MIGRATED, moved);
		measured_put(program, round, mover, PHASE_DURING, METRIC_SWAPPED, share);
	}
}

static void take_lines(struct program *program, char *text, int round, int mover)
{
	char *rest = NULL;
	int count = 0;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		take_line(program, line, round, mover);
		count += strncmp(line, "phase=", 6) == 0;
	}
	if (count == PHASES)
		return;
	fprintf(stderr, "%s told of %d phases, not of %d\n", program->triad, count, PHASES);
	exit(1);
}

static void run_once(struct program *program, int round, int mover)
{
	const struct setup *setup = &program->setup;
	char texts[TEXTS][24];
	const char *argv[] = {
		program->triad,
		"--lines",
		"--mib",
		texts[0],
		"--seconds",
		texts[1],
		"--from",
		texts[2],
		"--to",
		texts[3],
		"--mover",
		program->names[mover],
		program->threads ? "--threads" : NULL,
		texts[4],
		NULL,
	};
	const struct child_options options = {.argv = argv, .node = -1};
	char *text;

	snprintf(texts[0], sizeof(texts[0]), "%zu", setup->mb);
	snprintf(texts[1], sizeof(texts[1]), "%d", program->seconds);
	snprintf(texts[2], sizeof(texts[2]), "%d", setup->near);
	snprintf(texts[3], sizeof(texts[3]), "%d", setup->far);
	snprintf(texts[4], sizeof(texts[4]), "%d", program->threads);
	text = child_answer(child_start(&options), limit_seconds(program), NULL);
	take_lines(program, text, round, mover);
	free(text);
}

int program_triad(struct program *program)
{
	if (!program->triad)
		program->triad = program_beside("triad", "../examples");
	if (!program->triad || access(program->triad, X_OK) != 0) {
		fprintf(stderr,
			"triad is left out: %s is no program; --triad names the example of the "
			"sources\n",
			program->triad ? program->triad : "../examples/triad beside this one");
		return 0;
	}
	for (int round = 0; round < program->setup.rounds; round++)
		for (int i = 0; i < program->name_count; i++)
			run_once(program, round, (round + i) % program->name_count);
	return 1;
}
