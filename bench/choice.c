/* SPDX-License-Identifier: MIT */
/*
 * choice.c - is what the library chooses by itself ever much slower than the
 * best that can be set?
 *
 * In each scene a context in which nothing is set but the quiet promise takes
 * turns with contexts that have fixed settings: threads, chunk_kb, pool_mb,
 * copy_loop and mover, one of them at a time, threads and chunk_kb together.
 * With two nodes pages go to the other one and back, with one they get other
 * memory of it (BM_REPLACE). The variables BATCHMIG_... hold for all of them.
 */
#include "choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "refuse.h"
#include "results.h"

#define ROUNDS      7
#define FINALS      15
#define MIB         64
#define MIB_LEAST   4 /* a batch of 1024 pages */
#define PERCENT_MAX 10000

static int chosen(const struct choice *choice, const char *name)
{
	for (int i = 0; i < choice->word_count; i++)
		if (strstr(name, choice->words[i]))
			return 1;
	return choice->word_count == 0;
}

static int can_be_had(const struct choice *choice, const struct shape *shape)
{
	return shape->frames != FRAMES_HUGE || choice->setup.huge_size;
}

static void check_words(const struct choice *choice, struct argp_state *state)
{
	char name[TITLE_MAX];

	for (int i = 0; i < 2 * shape_count; i++)
		if (chosen(choice, scene_name(&shapes[i / 2], i % 2, name, sizeof(name))))
			return;
	argp_error(state, "%s is not allowed: no scene has it in its name; --help lists them",
		   choice->words[0]);
}

static int run_scenes(const struct choice *choice, const struct setting *settings,
		      int setting_count, struct verdict *verdicts)
{
	char name[TITLE_MAX];
	struct scene scene;
	int count = 0;

	for (int i = 0; i < 2 * shape_count; i++) {
		const struct shape *shape = &shapes[i / 2];

		if (!chosen(choice, scene_name(shape, i % 2, name, sizeof(name))) ||
		    !can_be_had(choice, shape))
			continue;
		scene_open(&scene, choice, shape, i % 2);
		race(&scene, settings, setting_count, &verdicts[count]);
		scene_close(&scene);
		verdict_rows(choice, &verdicts[count]);
		if (choice->all)
			results_show(choice->setup.results);
		else
			results_unshown(choice->setup.results);
		count++;
	}
	return count;
}

/* Is auto too slow somewhere? Not moving the pages is no way to be fast. */
static int check(const struct choice *choice, const struct verdict *verdicts, int count)
{
	double ratios[ROUNDS_MAX];
	int bad = 0;

	for (int i = 0; choice->check >= 0 && i < count; i++) {
		double ratio = verdict_ratio(choice, &verdicts[i], verdicts[i].chosen, ratios);

		if (ratio <= 1 + choice->check / 100.0 &&
		    runner_left(verdicts[i].chosen) <= LEFT_ALLOWED)
			continue;
		fprintf(stderr,
			"%s: ratio %.3f, %.0f %% of the pages left; allowed are %.2f and "
			"%.0f %%\n",
			verdicts[i].name, ratio, 100 * runner_left(verdicts[i].chosen),
			1 + choice->check / 100.0, 100 * LEFT_ALLOWED);
		bad = 1;
	}
	return bad;
}

enum { KEY_FINAL = 256, KEY_CHECK, KEY_ALL };

static const struct argp_option options[] = {
	{"final", KEY_FINAL, "N", 0,
	 "Rounds of auto and the fastest settings, which decide (15; 0..1000)", 0},
	{"check", KEY_CHECK, "PERCENT", 0,
	 "Status 1 when auto takes so much longer in a scene, or leaves pages (0..10000)", 0},
	{"all", KEY_ALL, NULL, 0, "Shows all settings of each scene, too", 0},
	{0},
};

static void check_options(struct argp_state *state, const struct choice *choice)
{
	refuse(state, &choice->setup, NO_THREADS | NO_MOVER | NO_INSTRUCTIONS);
	if (choice->setup.mb && choice->setup.mb < MIB_LEAST)
		argp_error(state, "--mb %zu is not allowed here: it must be at least %d",
			   choice->setup.mb, MIB_LEAST);
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct choice *choice = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &choice->setup;
	else if (key == KEY_FINAL)
		choice->finals = (int)whole_number("--final", text, 0, ROUNDS_MAX);
	else if (key == KEY_CHECK)
		choice->check = (int)whole_number("--check", text, 0, PERCENT_MAX);
	else if (key == KEY_ALL)
		choice->all = 1;
	else if (key == ARGP_KEY_ARGS) {
		choice->words = state->argv + state->next;
		choice->word_count = state->argc - state->next;
		check_words(choice, state);
	} else if (key == ARGP_KEY_END)
		check_options(state, choice);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

/* The scenes are told behind the options; argp frees what it is given. */
static char *list_scenes(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *file;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	file = open_memstream(&list, &size);
	if (!file)
		die("memory for the help");
	fprintf(file, "A WORD chooses the scenes that have it in their name, as in base or cold. "
		      "Warm: the pool is full of what moved before; cold: it is empty.\n");
	for (int i = 0; i < shape_count; i++)
		fprintf(file, "  %s, warm; %s, cold: %s\n", shapes[i].name, shapes[i].name,
			shapes[i].what);
	fclose(file);
	return list;
}

static const struct argp argp = {
	.options = options,
	.parser = take_option,
	.args_doc = "[WORD...]",
	.doc = "Is what the library chooses by itself ever much slower than the best that can "
	       "be set?",
	.children = setup_options,
	.help_filter = list_scenes,
};

int command_choice(int argc, char **argv)
{
	static struct choice choice = {.finals = FINALS, .check = -1};
	static struct setting settings[RUNNERS_MAX];
	static struct verdict verdicts[SCENES_MAX];
	const char *names[MOVERS_MAX];
	int count, bad;

	setup_parse(&argp, &choice, argc, argv);
	choice.setup.movers = "swap/cpu";
	setup_begin(&choice.setup, ROUNDS, MIB);
	movers_list(&choice.setup, names);
	count = settings_list(&choice, settings);
	count = run_scenes(&choice, settings, count, verdicts);
	if (!count) {
		fprintf(stderr, "there are no huge pages here\n");
		return SKIPPED;
	}
	table_print(&choice, verdicts, count);
	bad = check(&choice, verdicts, count);
	for (int i = 0; i < count; i++)
		free(verdicts[i].runners);
	return setup_end(&choice.setup) || bad;
}
