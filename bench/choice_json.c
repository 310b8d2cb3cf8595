/* SPDX-License-Identifier: MIT */
/* choice_json.c - the same numbers as the tables, and each round, as JSON. */
#include "choice.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

static json_t *setup_json(const struct choice *choice)
{
	const struct setup *setup = &choice->setup;
	struct utsname name;

	if (uname(&name) < 0)
		die("uname");
	return json_pack("{s:s, s:s, s:s, s:i, s:b, s:i, s:i, s:i}", "library", bm_version(),
			 "kernel", name.release, "machine", name.machine, "cpus", setup->cpus,
			 "two_nodes", setup->two_nodes, "mib", (int)setup->mb, "rounds",
			 setup->rounds, "final_rounds", choice->finals);
}

static json_t *part_json(const struct runner *runner, enum part part, int rounds)
{
	const struct spread *spread = &runner->spread[part];
	json_t *array = json_array();

	for (int i = 0; i < rounds; i++)
		json_array_append_new(array, json_real(runner->ns[part][i] / 1000));
	return json_pack("{s:f, s:f, s:f, s:o}", "median_us", spread->median / 1000, "min_us",
			 spread->min / 1000, "max_us", spread->max / 1000, "rounds_us", array);
}

static json_t *runner_json(const struct choice *choice, const struct runner *runner)
{
	json_t *object =
		json_pack("{s:s, s:I, s:f, s:o}", "setting", runner->setting->name, "threads_used",
			  (json_int_t)runner->threads, "left_share", runner_left(runner), "field",
			  part_json(runner, FIELD, choice->setup.rounds));

	if (choice->finals && runner->spread[FINAL].median > 0)
		json_object_set_new(object, "final", part_json(runner, FINAL, choice->finals));
	return object;
}

static json_t *verdict_json(const struct choice *choice, const struct verdict *verdict)
{
	json_t *object, *array = json_array();

	for (int i = 0; i < verdict->count; i++)
		json_array_append_new(array, runner_json(choice, &verdict->runners[i]));
	object = json_pack("{s:s, s:I, s:s, s:f, s:f, s:o}", "scene", verdict->name, "entries",
			   (json_int_t)verdict->entries, "best_fixed", verdict->best->setting->name,
			   "ratio", verdict_ratio(verdict, verdict->chosen), "ratio_again",
			   verdict_ratio(verdict, verdict->twin), "settings", array);
	if (verdict->estimate_ns > 0)
		json_object_set_new(object, "estimate_us", json_real(verdict->estimate_ns / 1000));
	return object;
}

void choice_json_write(const struct choice *choice, const struct verdict *verdicts, int count)
{
	json_t *document, *array = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, verdict_json(choice, &verdicts[i]));
	document = json_pack("{s:o, s:o}", "setup", setup_json(choice), "scenes", array);
	if (!document)
		die("JSON");
	if (json_dump_file(document, choice->json, JSON_COMPACT) < 0) {
		fprintf(stderr, "%s could not be written\n", choice->json);
		exit(1);
	}
	json_decref(document);
}
