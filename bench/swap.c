/* SPDX-License-Identifier: MIT */
/*
 * swap.c - how fast the mover swap is beside plain copies and the kernel.
 *
 * In each case the library, plain copies of the same amount and, where there
 * are two nodes, move_pages(2) alternate; only ratios within a round mean
 * something on a machine that does other things too. With one node the pages
 * get other memory of the same node (BM_REPLACE), with two they go to the
 * other one and back. After each case every byte is looked at. What is
 * measured and how to read it: docs/swap-performance.md. Ends with 0, with 1
 * when a byte was wrong or something failed, with 2 when called wrongly, with
 * 77 when the mover cannot be used here.
 */
#include "swap.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS              9
#define ROUNDS_MAX          10000
#define MB                  256
#define MB_MAX              1048576
#define INSTRUCTIONS_ROUNDS 3
#define INSTRUCTIONS_MB     16

struct listed_case {
	const char *name;
	void (*run)(const struct setup *setup);
	int counts_instructions;
	const char *what;
};

static const struct listed_case cases[] = {
	{"base", case_base, 1, "base pages, frames in order and scattered, the pool full"},
	{"huge", case_huge, 1, "huge pages, the pool full"},
	{"oneway", case_oneway, 0, "the pool emptied before each round"},
	{"chunks", case_chunks, 0, "by length of a chunk, and what a thread sees that touches it"},
	{"sizes", case_sizes, 0, "by number of pages in a batch, 1 to 65536"},
	{"sparse", case_sparse, 0, "every other and every 8th page"},
	{"interrupts", case_interrupts, 0, "TLB interrupts while other threads run"},
	{"phases", case_phases, 0, "plan, classify, move and verify, per page"},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void usage(FILE *file)
{
	fprintf(file,
		"usage: swap [--rounds N] [--mb N] [--threads LIST] [--mover NAME] [--json]\n"
		"            [--instructions] [WORD...]\n"
		"  --rounds N      in each of which all competitors take their turn (%d)\n"
		"  --mb N          MiB that move (%d)\n"
		"  --threads LIST  as in 1,2,4 (powers of two up to the CPUs)\n"
		"  --mover NAME    what to measure instead of swap\n"
		"  --json          a JSON document instead of the table\n"
		"  --instructions  where the clock counts instructions (tests/vm/run --icount):\n"
		"                  instructions per 4 KiB instead of times, base and huge only\n"
		"Cases; a WORD chooses those that have it in their name:\n",
		ROUNDS, MB);
	for (size_t i = 0; i < CASES; i++)
		fprintf(file, "  %-14s  %s\n", cases[i].name, cases[i].what);
}

static void list_threads(struct setup *setup, char *list)
{
	char *rest = NULL;

	setup->thread_counts = 0;
	for (char *part = strtok_r(list, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		if (setup->thread_counts == LISTED_MAX) {
			fprintf(stderr, "--threads: at most %d numbers are allowed\n", LISTED_MAX);
			exit(WRONG_CALL);
		}
		setup->threads[setup->thread_counts++] =
			(int)whole_number("--threads", part, 1, THREADS_MAX);
	}
}

static void parse(struct setup *setup, int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},  {"mb", required_argument, NULL, 'm'},
		{"threads", required_argument, NULL, 't'}, {"mover", required_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},          {"instructions", no_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
	int option;

	setup->mover = "swap";
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			setup->rounds = (int)whole_number("--rounds", optarg, 1, ROUNDS_MAX);
		else if (option == 'm')
			setup->mb = (size_t)whole_number("--mb", optarg, 1, MB_MAX);
		else if (option == 't')
			list_threads(setup, optarg);
		else if (option == 'o')
			setup->mover = optarg;
		else if (option == 'j')
			setup->json = 1;
		else if (option == 'i')
			setup->instructions = 1;
		else {
			usage(option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : WRONG_CALL);
		}
	}
	setup->words = argv + optind;
	setup->word_count = argc - optind;
}

static int chosen(const struct setup *setup, const struct listed_case *listed)
{
	if (setup->instructions && !listed->counts_instructions)
		return 0;
	for (int i = 0; i < setup->word_count; i++)
		if (strstr(listed->name, setup->words[i]))
			return 1;
	return setup->word_count == 0;
}

/* What the command line left open. */
static void fill_up(struct setup *setup)
{
	if (!setup->rounds)
		setup->rounds = setup->instructions ? INSTRUCTIONS_ROUNDS : ROUNDS;
	if (!setup->mb)
		setup->mb = setup->instructions ? INSTRUCTIONS_MB : MB;
	if (setup->thread_counts)
		return;
	for (int threads = 1; threads <= setup->cpus && threads <= THREADS_MAX; threads *= 2) {
		setup->threads[setup->thread_counts++] = threads;
		if (setup->instructions)
			break;
	}
}

int main(int argc, char **argv)
{
	struct setup setup = {0};
	int any = 0;

	parse(&setup, argc, argv);
	for (size_t i = 0; i < CASES; i++)
		any |= chosen(&setup, &cases[i]);
	if (!any) {
		fprintf(stderr, "no case is chosen%s\n",
			setup.instructions ? "; --instructions counts base and huge" : "");
		usage(stderr);
		return WRONG_CALL;
	}
	look_around(&setup);
	fill_up(&setup);
	copy_plain_choose();
	setup.frames_seen = region_frames_seen();
	output_begin(&setup);
	for (size_t i = 0; i < CASES; i++)
		if (chosen(&setup, &cases[i]))
			cases[i].run(&setup);
	output_end(&setup);
	return 0;
}
