/* SPDX-License-Identifier: MIT */
/* shuttle.c - finds what a process can write to and shares with nobody, and migrates it. */
#include "shuttle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STOP_US 20000 /* how often it is looked whether to stop */

struct ranges {
	struct bm_range *ranges;
	size_t count, room;
};

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ------------------------------------------------------------- what moves */

static int add(struct ranges *ranges, uintptr_t start, uintptr_t end)
{
	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : 64;
		struct bm_range *more = realloc(ranges->ranges, room * sizeof(*more));

		if (!more)
			return -1;
		ranges->ranges = more;
		ranges->room = room;
	}
	ranges->ranges[ranges->count++] =
		(struct bm_range){.addr = (void *)start, .length = end - start};
	return 0;
}

/*
 * Private, writable, of no file. What of it must not move (stacks of threads that
 * migrate, the library's own memory) the library knows itself, and refuses.
 */
static int is_wanted(const char *rights, unsigned long inode)
{
	return strncmp(rights, "rw", 2) == 0 && rights[3] == 'p' && inode == 0;
}

/* Anew for each batch: programs map and unmap. */
static int find_ranges(struct ranges *ranges, pid_t pid)
{
	char path[64] = "/proc/self/maps", line[512], rights[8];
	unsigned long start, end, inode;
	FILE *file;
	int rc = 0;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	ranges->count = 0;
	while (rc == 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, rights, &inode) == 4 &&
		    is_wanted(rights, inode))
			rc = add(ranges, start, end);
	fclose(file);
	return rc;
}

/* -------------------------------------------------------------- batches */

static void fail(struct shuttle *shuttle, const char *what, long error)
{
	shuttle->failed = what;
	shuttle->error = error;
}

static void add_report(struct shuttle *shuttle, struct bm_batch *batch)
{
	struct bm_report report;

	if (bm_batch_report(batch, &report, sizeof(report)) < 0)
		return;
	shuttle->batches++;
	shuttle->bytes_moved += report.bytes_moved;
	shuttle->bytes_swapped += report.bytes_swapped;
	for (int i = 0; i < BM_REASON_COUNT; i++)
		shuttle->reasons[i] += report.reasons[i];
}

/* One that does not count is made to its end. */
static void trip(struct shuttle *shuttle, struct bm_context *context, struct ranges *ranges,
		 int node, int counts)
{
	struct bm_request request;
	struct bm_batch *batch;
	long rc;

	if (find_ranges(ranges, shuttle->pid) < 0) {
		fail(shuttle, "memory maps of the process", -errno);
		return;
	}
	for (size_t i = 0; i < ranges->count; i++)
		ranges->ranges[i].node = node;
	bm_request_init(&request, sizeof(request));
	request.pid = shuttle->pid;
	/* For a program that makes the promise true; of another process it has no meaning. */
	request.flags =
		(shuttle->pid ? 0 : BM_QUIET) | (shuttle->from == shuttle->to ? BM_REPLACE : 0);
	request.count = ranges->count;
	request.ranges = ranges->ranges;
	request.range_size = sizeof(ranges->ranges[0]);
	rc = bm_submit(context, &request, &batch);
	if (rc < 0) {
		fail(shuttle, "bm_submit", rc);
		return;
	}
	while ((rc = bm_batch_wait(batch, STOP_US)) == -ETIMEDOUT)
		if (counts && atomic_load(&shuttle->stop))
			bm_batch_cancel(batch);
	if (rc < 0 && rc != -ECANCELED)
		fail(shuttle, "bm_batch_wait", rc);
	else if (counts)
		add_report(shuttle, batch);
	bm_batch_free(batch);
}

static int open_context(struct shuttle *shuttle, struct bm_context **context)
{
	char mover[MOVER_NAME_MAX], *slash;
	struct bm_options options;
	int rc;

	snprintf(mover, sizeof(mover), "%s", shuttle->mover);
	slash = strchr(mover, '/');
	if (slash)
		*slash = '\0';
	bm_options_init(&options, sizeof(options));
	options.mover = mover;
	options.backend = slash ? slash + 1 : NULL;
	options.pool_mb = shuttle->pool_mb;
	options.local_ranks = 1;
	rc = bm_context_new(&options, context);
	if (rc < 0)
		fail(shuttle, "bm_context_new", rc);
	return rc;
}

static void go(struct shuttle *shuttle, struct bm_context *context)
{
	struct ranges ranges = {0};
	int away = 0;
	double start;

	trip(shuttle, context, &ranges, shuttle->to, 0);
	if (!shuttle->failed)
		trip(shuttle, context, &ranges, shuttle->from, 0);
	sem_post(&shuttle->ready);
	start = seconds_now();
	while (!shuttle->failed && !atomic_load(&shuttle->stop)) {
		away = !away && shuttle->from != shuttle->to;
		trip(shuttle, context, &ranges, away ? shuttle->to : shuttle->from, 1);
	}
	shuttle->seconds = seconds_now() - start;
	/* Also where a cancelled trip left some on either node. */
	if (!shuttle->failed && shuttle->from != shuttle->to)
		trip(shuttle, context, &ranges, shuttle->from, 0);
	free(ranges.ranges);
}

static void *run(void *arg)
{
	struct shuttle *shuttle = arg;
	struct bm_context *context;

	if (open_context(shuttle, &context) < 0) {
		sem_post(&shuttle->ready);
		return NULL;
	}
	go(shuttle, context);
	bm_context_free(context);
	bm_quiesce();
	return NULL;
}

int shuttle_start(struct shuttle *shuttle)
{
	int rc;

	sem_init(&shuttle->ready, 0, 0);
	rc = pthread_create(&shuttle->thread, NULL, run, shuttle);
	return rc == 0 && sem_wait(&shuttle->ready) != 0 ? errno : rc;
}

void shuttle_stop(struct shuttle *shuttle)
{
	atomic_store(&shuttle->stop, 1);
	pthread_join(shuttle->thread, NULL);
	sem_destroy(&shuttle->ready);
}

/* Absent pages, and zero pages that were only read, are most of what a program maps; cancelled is
 * the last batch. */
static int is_told(int reason)
{
	return reason != BM_REASON_NONE && reason != BM_REASON_ALREADY &&
	       reason != BM_REASON_ABSENT && reason != BM_REASON_UNMAPPED &&
	       reason != BM_REASON_CANCELED;
}

void shuttle_reasons(const struct shuttle *shuttle, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (int i = 0; i < BM_REASON_COUNT && at < size; i++)
		if (is_told(i) && shuttle->reasons[i])
			at += (size_t)snprintf(text + at, size - at, " %s=%" PRIu64,
					       bm_reason_name(i), shuttle->reasons[i]);
}
