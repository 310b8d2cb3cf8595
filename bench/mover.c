/* SPDX-License-Identifier: MIT */
/* mover.c - contexts of the library, one batch from its submission to its end, sums of reports. */
#include "mover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define POOLS_MAX 1024

/* backend NULL: what the library takes for that mover by itself. */
static const struct configuration {
	const char *name, *mover, *backend;
	int one_node;
} configurations[] = {
	{"swap/cpu", "swap", "cpu", 1},        {"swap/dsa", "swap", "dsa", 1},
	{"swap/ptdma", "swap", "ptdma", 1},    {"auto", "auto", NULL, 1},
	{"move_pages", "move_pages", NULL, 0}, {"mbind", "mbind", NULL, 0},
};
#define CONFIGURATIONS ((int)(sizeof(configurations) / sizeof(configurations[0])))

static const struct configuration *find(const char *name, size_t length)
{
	for (int i = 0; i < CONFIGURATIONS; i++)
		if (strlen(configurations[i].name) == length &&
		    strncmp(configurations[i].name, name, length) == 0)
			return &configurations[i];
	return NULL;
}

/* ------------------------------------------------------------ which there are */

static void set(struct bm_options *options, const struct configuration *configuration)
{
	bm_options_init(options, sizeof(*options));
	options->mover = configuration->mover;
	options->backend = configuration->backend;
}

/* Options are right also where the kernel keeps swap from this process: then it moves nothing. */
static int swap_usable(char *why, size_t room)
{
	const struct bm_facility *mover;
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info), usable = 0;

	if (rc < 0)
		library_failed("bm_info_new", rc);
	for (size_t i = 0; (mover = bm_info_mover(info, i)); i++) {
		if (strcmp(mover->name, "swap") != 0)
			continue;
		usable = mover->usable;
		snprintf(why, room, "%s; remedy: %s", mover->why,
			 *mover->remedy ? mover->remedy : "none");
	}
	bm_info_free(info);
	return usable;
}

/* Auto does with two nodes what the kernel can. */
static int needs_swap(const struct setup *setup, const struct configuration *configuration)
{
	return strcmp(configuration->mover, "swap") == 0 ||
	       (!setup->two_nodes && strcmp(configuration->mover, "auto") == 0);
}

/* Can it be had here? If not: says why where @named. */
static int usable(const struct setup *setup, const struct configuration *configuration, int named)
{
	struct bm_options options;
	char why[512];

	set(&options, configuration);
	if (!setup->two_nodes && !configuration->one_node) {
		if (named)
			fprintf(stderr,
				"%s is left out: with one node the kernel has nowhere to "
				"move to\n",
				configuration->name);
		return 0;
	}
	if (bm_options_check(&options, why, sizeof(why)) == 0 &&
	    (!needs_swap(setup, configuration) || swap_usable(why, sizeof(why))))
		return 1;
	if (named)
		fprintf(stderr, "%s is left out: %s\n", configuration->name, why);
	return 0;
}

__attribute__((noreturn)) static void no_such_name(const char *name, size_t length)
{
	fprintf(stderr, "--movers '%.*s' is not allowed: it must be of", (int)length, name);
	for (int i = 0; i < CONFIGURATIONS; i++)
		fprintf(stderr, "%s %s", i ? "," : "", configurations[i].name);
	fprintf(stderr, "\n");
	exit(WRONG_CALL);
}

/* Two rows of the same name could not be told apart. */
static void refuse_twice(const struct setup *setup, const struct configuration *configuration,
			 const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (names[i] != configuration->name)
			continue;
		fprintf(stderr, "--movers %s is not allowed: %s is named twice\n", setup->movers,
			names[i]);
		exit(WRONG_CALL);
	}
}

static int list_named(const struct setup *setup, const char *names[MOVERS_MAX])
{
	const char *at = setup->movers;
	int count = 0;

	_Static_assert(CONFIGURATIONS <= MOVERS_MAX, "room for all of them");
	do {
		size_t length = strcspn(at, ",");
		const struct configuration *configuration = find(at, length);

		if (!configuration)
			no_such_name(at, length);
		refuse_twice(setup, configuration, names, count);
		if (usable(setup, configuration, 1))
			names[count++] = configuration->name;
		at += length;
	} while (*at++);
	return count;
}

int movers_list(const struct setup *setup, const char *names[MOVERS_MAX])
{
	int count = 0;

	if (setup->movers)
		count = list_named(setup, names);
	for (int i = 0; !setup->movers && i < CONFIGURATIONS; i++)
		if (usable(setup, &configurations[i], 0))
			names[count++] = configurations[i].name;
	if (count)
		return count;
	fprintf(stderr, "no mover of the library can be measured here:\n");
	for (int i = 0; !setup->movers && i < CONFIGURATIONS; i++)
		usable(setup, &configurations[i], 1);
	exit(SKIPPED);
}

/* ---------------------------------------------------------------- contexts */

int64_t pool_mb_of(const struct setup *setup)
{
	return (int64_t)setup->mb + 64;
}

void mover_open(struct mover *mover, const struct mover_options *wanted)
{
	const struct configuration *configuration = find(wanted->name, strlen(wanted->name));
	struct bm_options options;
	int rc;

	memset(mover, 0, sizeof(*mover));
	if (!configuration)
		no_such_name(wanted->name, strlen(wanted->name));
	mover->name = configuration->name;
	set(&options, configuration);
	options.threads = wanted->threads;
	options.pool_mb = wanted->pool_mb;
	options.max_stall_us = wanted->max_stall_us;
	options.max_bytes_per_s = wanted->max_bytes_per_s;
	options.local_ranks = 1;
	options.pool_idle_ms = 0; /* a pause between rounds must not empty it */
	if (wanted->chunk_kb)
		options.chunk_kb = wanted->chunk_kb;
	rc = bm_context_new(&options, &mover->context);
	if (rc < 0)
		library_failed("bm_context_new", rc);
}

void mover_close(struct mover *mover)
{
	bm_context_free(mover->context);
	mover->context = NULL;
	bm_quiesce();
}

/* Of all pools, as by one that began empty. */
static struct bm_pool_stats pools_sum(const struct mover *mover)
{
	static struct bm_pool_stats pools[POOLS_MAX];
	long count = bm_pool_get(mover->context, pools, sizeof(pools[0]), POOLS_MAX);
	struct bm_pool_stats sum = {0};

	if (count < 0)
		library_failed("bm_pool_get", count);
	for (long i = 0; i < count && i < POOLS_MAX; i++) {
		sum.populated += pools[i].populated;
		sum.recycled += pools[i].recycled;
		sum.base_bytes += pools[i].base_bytes;
		sum.huge_bytes += pools[i].huge_bytes;
	}
	return sum;
}

uint64_t mover_populated(const struct mover *mover)
{
	return pools_sum(mover).populated;
}

uint64_t mover_pooled(const struct mover *mover)
{
	struct bm_pool_stats sum = pools_sum(mover);

	return sum.base_bytes + sum.huge_bytes;
}

void mover_reset(struct mover *mover)
{
	*mover = (struct mover){.context = mover->context, .name = mover->name};
	mover->populated = mover_populated(mover);
}

static double share_of(uint64_t some, uint64_t all)
{
	return all ? (double)some / (double)all : 0;
}

double mover_swapped_share(const struct mover *mover, int huge)
{
	if (huge && mover->bytes_swapped)
		return share_of(mover->entries_as_asked, mover->entries);
	return share_of(mover->bytes_swapped, mover->bytes);
}

double mover_left_share(const struct mover *mover)
{
	return share_of(mover->left, mover->entries);
}

size_t mover_reasons(const struct mover *mover, char *text, size_t size)
{
	size_t used = 0;

	for (int i = BM_REASON_ABSENT; i < BM_REASON_COUNT; i++) {
		if (!mover->reasons[i] || used + 1 >= size)
			continue;
		snprintf(text + used, size - used, "%s%s: %.3g %%", used ? ", " : "",
			 bm_reason_name(i), 100 * share_of(mover->reasons[i], mover->entries));
		used += strlen(text + used);
	}
	return used;
}

/* ----------------------------------------------------------------- batches */

void request_begin(struct bm_request *request, const struct setup *setup)
{
	bm_request_init(request, sizeof(*request));
	request->flags = BM_QUIET | (setup->two_nodes ? 0 : BM_REPLACE);
}

double batch_ns(struct bm_context *context, const struct bm_request *request,
		struct bm_batch **batch, long *misplaced)
{
	double start = now_ns(), end;
	long rc = bm_submit(context, request, batch);

	if (rc < 0)
		library_failed("bm_submit", rc);
	rc = bm_batch_wait(*batch, BM_FOREVER);
	end = now_ns();
	if (rc < 0)
		library_failed("bm_batch_wait", rc);
	*misplaced = rc;
	return end - start;
}

static void add_report(struct mover *mover, const struct bm_report *report)
{
	mover->entries_as_asked += report->reasons[BM_REASON_NONE];
	mover->bytes_swapped += report->bytes_swapped;
	mover->bytes_offloaded += report->bytes_offloaded;
	mover->windows += report->windows;
	mover->ns_window += report->ns_window;
	mover->ns_copy += report->ns_copy;
	if (report->ns_window_max > mover->ns_window_max)
		mover->ns_window_max = report->ns_window_max;
	mover->ns_plan = report->ns_plan;
	mover->ns_classify = report->ns_classify;
	mover->ns_move = report->ns_move;
	mover->ns_verify = report->ns_verify;
	for (int i = 0; i < BM_REASON_COUNT; i++)
		mover->reasons[i] += report->reasons[i];
	if (report->threads > mover->threads)
		mover->threads = report->threads;
}

double mover_run(struct mover *mover, const struct bm_request *request, size_t unit)
{
	struct bm_report report;
	struct bm_batch *batch;
	long misplaced;
	double ns = batch_ns(mover->context, request, &batch, &misplaced);
	int rc = bm_batch_report(batch, &report, sizeof(report));

	if (rc < 0)
		library_failed("bm_batch_report", rc);
	mover->batches++;
	/* With one node all are where they should be, and some may have been left there. Of
	 * ranges the reasons count pages. */
	if (!(request->flags & BM_REPLACE))
		mover->left += (uint64_t)misplaced;
	else if (request->pages)
		mover->left += request->count - report.reasons[BM_REASON_NONE];
	mover->entries += request->count;
	mover->bytes += request->count * unit;
	add_report(mover, &report);
	bm_batch_free(batch);
	return ns;
}
