/* SPDX-License-Identifier: MIT */
/* machine.c - facts of the machine, of the kernel's settings and of the library, as JSON. */
#include "machine.h"

#include <batchmig.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static void fail(const char *what)
{
	fprintf(stderr, "facts of the machine: %s\n", what);
	exit(1);
}

static void put(json_t *facts, const char *name, json_t *value)
{
	if (!value || json_object_set_new(facts, name, value) < 0)
		fail("no memory");
}

/* ---------------------------------------------------------------- files */

/* What follows @key and, if there is one, a colon, in the line of @path that begins with it. */
static json_t *line_of(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	json_t *value = NULL;
	char line[4096];

	while (file && !value && fgets(line, sizeof(line), file)) {
		const char *start = line;

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		if (*key && strchr(line, ':'))
			start = strchr(line, ':') + 1;
		start += strspn(start, " \t");
		value = json_stringn(start, strcspn(start, "\n"));
	}
	if (file)
		fclose(file);
	return value ? value : json_string("unknown");
}

/* A value of the kernel's command line, "not set" without one. */
static json_t *boot_option(const char *name)
{
	json_t *line = line_of("/proc/cmdline", ""), *value = NULL;
	char *rest = NULL, *copy = strdup(json_string_value(line));
	size_t length = strlen(name);

	if (!copy)
		fail("no memory");
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (strncmp(word, name, length) == 0 && word[length] == '=')
			value = json_string(word + length + 1);
	free(copy);
	json_decref(line);
	return value ? value : json_string("not set");
}

/* ---------------------------------------------------------------- facts */

static void add_kernel(json_t *facts)
{
	struct utsname name;
	char kernel[256];

	if (uname(&name) < 0)
		fail("uname");
	snprintf(kernel, sizeof(kernel), "%.60s %.100s %.60s", name.sysname, name.release,
		 name.machine);
	put(facts, "kernel", json_string(kernel));
	put(facts, "transparent_hugepage",
	    line_of("/sys/kernel/mm/transparent_hugepage/enabled", ""));
	put(facts, "transparent_hugepage_defrag",
	    line_of("/sys/kernel/mm/transparent_hugepage/defrag", ""));
	put(facts, "init_on_alloc", boot_option("init_on_alloc"));
	put(facts, "init_on_free", boot_option("init_on_free"));
	put(facts, "mitigations", boot_option("mitigations"));
	put(facts, "numa_balancing", line_of("/proc/sys/kernel/numa_balancing", ""));
}

static void add_processor(json_t *facts)
{
	cpu_set_t allowed;
	int cpus = sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : CPU_COUNT(&allowed);
	json_t *flags = line_of("/proc/cpuinfo", "flags");

	put(facts, "cpu", line_of("/proc/cpuinfo", "model name"));
	put(facts, "cpus", json_integer(cpus));
	put(facts, "virtual_machine",
	    json_boolean(strstr(json_string_value(flags), " hypervisor") != NULL));
	json_decref(flags);
	put(facts, "governor",
	    line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", ""));
	put(facts, "load", line_of("/proc/loadavg", ""));
}

static json_t *nodes(const struct bm_info *info)
{
	const struct bm_node_info *node;
	json_t *all = json_array();

	for (size_t i = 0; (node = bm_info_node(info, i)); i++)
		json_array_append_new(all, json_pack("{s:i, s:s, s:I, s:i}", "id", node->id,
						     "cpu_list", node->cpu_list, "memory_bytes",
						     (json_int_t)node->memory_bytes, "tier",
						     node->tier));
	return all;
}

/* What the library was told by the environment, and says of its backends. */
static void add_library(json_t *facts)
{
	const struct bm_option_info *option;
	const struct bm_facility *backend;
	json_t *options = json_object(), *backends = json_object();
	struct bm_info *info;

	if (bm_info_new(NULL, &info) < 0)
		fail("bm_info_new");
	for (size_t i = 0; (option = bm_info_option(info, i)); i++)
		if (strcmp(option->source, "default") != 0 ||
		    strcmp(option->name, "copy_loop") == 0)
			put(options, option->name, json_string(option->value));
	for (size_t i = 0; (backend = bm_info_backend(info, i)); i++)
		put(backends, backend->name, json_string(backend->why));
	put(facts, "library", json_string(bm_version()));
	put(facts, "page_size", json_integer((json_int_t)bm_info_page_size(info)));
	put(facts, "huge_size", json_integer((json_int_t)bm_info_huge_size(info)));
	put(facts, "nodes", nodes(info));
	put(facts, "options", options);
	put(facts, "backends", backends);
	bm_info_free(info);
}

json_t *machine_facts(void)
{
	json_t *facts = json_object();
	char when[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	put(facts, "date", json_string(when));
	add_kernel(facts);
	add_processor(facts);
	add_library(facts);
	return facts;
}
