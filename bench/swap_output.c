/* SPDX-License-Identifier: MIT */
/* swap_output.c - a table for people as the results come, or one JSON document at the end. */
#include "swap.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static json_t *results;

/* What is behind the colon in the line of @path that begins with @key; "": the first line. */
static void line_of(const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[1024];

	snprintf(value, size, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		const char *start = line;

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		if (*key && strchr(line, ':'))
			start = strchr(line, ':') + 1;
		start += strspn(start, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(start, "\n"), start);
		break;
	}
	if (file)
		fclose(file);
}

static json_t *nodes_json(const struct bm_info *info)
{
	const struct bm_node_info *node;
	json_t *nodes = json_array();

	for (size_t i = 0; (node = bm_info_node(info, i)); i++)
		json_array_append_new(nodes, json_pack("{s:i, s:s, s:I, s:i}", "id", node->id,
						       "cpu_list", node->cpu_list, "memory_bytes",
						       (json_int_t)node->memory_bytes, "tier",
						       node->tier));
	return nodes;
}

/* What the library was told by the environment, and says of its backends. */
static void add_library(json_t *machine, const struct bm_info *info)
{
	const struct bm_option_info *option;
	const struct bm_facility *backend;
	json_t *options = json_object(), *backends = json_object();

	for (size_t i = 0; (option = bm_info_option(info, i)); i++)
		if (strcmp(option->source, "default") != 0 ||
		    strcmp(option->name, "copy_loop") == 0)
			json_object_set_new(options, option->name, json_string(option->value));
	for (size_t i = 0; (backend = bm_info_backend(info, i)); i++)
		json_object_set_new(backends, backend->name, json_string(backend->why));
	json_object_set_new(machine, "options", options);
	json_object_set_new(machine, "backends", backends);
}

static json_t *machine_json(const struct setup *setup)
{
	char cpu[256], thp[256], kernel[256];
	struct bm_info *info = NULL;
	struct utsname name;
	json_t *machine;

	if (uname(&name) < 0 || bm_info_new(NULL, &info) < 0)
		die("facts of the machine");
	snprintf(kernel, sizeof(kernel), "%.60s %.100s %.60s", name.sysname, name.release,
		 name.machine);
	line_of("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	line_of("/sys/kernel/mm/transparent_hugepage/enabled", "", thp, sizeof(thp));
	machine = json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:s, s:s, s:o}", "kernel", kernel,
			    "cpu", cpu, "cpus", setup->cpus, "transparent_hugepage", thp,
			    "page_size", (json_int_t)setup->page_size, "huge_size",
			    (json_int_t)setup->huge_size, "library", bm_version(), "plain_nt",
			    copy_plain_name, "nodes", nodes_json(info));
	if (!machine)
		die("facts of the machine as JSON");
	json_object_set_new(machine, "rounds", json_integer(setup->rounds));
	json_object_set_new(machine, "mb", json_integer((json_int_t)setup->mb));
	json_object_set_new(machine, "mover", json_string(setup->mover));
	json_object_set_new(machine, "from_node", json_integer(setup->near));
	json_object_set_new(machine, "to_node", json_integer(setup->far));
	json_object_set_new(machine, "page_frames_seen", json_boolean(setup->frames_seen));
	add_library(machine, info);
	bm_info_free(info);
	return machine;
}

static void print_machine(json_t *machine)
{
	const char *key;
	json_t *value;

	json_object_foreach(machine, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		printf("%s: %s\n", key, text ? text : "?");
		free(text);
	}
}

void output_begin(const struct setup *setup)
{
	json_t *machine;

	results = json_array();
	if (setup->json)
		return;
	machine = machine_json(setup);
	print_machine(machine);
	json_decref(machine);
	printf("\n| case | | competitor | threads | unit | best | median | min-max | to plain nt | "
	       "more |\n"
	       "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
	fflush(stdout);
}

static void print_row(const struct result *result)
{
	printf("| %s | %s | %s | %d | %s | %.4g | %.4g | %.4g-%.4g |", result->name, result->detail,
	       result->competitor, result->threads, result->unit, result->best, result->median,
	       result->min, result->max);
	if (result->ratio > 0)
		printf(" %.2f |", result->ratio);
	else
		printf(" |");
	for (int i = 0; i < result->extra_count; i++)
		printf(" %s=%.4g", result->extras[i].name, result->extras[i].value);
	if (*result->note)
		printf(" (%s)", result->note);
	printf(" |\n");
	fflush(stdout);
}

static json_t *row_json(const struct result *result)
{
	json_t *row =
		json_pack("{s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:f, s:f}", "case", result->name,
			  "detail", result->detail, "competitor", result->competitor, "threads",
			  result->threads, "unit", result->unit, "best", result->best, "median",
			  result->median, "min", result->min, "max", result->max);

	if (!row)
		die("a result as JSON");
	if (result->ratio > 0)
		json_object_set_new(row, "ratio_to_plain_nt", json_real(result->ratio));
	for (int i = 0; i < result->extra_count; i++)
		json_object_set_new(row, result->extras[i].name,
				    json_real(result->extras[i].value));
	if (*result->note)
		json_object_set_new(row, "reasons", json_string(result->note));
	return row;
}

void output_add(const struct setup *setup, const struct result *result)
{
	if (setup->json)
		json_array_append_new(results, row_json(result));
	else
		print_row(result);
}

void output_end(const struct setup *setup)
{
	json_t *document;

	if (setup->json) {
		document =
			json_pack("{s:o, s:O}", "machine", machine_json(setup), "results", results);
		if (!document || json_dumpf(document, stdout, JSON_INDENT(2)) < 0)
			die("JSON");
		putchar('\n');
		json_decref(document);
	}
	json_decref(results);
}
