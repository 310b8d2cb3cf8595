/* SPDX-License-Identifier: MIT */
/* stall_json.c - the same numbers as the tables, each round, and the distributions, as JSON. */
#include "stall.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

static json_t *setup_json(const struct stall *stall)
{
	const struct setup *setup = &stall->setup;
	struct utsname name;

	if (uname(&name) < 0)
		die("uname");
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:b}",
			 "library", bm_version(), "mover", setup->mover, "kernel", name.release,
			 "machine", name.machine, "cpus", setup->cpus, "two_nodes",
			 setup->two_nodes, "mib", (int)setup->mb, "rounds", setup->rounds,
			 "seconds", stall->seconds, "warmup", stall->warmup, "threads",
			 stall->threads, "library_threads", stall->library_threads, "threshold_us",
			 (double)stall->slow_ns / 1000, "run_delay_told", stall->delay_told);
}

static json_t *metric_json(const struct stall *stall, const struct trial *trial, int metric)
{
	struct spread spread = trial_spread(stall, trial, metric);
	json_t *rounds = json_array();

	for (int i = 0; i < stall->setup.rounds; i++)
		json_array_append_new(rounds, json_real(trial->values[metric][i]));
	return json_pack("{s:f, s:f, s:f, s:o}", "median", spread.median, "min", spread.min, "max",
			 spread.max, "rounds", rounds);
}

/* From where to the next one, in microseconds, so many accesses. */
static json_t *histogram_json(const struct histogram *histogram)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->counts[i])
			json_array_append_new(array,
					      json_pack("[f, I]", (double)histogram_start(i) / 1000,
							(json_int_t)histogram->counts[i]));
	return array;
}

static json_t *trial_json(const struct stall *stall, const struct trial *trial)
{
	json_t *object =
		json_pack("{s:s, s:b, s:I}", "pages", trial->huge ? "huge" : "base", "migrates",
			  trial->moves, "max_stall_us", (json_int_t)trial->bound_us);

	if (!object)
		die("a result as JSON");
	for (int i = 0; i < METRICS; i++)
		if (trial->moves || !metric_names[i].of_library)
			json_object_set_new(object, metric_names[i].key,
					    metric_json(stall, trial, i));
	json_object_set_new(object, "accesses_us", histogram_json(trial->net));
	json_object_set_new(object, "with_scheduler_accesses_us", histogram_json(trial->raw));
	return object;
}

void json_write(const struct stall *stall, const struct trial *trials, int count)
{
	json_t *document, *array = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, trial_json(stall, &trials[i]));
	document = json_pack("{s:o, s:o}", "setup", setup_json(stall), "trials", array);
	if (!document)
		die("JSON");
	if (json_dump_file(document, stall->json, JSON_COMPACT) < 0) {
		fprintf(stderr, "%s could not be written\n", stall->json);
		exit(1);
	}
	json_decref(document);
}
