/* SPDX-License-Identifier: MIT */
/*
 * rate.c - how exactly max_bytes_per_s is kept.
 *
 * Batches migrate a set over and over in a context with a rate, without a
 * pause, to the other node and back or, with one node, to other memory of it
 * (BM_REPLACE). Every 5 ms bm_batch_progress() tells how much has moved. A
 * second and a tenth of one are looked at from each of these moments on, not
 * one after the other, so that no burst is cut in two; MB are 10^6 bytes. The
 * pool is filled before, without a rate. Ends with 0, with 1 when something
 * failed or a byte was wrong, with 2 when called wrongly, with 77 when the
 * mover cannot be used here.
 */
#include "swap.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_US     5000
#define RATES_MAX   16
#define RATE_MB_MAX 1000000
#define MIB_MAX     1048576
#define SECONDS_MAX 3600

struct rates {
	struct setup setup;
	int seconds, list;
	long mb[RATES_MAX];
	int count;
};

/* Bytes so far at a time. */
struct sample {
	double ns, bytes;
};

struct samples {
	struct sample *at;
	size_t count, room;
};

static void add_sample(struct samples *samples, double ns, double bytes)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 1024;
		samples->at = realloc(samples->at, samples->room * sizeof(samples->at[0]));
		if (!samples->at)
			die("memory for the samples");
	}
	samples->at[samples->count++] = (struct sample){ns, bytes};
}

static struct bm_context *context_open(const struct setup *setup, long mb)
{
	struct bm_context *context;
	struct bm_options options;
	int rc;

	bm_options_init(&options, sizeof(options));
	options.mover = setup->mover;
	options.pool_mb = (int64_t)setup->mb + 64;
	options.local_ranks = 1;
	options.pool_idle_ms = 0;
	options.max_bytes_per_s = mb * 1000000;
	rc = bm_context_new(&options, &context);
	if (rc < 0)
		library_failed("bm_context_new", rc);
	return context;
}

static struct bm_batch *start(struct bm_context *context, const struct setup *setup,
			      struct bm_range *range, int64_t rate)
{
	struct bm_request request;
	struct bm_batch *batch;
	int rc;

	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | (setup->two_nodes ? 0 : BM_REPLACE);
	request.count = 1;
	request.ranges = range;
	request.range_size = sizeof(*range);
	request.max_bytes_per_s = rate;
	rc = bm_submit(context, &request, &batch);
	if (rc < 0)
		library_failed("bm_submit", rc);
	return batch;
}

/* Returns what the batch moved. */
static double finish(struct bm_batch *batch)
{
	struct bm_report report;
	long rc = bm_batch_wait(batch, BM_FOREVER);

	if (rc < 0)
		library_failed("bm_batch_wait", rc);
	rc = bm_batch_report(batch, &report, sizeof(report));
	if (rc < 0)
		library_failed("bm_batch_report", rc);
	bm_batch_free(batch);
	return (double)report.bytes_moved;
}

/* Until the batch is complete, or @end has come; returns 1 when it is complete. */
static int poll_batch(struct bm_batch *batch, struct samples *samples, double before, double end)
{
	struct bm_progress progress;
	int rc;

	do {
		double ns = now_ns();

		rc = bm_batch_progress(batch, &progress, sizeof(progress));
		if (rc < 0)
			library_failed("bm_batch_progress", rc);
		if (progress.state == BM_BATCH_COMPLETE)
			return 1;
		add_sample(samples, ns, before + (double)progress.bytes_moved);
		if (ns >= end)
			return 0;
	} while (bm_batch_wait(batch, POLL_US) < 0);
	return 1;
}

static void measure(const struct rates *rates, const struct region *region, long mb,
		    struct samples *samples)
{
	const struct setup *setup = &rates->setup;
	struct bm_context *context = context_open(setup, mb);
	struct bm_range range = {.addr = region->start, .length = region->length};
	double before = 0, end;
	int complete = 1;

	for (int turn = 0; turn < 2; turn++) {
		range.node = turn ? setup->near : setup->far;
		finish(start(context, setup, &range, BM_UNBOUNDED));
	}
	end = now_ns() + rates->seconds * 1e9;
	for (int turn = 0; complete; turn++) {
		struct bm_batch *batch;

		range.node = turn % 2 ? setup->near : setup->far;
		batch = start(context, setup, &range, 0);
		complete = poll_batch(batch, samples, before, end);
		if (!complete)
			bm_batch_cancel(batch);
		before += finish(batch);
	}
	bm_context_free(context);
	bm_quiesce();
}

/* Bytes in the @span nanoseconds after sample @from, between samples by line; -1: too few. */
static double bytes_in(const struct samples *samples, size_t from, double span)
{
	double end = samples->at[from].ns + span;
	size_t i = from;

	while (i < samples->count && samples->at[i].ns < end)
		i++;
	if (i == samples->count)
		return -1;
	if (i > from) {
		const struct sample *a = &samples->at[i - 1], *b = &samples->at[i];
		double share = (end - a->ns) / (b->ns - a->ns);

		return a->bytes + share * (b->bytes - a->bytes) - samples->at[from].bytes;
	}
	return 0;
}

/* The most and the least in any @span, in percent of what is allowed beyond it. */
static void print_worst(const struct samples *samples, double span, double allowed)
{
	double most = -1, least = -1;

	for (size_t i = 0; i < samples->count; i++) {
		double bytes = bytes_in(samples, i, span);

		if (bytes < 0)
			break;
		if (bytes > most)
			most = bytes;
		if (least < 0 || bytes < least)
			least = bytes;
	}
	if (most < 0)
		printf(" - | - |");
	else
		printf(" %+.2f %% | %+.2f %% |", 100 * (least / allowed - 1),
		       100 * (most / allowed - 1));
}

/* MB of one span after the other. */
static void print_list(const struct samples *samples, const char *what, double span)
{
	double next = samples->at[0].ns;

	printf("MB in each %s:", what);
	for (size_t i = 0; i < samples->count; i++) {
		double bytes;

		if (samples->at[i].ns < next)
			continue;
		bytes = bytes_in(samples, i, span);
		if (bytes < 0)
			break;
		printf(" %.2f", bytes / 1e6);
		next += span;
	}
	printf("\n");
}

static void print_rate(const struct rates *rates, const struct samples *samples, long mb, int huge)
{
	const struct sample *first = samples->at, *last = samples->at + samples->count - 1;
	double allowed = (double)mb * 1e6;
	double mean = (last->bytes - first->bytes) / ((last->ns - first->ns) / 1e9);

	printf("| %s | %ld | %.2f | %+.2f %% |", huge ? "huge" : "base", mb, mean / 1e6,
	       100 * (mean / allowed - 1));
	print_worst(samples, 1e9, allowed);
	print_worst(samples, 1e8, allowed / 10);
	printf("\n");
	fflush(stdout);
	if (rates->list) {
		print_list(samples, "second", 1e9);
		print_list(samples, "100 ms", 1e8);
	}
}

/* Returns how many words are wrong afterwards. */
static size_t run_pages(const struct rates *rates, int huge)
{
	struct region region;
	size_t wrong;

	region_new(&region, &rates->setup, huge ? FRAMES_HUGE : FRAMES_IN_ORDER, rates->setup.near);
	for (int i = 0; i < rates->count; i++) {
		struct samples samples = {NULL, 0, 0};

		measure(rates, &region, rates->mb[i], &samples);
		print_rate(rates, &samples, rates->mb[i], huge);
		free(samples.at);
	}
	wrong = region_wrong(&region, 1, region.page_size);
	region_free(&region);
	return wrong;
}

static void usage(FILE *file)
{
	fprintf(file,
		"usage: rate [OPTION...]\n"
		"  --rates LIST  MB/s (50,200,1000; each 1..%d)\n"
		"  --seconds N   for each rate and size of pages (5; 2..%d)\n"
		"  --mib N       of the set (256; 2..%d)\n"
		"  --mover NAME  instead of swap\n"
		"  --list        also what moved in each second and each 100 ms\n",
		RATE_MB_MAX, SECONDS_MAX, MIB_MAX);
}

static void list_rates(struct rates *rates, char *list)
{
	char *rest = NULL;

	rates->count = 0;
	for (char *part = strtok_r(list, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		if (rates->count == RATES_MAX) {
			fprintf(stderr, "--rates: at most %d numbers are allowed\n", RATES_MAX);
			exit(WRONG_CALL);
		}
		rates->mb[rates->count++] = whole_number("--rates", part, 1, RATE_MB_MAX);
	}
	if (!rates->count)
		whole_number("--rates", list, 1, RATE_MB_MAX);
}

static void parse(struct rates *rates, int argc, char **argv)
{
	static const struct option options[] = {{"rates", required_argument, NULL, 'r'},
						{"seconds", required_argument, NULL, 's'},
						{"mib", required_argument, NULL, 'm'},
						{"mover", required_argument, NULL, 'o'},
						{"list", no_argument, NULL, 'l'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			list_rates(rates, optarg);
		else if (option == 's')
			rates->seconds = (int)whole_number("--seconds", optarg, 2, SECONDS_MAX);
		else if (option == 'm')
			rates->setup.mb = (size_t)whole_number("--mib", optarg, 2, MIB_MAX);
		else if (option == 'o')
			rates->setup.mover = optarg;
		else if (option == 'l')
			rates->list = 1;
		else {
			usage(option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : WRONG_CALL);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s is not allowed: there are options only\n", argv[optind]);
		exit(WRONG_CALL);
	}
}

int main(int argc, char **argv)
{
	struct rates rates = {.setup = {.mb = 256, .mover = "swap"},
			      .seconds = 5,
			      .mb = {50, 200, 1000},
			      .count = 3};
	size_t wrong = 0;

	parse(&rates, argc, argv);
	look_around(&rates.setup);
	printf("library %s, mover %s, %zu MiB, %d s each; deviations of the mean and of the worst "
	       "of all seconds and\nof all 100 ms, from too little to too much\n\n"
	       "| pages | MB/s | mean MB/s | mean | least 1 s | most 1 s | least 100 ms | most 100 "
	       "ms "
	       "|\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
	       bm_version(), rates.setup.mover, rates.setup.mb, rates.seconds);
	for (int huge = 0; huge < (rates.setup.huge_size ? 2 : 1); huge++)
		wrong += run_pages(&rates, huge);
	if (wrong)
		fprintf(stderr, "%zu words are not what was written\n", wrong);
	return wrong ? 1 : 0;
}
