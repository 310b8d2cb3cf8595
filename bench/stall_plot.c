/* SPDX-License-Identifier: MIT */
/*
 * stall_plot.c - the numbers for gnuplot, and stall.sh that draws them.
 *
 * The data lie beside the picture, in FILE.dat, so that it can be drawn again.
 */
#include "stall.h"

#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* Share of the slow accesses that took so long or longer; one block for each bound. */
static void write_waits(FILE *file, const struct stall *stall, const struct trial *trial)
{
	uint64_t net = histogram_count(trial->net, stall->slow_ns);
	uint64_t raw = histogram_count(trial->raw, stall->slow_ns);
	uint64_t net_left = net, raw_left = raw;

	fprintf(file, "\n\n# waits_%s_%" PRId64 "us\n# us share share_with_scheduler\n",
		trial->huge ? "huge" : "base", trial->bound_us);
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t start = histogram_start(i);

		if (histogram_start(i + 1) <= stall->slow_ns ||
		    !(trial->net->counts[i] + trial->raw->counts[i]))
			continue;
		fprintf(file, "%.3f", (double)start / 1000);
		fprintf(file, net_left ? " %.3g" : " ?",
			(double)net_left / (double)(net ? net : 1));
		fprintf(file, raw_left ? " %.3g\n" : " ?\n",
			(double)raw_left / (double)(raw ? raw : 1));
		net_left -= trial->net->counts[i];
		raw_left -= trial->raw->counts[i];
	}
	/* gnuplot wants something in each block. */
	fprintf(file, "? ? ?\n");
}

/* None is the largest one. */
static int64_t order_of(const struct trial *trial)
{
	return trial->bound_us ? trial->bound_us : INT64_MAX;
}

/* So many bounds of all trials are smaller: both sizes of pages share an axis. */
static int rank_of(const struct trial *trial, const struct trial *trials, int count)
{
	int rank = 0;

	for (int i = 0; i < count; i++) {
		int known = !trials[i].moves || order_of(&trials[i]) >= order_of(trial);

		for (int j = 0; j < i; j++)
			known |= trials[j].moves && trials[j].bound_us == trials[i].bound_us;
		rank += !known;
	}
	return rank;
}

static void write_rates(FILE *file, const struct stall *stall, const struct trial *trials,
			int count, int huge)
{
	char bound[32];

	fprintf(file, "\n\n# rate_%s\n# place bound GB/s min max\n", huge ? "huge" : "base");
	for (int place = 0; place < count; place++)
		for (const struct trial *trial = trials; trial < trials + count; trial++) {
			struct spread spread = trial_spread(stall, trial, GB_PER_S);

			if (trial->huge == huge && trial->moves &&
			    rank_of(trial, trials, count) == place)
				fprintf(file, "%d %s %.4g %.4g %.4g\n", place,
					trial_bound(trial, bound, sizeof(bound)), spread.median,
					spread.min, spread.max);
		}
}

static void write_data(const char *path, const struct stall *stall, const struct trial *trials,
		       int count)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	fprintf(file, "# stall: slow accesses, and throughput; threshold_us %.3f\n",
		(double)stall->slow_ns / 1000);
	for (int i = 0; i < count; i++)
		if (trials[i].moves)
			write_waits(file, stall, &trials[i]);
	for (int huge = 0; huge < 2; huge++)
		if (stall->bound_counts[huge])
			write_rates(file, stall, trials, count, huge);
	if (fclose(file) != 0)
		die(path);
}

/* The build puts it into the folder of the program. */
static void find_script(char *path)
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_SIZE - 16);
	char *slash;

	path[length < 0 ? 0 : length] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "stall.sh");
}

void plot_write(const struct stall *stall, const struct trial *trials, int count)
{
	char data[PATH_SIZE], script[PATH_SIZE], picture[PATH_SIZE];
	char *words[] = {script, data, picture, NULL};
	int status = -1;
	pid_t child;

	snprintf(picture, sizeof(picture), "%s", stall->plot);
	snprintf(data, sizeof(data), "%s.dat", stall->plot);
	write_data(data, stall, trials, count);
	find_script(script);
	if (posix_spawn(&child, script, NULL, NULL, words, environ) == 0)
		waitpid(child, &status, 0);
	if (status != 0)
		fprintf(stderr, "%s was not drawn; its numbers are in %s: %s %s %s\n", picture,
			data, script, data, picture);
}
