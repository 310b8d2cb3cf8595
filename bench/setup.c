/* SPDX-License-Identifier: MIT */
/* setup.c - options that all commands have, and what the machine has. */
#include "setup.h"

#include <batchmig.h>
#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "machine.h"
#include "memory.h"
#include "plain.h"
#include "results.h"

#define MB_MAX   1048576
#define NODE_MAX 1023 /* of the library */

void die(const char *what)
{
	perror(what);
	exit(1);
}

void library_failed(const char *what, long rc)
{
	fprintf(stderr, "%s: %s\n", what, bm_error_text((int)rc));
	exit(1);
}

/* ---------------------------------------------------------------- options */

enum {
	KEY_ROUNDS = 1000,
	KEY_MB,
	KEY_THREADS,
	KEY_MOVERS,
	KEY_FROM,
	KEY_TO,
	KEY_INSTRUCTIONS,
	KEY_JSON,
	KEY_CSV
};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Of all commands:", 100},
	{"rounds", KEY_ROUNDS, "N", 0, "In each of which all competitors take their turn", 0},
	{"mb", KEY_MB, "N", 0, "MiB that move", 0},
	{"threads", KEY_THREADS, "LIST", 0, "As in 1,2,4 (powers of two up to the CPUs)", 0},
	{"movers", KEY_MOVERS, "LIST", 0,
	 "Of the library: swap/cpu, swap/dsa, swap/ptdma, move_pages, mbind, auto (all there are)",
	 0},
	{"from", KEY_FROM, "NODE", 0, "Where pages are before (the first node with memory)", 0},
	{"to", KEY_TO, "NODE", 0, "Where they go (the second one)", 0},
	{"instructions", KEY_INSTRUCTIONS, NULL, 0,
	 "The clock counts instructions (tests/vm/run --icount): these are told, and no times", 0},
	{"json", KEY_JSON, "FILE", 0, "The results, with each round", 0},
	{"csv", KEY_CSV, "FILE", 0, "The results, a line for each", 0},
	{0},
};

long whole_number(const char *option, const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < min || value > max) {
		fprintf(stderr, "%s %s is not allowed: it must be a whole number in %ld..%ld\n",
			option, text, min, max);
		exit(WRONG_CALL);
	}
	return value;
}

int whole_numbers(const char *option, const char *text, const long range[2], long *numbers,
		  int room)
{
	char *copy = strdup(text), *rest = NULL;
	int count = 0;

	if (!copy)
		die("memory for a list");
	for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		if (count == room) {
			fprintf(stderr, "%s: at most %d numbers are allowed\n", option, room);
			exit(WRONG_CALL);
		}
		numbers[count++] = whole_number(option, part, range[0], range[1]);
	}
	free(copy);
	if (!count)
		whole_number(option, text, range[0], range[1]);
	return count;
}

static void take_threads(struct setup *setup, const char *text)
{
	static const long range[2] = {1, THREADS_MAX};
	long numbers[LISTED_MAX];

	setup->thread_counts = whole_numbers("--threads", text, range, numbers, LISTED_MAX);
	for (int i = 0; i < setup->thread_counts; i++)
		setup->threads[i] = (int)numbers[i];
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct setup *setup = state->input;

	if (key == ARGP_KEY_INIT)
		setup->from = setup->to = -1;
	else if (key == KEY_ROUNDS)
		setup->rounds = (int)whole_number("--rounds", text, 1, ROUNDS_MAX);
	else if (key == KEY_MB)
		setup->mb = (size_t)whole_number("--mb", text, 1, MB_MAX);
	else if (key == KEY_THREADS)
		take_threads(setup, text);
	else if (key == KEY_MOVERS)
		setup->movers = text;
	else if (key == KEY_FROM)
		setup->from = (int)whole_number("--from", text, 0, NODE_MAX);
	else if (key == KEY_TO)
		setup->to = (int)whole_number("--to", text, 0, NODE_MAX);
	else if (key == KEY_INSTRUCTIONS)
		setup->instructions = 1;
	else if (key == KEY_JSON)
		setup->json = text;
	else if (key == KEY_CSV)
		setup->csv = text;
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {.options = options, .parser = take_option};
const struct argp_child setup_options[] = {{&parser, 0, NULL, 100}, {0}};

/* --------------------------------------------------------------- machine */

static void no_such_node(const char *option, int node)
{
	fprintf(stderr,
		"%s %d is not allowed: there is no such node with memory for this process\n",
		option, node);
	exit(WRONG_CALL);
}

/* What was not told is the first node with memory that is not the other one. */
static void look_at_nodes(struct setup *setup, const struct bm_info *info)
{
	const struct bm_node_info *node;
	int from = setup->from < 0, to = setup->to < 0;

	setup->near = setup->far = -1;
	for (size_t i = 0; (node = bm_info_node(info, i)); i++) {
		if (!node->allowed || !node->memory_bytes)
			continue;
		if (setup->near < 0 && (from ? node->id != setup->to : node->id == setup->from))
			setup->near = node->id;
		else if (setup->far < 0 && (to ? node->id != setup->from : node->id == setup->to))
			setup->far = node->id;
	}
	if (setup->near < 0 && !from)
		no_such_node("--from", setup->from);
	if (setup->far < 0 && !to && setup->to != setup->near)
		no_such_node("--to", setup->to);
	if (setup->near < 0)
		setup->near = setup->to;
	setup->two_nodes = setup->far >= 0 && numa_available() >= 0;
	if (!setup->two_nodes)
		setup->far = setup->near;
}

static void look_around(struct setup *setup)
{
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info);
	cpu_set_t allowed;

	if (rc < 0)
		library_failed("bm_info_new", rc);
	setup->cpus = sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : CPU_COUNT(&allowed);
	setup->page_size = bm_info_page_size(info);
	setup->huge_size = bm_info_huge_size(info);
	look_at_nodes(setup, info);
	bm_info_free(info);
	cpus_order(setup->near, setup->far);
	setup->frames_seen = region_frames_seen();
}

static json_t *facts(const struct setup *setup)
{
	const char *clock = setup->instructions ? "instructions" : "nanoseconds";
	const char *kind = setup->two_nodes
				   ? "to the other node and back"
				   : "one node: pages get other memory of it (BM_REPLACE), no "
				     "distance, no kernel mover";
	json_t *facts = machine_facts();
	json_t *more = json_pack("{s:s, s:i, s:i, s:b, s:i, s:I, s:s, s:s}", "plain_nt",
				 copy_plain_name(), "from_node", setup->near, "to_node", setup->far,
				 "page_frames_seen", setup->frames_seen, "rounds", setup->rounds,
				 "mb", (json_int_t)setup->mb, "clock", clock, "kind", kind);

	if (!more || json_object_update_new(facts, more) < 0)
		die("facts of the machine");
	return facts;
}

/* With the clock that counts instructions threads would count each other's. */
static void fill_threads(struct setup *setup)
{
	for (int count = 1; count <= setup->cpus && count <= THREADS_MAX; count *= 2) {
		setup->threads[setup->thread_counts++] = count;
		if (setup->instructions || setup->thread_counts == LISTED_MAX)
			break;
	}
}

void setup_parse(const struct argp *argp, void *input, int argc, char **argv)
{
	error_t error = argp_parse(argp, argc, argv, 0, NULL, input);

	if (error) {
		errno = error;
		die("the command line");
	}
}

size_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file) &&
	       sscanf(line, "MemAvailable: %lu kB", &kib) != 1)
		;
	if (file)
		fclose(file);
	return (size_t)kib << 10;
}

/* What moves, what copies go to, gaps and the pool, twice for comfort. */
static size_t mb_that_fit(size_t mb)
{
	size_t most = (memory_available() >> 20) / 10;

	if (!most || mb <= most)
		return mb;
	most = most < 2 ? 2 : most / 2 * 2;
	printf("%zu MiB instead of %zu: more does not fit\n", most, mb);
	return most;
}

void setup_begin(struct setup *setup, int rounds, size_t mb)
{
	look_around(setup);
	if (!setup->rounds)
		setup->rounds = rounds;
	if (!setup->mb)
		setup->mb = mb_that_fit(mb);
	if (!setup->thread_counts)
		fill_threads(setup);
	setup->results = results_new(facts(setup));
	printf("%s; %d CPUs; medians of %d rounds (quartiles; smallest-largest)%s\n",
	       setup->two_nodes ? "two nodes: to the other one and back"
				: "one node: pages get other memory of it (BM_REPLACE)",
	       setup->cpus, setup->rounds,
	       setup->instructions ? "; the clock counts instructions" : "");
	fflush(stdout);
}

int setup_end(struct setup *setup)
{
	int rc = results_count(setup->results) ? 0 : SKIPPED;

	if (rc)
		fprintf(stderr, "nothing could be measured\n");
	results_show(setup->results);
	if (setup->json && results_write_json(setup->results, setup->json) < 0)
		rc = 1;
	if (setup->csv && results_write_csv(setup->results, setup->csv) < 0)
		rc = 1;
	results_free(setup->results);
	setup->results = NULL;
	return rc;
}
