/* SPDX-License-Identifier: MIT */
/*
 * stall.c - how long a thread waits whose pages migrate with a bound, and what
 * throughput is left.
 *
 * Threads read and write random pages of a working set, as those of a server
 * do, and time every access; meanwhile the set migrates, over and over: to the
 * other node and back, with one node to other memory of it (BM_REPLACE). What
 * the threads see is measured outside of the library, and set beside what the
 * library says. A trial without migration tells how many accesses take as long
 * for other reasons. All trials take their turn in each round. Ends with 0,
 * with 1 when something failed or a byte was wrong, with 2 when called wrongly,
 * with 77 when the mover cannot be used here.
 */
#include "stall.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB_MAX      1048576
#define SECONDS_MAX  3600
#define WARMUP_MAX   1000
#define SLOW_US      5
#define SLOW_US_MAX  1000000
#define BOUND_US_MAX 60000000

static void usage(FILE *file)
{
	fprintf(file,
		"usage: stall [OPTION...]\n"
		"  --threads N          that touch the pages (1; 1..%d)\n"
		"  --library-threads N  of the library (the CPUs that are left, at least 1; "
		"1..%d)\n"
		"  --mib N              of the set (256; 2..%d)\n"
		"  --seconds N          of a trial in a round (2; 1..%d)\n"
		"  --rounds N           in each of which all trials take their turn (3; 1..%d)\n"
		"  --warmup N           migrations before that do not count (1; 0..%d)\n"
		"  --threshold US       an access that takes as long has waited (%d; 1..%d)\n"
		"  --bounds LIST        of base pages, us, 0 for none (0,100,200,500,1000)\n"
		"  --huge-bounds LIST   of huge pages (0,500,1000); - for neither of these\n"
		"  --wish               what would take longer is moved nevertheless\n"
		"  --mover NAME         instead of swap\n"
		"  --json FILE          the same numbers and the distributions\n"
		"  --plot FILE.svg      or FILE.png: a picture, by gnuplot; its data in "
		"FILE.svg.dat\n"
		"In migration is what takes the threshold or longer with a page fault. A thread of "
		"the library and "
		"one\n"
		"that touches need a CPU each: with fewer the scheduler decides who waits.\n",
		THREADS_MAX, THREADS_MAX, MIB_MAX, SECONDS_MAX, STALL_ROUNDS_MAX, WARMUP_MAX,
		SLOW_US, SLOW_US_MAX);
}

static void list_bounds(struct stall *stall, int huge, const char *option, char *list)
{
	char *rest = NULL;
	int count = 0;

	if (strcmp(list, "-") == 0)
		list += 1;
	for (char *part = strtok_r(list, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		if (count == BOUNDS_MAX) {
			fprintf(stderr, "%s: at most %d numbers are allowed\n", option, BOUNDS_MAX);
			exit(WRONG_CALL);
		}
		stall->bounds[huge][count++] = whole_number(option, part, 0, BOUND_US_MAX);
	}
	stall->bound_counts[huge] = count;
}

static const char *picture_name(const char *name)
{
	const char *end = strrchr(name, '.');

	if (end && (strcmp(end, ".svg") == 0 || strcmp(end, ".png") == 0))
		return name;
	fprintf(stderr, "--plot %s is not allowed: it must end with .svg or .png\n", name);
	exit(WRONG_CALL);
}

static void take_option(struct stall *stall, int option, char *text)
{
	if (option == 't')
		stall->threads = (int)whole_number("--threads", text, 1, THREADS_MAX);
	else if (option == 'l')
		stall->library_threads =
			(int)whole_number("--library-threads", text, 1, THREADS_MAX);
	else if (option == 'm')
		stall->setup.mb = (size_t)whole_number("--mib", text, 2, MIB_MAX);
	else if (option == 's')
		stall->seconds = (int)whole_number("--seconds", text, 1, SECONDS_MAX);
	else if (option == 'r')
		stall->setup.rounds = (int)whole_number("--rounds", text, 1, STALL_ROUNDS_MAX);
	else if (option == 'w')
		stall->warmup = (int)whole_number("--warmup", text, 0, WARMUP_MAX);
	else if (option == 'u')
		stall->slow_ns = 1000 * (uint64_t)whole_number("--threshold", text, 1, SLOW_US_MAX);
	else if (option == 'b')
		list_bounds(stall, 0, "--bounds", text);
	else if (option == 'g')
		list_bounds(stall, 1, "--huge-bounds", text);
	else if (option == 'i')
		stall->wish = 1;
	else if (option == 'o')
		stall->setup.mover = text;
	else if (option == 'j')
		stall->json = text;
	else if (option == 'p')
		stall->plot = picture_name(text);
	else
		usage(option == 'h' ? stdout : stderr), exit(option == 'h' ? 0 : WRONG_CALL);
}

static void parse(struct stall *stall, int argc, char **argv)
{
	static const struct option options[] = {{"threads", required_argument, NULL, 't'},
						{"library-threads", required_argument, NULL, 'l'},
						{"mib", required_argument, NULL, 'm'},
						{"seconds", required_argument, NULL, 's'},
						{"rounds", required_argument, NULL, 'r'},
						{"warmup", required_argument, NULL, 'w'},
						{"threshold", required_argument, NULL, 'u'},
						{"bounds", required_argument, NULL, 'b'},
						{"huge-bounds", required_argument, NULL, 'g'},
						{"wish", no_argument, NULL, 'i'},
						{"mover", required_argument, NULL, 'o'},
						{"json", required_argument, NULL, 'j'},
						{"plot", required_argument, NULL, 'p'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(stall, option, optarg);
	if (optind < argc) {
		fprintf(stderr, "%s is not allowed: there are options only\n", argv[optind]);
		exit(WRONG_CALL);
	}
	if (!stall->bound_counts[0] && !stall->bound_counts[1]) {
		fprintf(stderr, "--bounds and --huge-bounds: one of them must name a bound\n");
		exit(WRONG_CALL);
	}
}

/* What the command line left to the machine. */
static void fill_up(struct stall *stall)
{
	look_around(&stall->setup);
	if (!stall->library_threads)
		stall->library_threads =
			stall->setup.cpus > stall->threads ? stall->setup.cpus - stall->threads : 1;
	if (stall->library_threads > THREADS_MAX)
		stall->library_threads = THREADS_MAX;
	if (!stall->setup.huge_size)
		stall->bound_counts[1] = 0;
	for (int huge = 0; huge < 2; huge++)
		if (stall->bound_counts[huge])
			region_new(&stall->regions[huge], &stall->setup,
				   huge ? FRAMES_HUGE : FRAMES_IN_ORDER, stall->setup.near);
}

/* For each size of pages one without migration, then the bounds. */
static int trials_new(const struct stall *stall, struct trial *trials)
{
	int count = 0;

	for (int huge = 0; huge < 2; huge++)
		for (int i = -1; stall->bound_counts[huge] && i < stall->bound_counts[huge]; i++) {
			struct trial *trial = &trials[count++];

			trial->huge = huge;
			trial->moves = i >= 0;
			trial->bound_us = i >= 0 ? stall->bounds[huge][i] : 0;
			trial->raw = histogram_new();
			trial->net = histogram_new();
		}
	return count;
}

/* The order changes from round to round. */
static void run_rounds(struct stall *stall, struct trial *trials, int count)
{
	for (int round = 0; round < stall->setup.rounds; round++)
		for (int i = 0; i < count; i++) {
			if (isatty(STDERR_FILENO))
				fprintf(stderr, "\rround %d of %d, trial %d of %d ", round + 1,
					stall->setup.rounds, i + 1, count);
			trial_run(stall, &trials[(i + round) % count], round);
		}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", 40, "");
}

/* Threads may have read and written beside a copy: is every byte as it was? */
static size_t bytes_wrong(const struct stall *stall)
{
	size_t wrong = 0;

	for (int huge = 0; huge < 2; huge++) {
		const struct region *region = &stall->regions[huge];

		if (region->length)
			wrong += region_wrong(region, 1, region->page_size);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static struct trial trials[TRIALS_MAX];
	static struct stall stall = {
		.setup = {.rounds = 3, .mb = 256, .mover = "swap"},
		.threads = 1,
		.seconds = 2,
		.warmup = 1,
		.slow_ns = SLOW_US * 1000,
		.bounds = {{0, 100, 200, 500, 1000}, {0, 500, 1000}},
		.bound_counts = {5, 3},
	};
	size_t wrong;
	int count;

	parse(&stall, argc, argv);
	fill_up(&stall);
	count = trials_new(&stall, trials);
	run_rounds(&stall, trials, count);
	wrong = bytes_wrong(&stall);
	table_print(&stall, trials, count);
	if (stall.json)
		json_write(&stall, trials, count);
	if (stall.plot)
		plot_write(&stall, trials, count);
	if (wrong)
		fprintf(stderr, "%zu words are not what was written\n", wrong);
	return wrong ? 1 : 0;
}
