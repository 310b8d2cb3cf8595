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
 * Ends with 0, with 1 when something failed, a byte was wrong or --check found
 * what it looks for, with 2 when called wrongly, with 77 when swap cannot be
 * used here.
 */
#include "choice.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS      7
#define FINALS      15
#define MIB         64
#define MIB_LEAST   4 /* a batch of 1024 pages */
#define MIB_MOST    524288
#define PERCENT_MAX 10000

static void usage(FILE *file)
{
	fprintf(file,
		"usage: choice [OPTION...] [WORD...]\n"
		"  --rounds N       in each of which all settings take their turn (%d; 1..%d)\n"
		"  --final N        rounds of auto and the %d fastest, which decide (%d; 0..%d)\n"
		"  --mib N          of base pages; of huge pages twice as much (%d; %d..%d)\n"
		"  --check PERCENT  status 1 when auto takes so much longer in a scene (0..%d)\n"
		"  --all            the times of all settings, too\n"
		"  --json FILE      the same numbers and those of each round\n"
		"Scenes; a WORD chooses those that have it in their name, as in base or cold:\n",
		ROUNDS, ROUNDS_MAX, FINALISTS, FINALS, ROUNDS_MAX, MIB, MIB_LEAST, MIB_MOST,
		PERCENT_MAX);
	for (int i = 0; i < shape_count; i++)
		fprintf(file, "  %s, warm; %s, cold: %s\n", shapes[i].name, shapes[i].name,
			shapes[i].what);
	fprintf(file, "warm: the pool is full of what moved before; cold: it is empty\n");
}

static void take_option(struct choice *choice, int option, const char *text)
{
	if (option == 'r')
		choice->setup.rounds = (int)whole_number("--rounds", text, 1, ROUNDS_MAX);
	else if (option == 'f')
		choice->finals = (int)whole_number("--final", text, 0, ROUNDS_MAX);
	else if (option == 'm')
		choice->setup.mb = (size_t)whole_number("--mib", text, MIB_LEAST, MIB_MOST);
	else if (option == 'c')
		choice->check = (int)whole_number("--check", text, 0, PERCENT_MAX);
	else if (option == 'a')
		choice->verbose = 1;
	else if (option == 'j')
		choice->json = text;
	else
		usage(option == 'h' ? stdout : stderr), exit(option == 'h' ? 0 : WRONG_CALL);
}

static void parse(struct choice *choice, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'}, {"final", required_argument, NULL, 'f'},
		{"mib", required_argument, NULL, 'm'},    {"check", required_argument, NULL, 'c'},
		{"all", no_argument, NULL, 'a'},          {"json", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(choice, option, optarg);
	choice->setup.words = argv + optind;
	choice->setup.word_count = argc - optind;
}

static int chosen(const struct choice *choice, const char *name)
{
	for (int i = 0; i < choice->setup.word_count; i++)
		if (strstr(name, choice->setup.words[i]))
			return 1;
	return choice->setup.word_count == 0;
}

static int can_be_had(const struct choice *choice, const struct shape *shape)
{
	return shape->frames != FRAMES_HUGE || choice->setup.huge_size;
}

static void check_words(const struct choice *choice)
{
	char name[TITLE_MAX];

	for (int i = 0; i < 2 * shape_count; i++)
		if (chosen(choice, scene_name(&shapes[i / 2], i % 2, name, sizeof(name))))
			return;
	fprintf(stderr, "%s is not allowed: no scene has it in its name\n", choice->setup.words[0]);
	usage(stderr);
	exit(WRONG_CALL);
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
		if (choice->verbose)
			table_scene(choice, &verdicts[count]);
		count++;
	}
	return count;
}

/* Is auto too slow somewhere? Not moving the pages is no way to be fast. */
static int check(const struct choice *choice, const struct verdict *verdicts, int count)
{
	int bad = 0;

	for (int i = 0; choice->check >= 0 && i < count; i++) {
		double ratio = verdict_ratio(&verdicts[i], verdicts[i].chosen);

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

int main(int argc, char **argv)
{
	static struct choice choice = {.setup = {.rounds = ROUNDS, .mb = MIB, .mover = "swap"},
				       .finals = FINALS,
				       .check = -1};
	static struct setting settings[RUNNERS_MAX];
	static struct verdict verdicts[SCENES_MAX];
	int count, status;

	parse(&choice, argc, argv);
	check_words(&choice);
	look_around(&choice.setup);
	count = settings_list(&choice, settings);
	count = run_scenes(&choice, settings, count, verdicts);
	if (!count) {
		fprintf(stderr, "there are no huge pages here\n");
		return SKIPPED;
	}
	table_print(&choice, verdicts, count);
	if (choice.json)
		choice_json_write(&choice, verdicts, count);
	status = check(&choice, verdicts, count);
	for (int i = 0; i < count; i++)
		free(verdicts[i].runners);
	return status;
}
