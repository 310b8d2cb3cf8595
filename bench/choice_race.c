/* SPDX-License-Identifier: MIT */
/*
 * choice_race.c - the rounds of a scene, and which fixed setting is the fastest.
 *
 * The smallest of twenty medians is one that had luck. Therefore the fastest
 * fixed settings of the field, auto and its twin run once more, in rounds of
 * their own, and only the times of these are compared.
 */
#include "choice.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESTIMATES 3

static struct spread spread_of_copy(const double *values, int count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, (size_t)count * sizeof(sorted[0]));
	return spread_of(sorted, count);
}

int part_rounds(const struct choice *choice, enum part part)
{
	return part == FIELD ? choice->setup.rounds : choice->finals;
}

double runner_left(const struct runner *runner)
{
	return runner->entries ? (double)runner->left / (double)runner->entries : 0;
}

/* Of each round by itself: what slows all of a round down is no matter. */
double verdict_ratio(const struct choice *choice, const struct verdict *verdict,
		     const struct runner *runner, double *ratios)
{
	int rounds = part_rounds(choice, verdict->part);

	for (int i = 0; i < rounds; i++)
		ratios[i] = runner->ns[verdict->part][i] / verdict->best->ns[verdict->part][i];
	return spread_of_copy(ratios, rounds).median;
}

/* Nobody shall always come after the same one. */
static void shuffle(struct runner **runners, int count, uint64_t *random)
{
	for (int i = count; i > 1; i--) {
		struct runner *kept = runners[i - 1];
		int other = (int)random_below(random, (unsigned int)i);

		runners[i - 1] = runners[other];
		runners[other] = kept;
	}
}

static void rounds(struct scene *scene, struct runner **runners, int count, enum part part)
{
	uint64_t random = UINT64_C(88172645463325252);
	int all = part_rounds(scene->choice, part);
	char name[TITLE_MAX];

	scene_name(scene->shape, scene->cold, name, sizeof(name));
	for (int round = 0; round < all; round++) {
		shuffle(runners, count, &random);
		for (int i = 0; i < count; i++) {
			struct runner *runner = runners[i];

			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\r%s: %s, round %d of %d, %d of %d \033[K", name,
					part == FIELD ? "field" : "final", round + 1, all, i + 1,
					count);
			runner->ns[part][round] = runner_turn(runner, scene);
		}
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	for (int i = 0; i < count && all; i++)
		runners[i]->spread[part] = spread_of_copy(runners[i]->ns[part], all);
}

static int faster(const void *a, const void *b)
{
	const struct runner *x = *(struct runner *const *)a, *y = *(struct runner *const *)b;
	double mine = x->spread[FIELD].median, other = y->spread[FIELD].median;

	return (mine > other) - (mine < other);
}

/* Into @some: auto, its twin, and the fastest fixed ones that did the work. */
static int select_finalists(struct runner **order, int count, struct runner **some)
{
	int selected = 0, fixed = 0;

	qsort(order, (size_t)count, sizeof(order[0]), faster);
	for (int i = 0; i < count; i++) {
		struct runner *runner = order[i];

		if (runner->setting->kind == FIXED &&
		    (fixed == FINALISTS || runner_left(runner) > LEFT_ALLOWED))
			continue;
		fixed += runner->setting->kind == FIXED;
		some[selected++] = runner;
	}
	return selected;
}

static void judge(struct verdict *verdict, struct runner **runners, int count)
{
	for (int i = 0; i < count; i++) {
		const struct runner *runner = runners[i];
		double median = runner->spread[verdict->part].median;

		if (runner->setting->kind == AUTO)
			verdict->chosen = runner;
		else if (runner->setting->kind == TWIN)
			verdict->twin = runner;
		else if (!verdict->best || median < verdict->best->spread[verdict->part].median)
			verdict->best = runner;
	}
	if (!verdict->best) {
		fprintf(stderr, "%s: no fixed setting moved the pages\n", verdict->name);
		exit(1);
	}
}

static double estimate(struct scene *scene, struct runner *runner)
{
	double values[ESTIMATES];

	for (int i = 0; i < ESTIMATES; i++) {
		scene->estimate = &values[i];
		runner_turn(runner, scene);
	}
	return spread_of(values, ESTIMATES).median;
}

static struct runner *runners_new(const struct setting *settings, int count, struct runner **order)
{
	struct runner *runners = calloc((size_t)count, sizeof(*runners));

	if (!runners)
		die("memory for the times");
	for (int i = 0; i < count; i++) {
		runners[i].setting = &settings[i];
		runners[i].context = setting_open(&settings[i]);
		order[i] = &runners[i];
	}
	return runners;
}

void race(struct scene *scene, const struct setting *settings, int count, struct verdict *verdict)
{
	struct runner *order[RUNNERS_MAX], *finalists[RUNNERS_MAX];
	int finalist_count;

	scene_name(scene->shape, scene->cold, verdict->name, sizeof(verdict->name));
	verdict->count = count;
	verdict->runners = runners_new(settings, count, order);
	verdict->part = scene->choice->finals ? FINAL : FIELD;
	rounds(scene, order, count, FIELD);
	finalist_count = select_finalists(order, count, finalists);
	rounds(scene, finalists, finalist_count, FINAL);
	judge(verdict, finalists, finalist_count);
	verdict->estimate_ns =
		estimate(scene, &verdict->runners[verdict->chosen - verdict->runners]);
	for (int i = 0; i < count; i++)
		bm_context_free(verdict->runners[i].context);
	bm_quiesce();
}
