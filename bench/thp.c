/* SPDX-License-Identifier: MIT */
/*
 * thp.c - whether huge pages are still huge when they have moved, and what that means.
 *
 * Table "thp": of each mover the share of a range that was huge before and after, and
 * what an access to it costs before and after. Each turn has memory of its own: what
 * one mover splits is not handed to the next. With two nodes memory comes back, so that
 * only its pages are others, not its distance. Beside them base pages that do not move:
 * what accesses would cost without huge pages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chase.h"
#include "commands.h"
#include "contest.h"
#include "kernel_calls.h"
#include "results.h"

#define ROUNDS              5
#define INSTRUCTIONS_ROUNDS 3
#define MB                  256
#define CANDIDATES_MAX      (MOVERS_MAX + 4)

enum metric { HUGE_BEFORE, HUGE_AFTER, ACCESS_BEFORE, ACCESS_AFTER, SPEED, METRICS };

struct candidate {
	const char *name;
	enum frames frames;
	double (*run)(struct entrant *entrant); /* NULL: it does not move */
	struct mover *mover;
	double *values[METRICS]; /* of each round */
};

struct thp {
	struct setup setup;
	size_t bytes;
	struct chase chase;
	struct mover movers[MOVERS_MAX];
	struct candidate list[CANDIDATES_MAX];
	int count;
};

/* ------------------------------------------------------------- who competes */

static struct candidate *add(struct thp *thp, const char *name, enum frames frames,
			     double (*run)(struct entrant *entrant))
{
	struct candidate *candidate = &thp->list[thp->count++];

	*candidate = (struct candidate){.name = name, .frames = frames, .run = run};
	for (int i = 0; i < METRICS; i++) {
		candidate->values[i] = calloc((size_t)thp->setup.rounds, sizeof(double));
		if (!candidate->values[i])
			die("memory for the rounds");
	}
	return candidate;
}

/* migrate_pages(2) moves another process, into which nobody here can look. */
static void add_all(struct thp *thp)
{
	const struct setup *setup = &thp->setup;
	const char *names[MOVERS_MAX];
	int count = movers_list(setup, names);

	for (int i = 0; i < count; i++) {
		const struct mover_options options = {.name = names[i],
						      .threads = setup->threads[0],
						      .pool_mb = pool_mb_of(setup)};

		mover_open(&thp->movers[i], &options);
		add(thp, names[i], FRAMES_HUGE, run_mover)->mover = &thp->movers[i];
	}
	if (setup->two_nodes) {
		add(thp, "plain move_pages", FRAMES_HUGE, run_move_pages);
		add(thp, "plain mbind", FRAMES_HUGE, run_mbind);
	}
	/* For the time of accesses alone. */
	if (setup->instructions)
		return;
	add(thp, "base pages", FRAMES_IN_ORDER, NULL);
	add(thp, "scattered base pages", FRAMES_SCATTERED, NULL);
}

static void remove_all(struct thp *thp)
{
	for (int i = 0; i < thp->count; i++) {
		if (thp->list[i].mover)
			mover_close(thp->list[i].mover);
		for (int k = 0; k < METRICS; k++)
			free(thp->list[i].values[k]);
	}
}

/* ------------------------------------------------------------------- rounds */

static void look(const struct thp *thp, const struct stage *stage, double *huge, double *access)
{
	*huge = region_huge_share(&stage->live);
	if (!thp->setup.instructions)
		*access = chase_ns(&thp->chase, &stage->live);
}

static void turn(const struct thp *thp, const struct candidate *candidate, int round)
{
	double *const *values = candidate->values, ns;
	struct entrant entrant = {.mover = candidate->mover};
	struct stage stage;

	stage_open(&stage, &thp->setup, candidate->frames, thp->bytes);
	stage.threads = thp->setup.threads[0];
	entrant.stage = &stage;
	look(thp, &stage, &values[HUGE_BEFORE][round], &values[ACCESS_BEFORE][round]);
	if (candidate->run) {
		ns = candidate->run(&entrant);
		look(thp, &stage, &values[HUGE_AFTER][round], &values[ACCESS_AFTER][round]);
		values[SPEED][round] = thp->setup.instructions
					       ? ns / ((double)stage_bytes(&stage) / 4096)
					       : (double)stage_bytes(&stage) / ns;
		region_check(&stage.live, candidate->name);
	}
	stage_close(&stage);
}

static void run_rounds(const struct thp *thp)
{
	for (int i = 0; i < thp->count; i++) {
		turn(thp, &thp->list[i], 0);
		if (thp->list[i].mover)
			mover_reset(thp->list[i].mover);
	}
	for (int round = 0; round < thp->setup.rounds; round++)
		for (int i = 0; i < thp->count; i++)
			turn(thp, &thp->list[(i + round) % thp->count], round);
}

/* --------------------------------------------------------------------- rows */

static void add_swapped(const struct setup *setup, const struct candidate *candidate,
			const json_t *like)
{
	double share = mover_swapped_share(candidate->mover, 1);

	row_values(results_again(setup->results, like, "swapped_share", "", NEITHER), &share, 1);
}

static void report(const struct setup *setup, const struct candidate *candidate)
{
	static const struct {
		const char *name, *unit;
		enum better better;
		int is_time;
	} metrics[METRICS] = {
		[HUGE_BEFORE] = {"huge_before", "share", NEITHER, 0},
		[HUGE_AFTER] = {"huge_after", "share", MORE_IS_BETTER, 0},
		[ACCESS_BEFORE] = {"access_before", "ns", NEITHER, 1},
		[ACCESS_AFTER] = {"access_after", "ns", LESS_IS_BETTER, 1},
		[SPEED] = {"throughput", "GB/s", MORE_IS_BETTER, 1},
	};
	json_t *first = NULL, *row;

	for (int i = 0; i < METRICS; i++) {
		if ((setup->instructions && metrics[i].is_time) ||
		    (!candidate->run && i != HUGE_BEFORE && i != ACCESS_BEFORE))
			continue;
		row = results_row(setup->results, "thp", metrics[i].name, metrics[i].unit,
				  metrics[i].better);
		row_key(row, "mover", "%s", candidate->name);
		row_values(row, candidate->values[i], setup->rounds);
		first = first ? first : row;
	}
	if (candidate->run && setup->instructions)
		row_values(results_again(setup->results, first, "instructions",
					 "instructions/4 KiB", LESS_IS_BETTER),
			   candidate->values[SPEED], setup->rounds);
	if (candidate->mover)
		add_swapped(setup, candidate, first);
	if (!candidate->run)
		row_note(first, "does not move: what accesses cost without huge pages");
}

/* ------------------------------------------------------------------ command */

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct thp *thp = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &thp->setup;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "%s is not allowed: thp takes options only", text);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {
	.parser = take_option,
	.doc = "How much of a range of huge pages is huge before and after it has moved, and what "
	       "an "
	       "access costs before and after.\v"
	       "Accesses depend on each other, and are to one line of each page in random order. "
	       "Base pages beside them do not move. Of --threads the first number counts.",
	.children = setup_options,
};

static int has_huge_pages(const struct thp *thp)
{
	const struct setup *setup = &thp->setup;
	struct region region;
	double share;

	if (thp->bytes == 0) {
		fprintf(stderr, "there are no huge pages here, or --mb is less than one\n");
		return 0;
	}
	region_new(&region, setup, FRAMES_HUGE, thp->bytes, setup->near);
	share = region_huge_share(&region);
	region_free(&region);
	if (share > 0)
		return 1;
	fprintf(stderr, "the kernel gives no huge pages, or does not tell: see "
			"/sys/kernel/mm/transparent_hugepage/enabled\n");
	return 0;
}

int command_thp(int argc, char **argv)
{
	static struct thp thp;
	struct setup *setup = &thp.setup;

	setup_parse(&parser, &thp, argc, argv);
	setup_begin(setup, setup->instructions ? INSTRUCTIONS_ROUNDS : ROUNDS, MB);
	if (setup->huge_size)
		thp.bytes = (setup->mb << 20) / setup->huge_size * setup->huge_size;
	if (!has_huge_pages(&thp))
		return SKIPPED;
	add_all(&thp);
	chase_new(&thp.chase, setup, thp.bytes);
	run_rounds(&thp);
	for (int i = 0; i < thp.count; i++)
		report(setup, &thp.list[i]);
	chase_free(&thp.chase);
	remove_all(&thp);
	return setup_end(setup);
}
