/* SPDX-License-Identifier: MIT */
/* migrate.c - batchmig migrate: moves the pages of a process from node to node. */
#include "pages.h"
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Base pages in a batch: long enough for large calls, short enough for a live bar. */
#define BATCH 16384u
#define MIB   1048576.0

struct migration {
	const struct arguments *arguments;
	uint64_t page_size, huge_size;
	void **pages;
	int *nodes, *status;
	size_t count;       /* entries waiting */
	uint64_t weight;    /* bytes they stand for */
	uint64_t found, done, last_huge; /* bytes; the last huge page that was named */
	struct bm_tally tally;           /* entries */
	uint64_t bytes_moved;
	struct progress progress;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int wanted(const struct migration *migration, const struct bm_extent *extent)
{
	if (migration->arguments->from == ANY_NODE)
		return extent->node != migration->arguments->to;
	return extent->node == migration->arguments->from;
}

static long add_up(void *user, const struct bm_extent *extent)
{
	struct migration *migration = user;

	if (wanted(migration, extent))
		migration->found += extent->length;
	return stopped;
}

static void add_tally(struct bm_tally *sum, const struct bm_tally *part)
{
	sum->pages += part->pages;
	sum->moved += part->moved;
	sum->already += part->already;
	sum->failed += part->failed;
	sum->retried += part->retried;
	for (size_t i = 0; i < BM_ERRNO_SLOTS && part->by_errno[i].pages; i++) {
		size_t slot = 0;

		while (slot < BM_ERRNO_SLOTS - 1 && sum->by_errno[slot].pages &&
		       sum->by_errno[slot].error != part->by_errno[i].error)
			slot++;
		sum->by_errno[slot].error = part->by_errno[i].error;
		sum->by_errno[slot].pages += part->by_errno[i].pages;
	}
}

static long flush(struct migration *migration)
{
	struct bm_request request;
	struct bm_batch *batch;
	struct bm_report report;
	long rc;

	if (migration->count == 0)
		return 0;
	bm_request_init(&request, sizeof(request));
	request.pid = migration->arguments->pid;
	request.flags = migration->arguments->all ? BM_MOVE_ALL : 0;
	request.count = migration->count;
	request.pages = migration->pages;
	request.nodes = migration->nodes;
	request.status = migration->status;
	rc = bm_submit(NULL, &request, &batch);
	if (rc < 0)
		return rc;
	bm_batch_wait(batch, BM_FOREVER);
	bm_batch_report(batch, &report, sizeof(report));
	bm_batch_free(batch);
	add_tally(&migration->tally, &report.tally);
	migration->bytes_moved += report.bytes_moved;
	migration->done += migration->weight;
	migration->count = 0;
	migration->weight = 0;
	progress_show(&migration->progress, migration->done);
	return 0;
}

/* Names the pages of an extent, of each huge page only the first one. */
static long collect(void *user, const struct bm_extent *extent)
{
	struct migration *migration = user;
	int huge = extent->kind & BM_PAGE_HUGE && migration->huge_size;
	uint64_t end = extent->addr + extent->length, next;
	long rc = 0;

	if (stopped || !wanted(migration, extent))
		return stopped;
	for (uint64_t addr = extent->addr; addr < end && rc == 0; addr = next) {
		uint64_t unit = huge ? migration->huge_size : migration->page_size;

		next = (addr & ~(unit - 1)) + unit;
		next = next < end ? next : end;
		migration->weight += next - addr;
		/* The scan may have stopped in the middle of a huge page. */
		if (huge && (addr & ~(unit - 1)) == migration->last_huge)
			continue;
		migration->last_huge = huge ? addr & ~(unit - 1) : 1;
		migration->pages[migration->count] = (void *)(uintptr_t)addr;
		migration->nodes[migration->count++] = migration->arguments->to;
		if (migration->weight >= BATCH * migration->page_size ||
		    migration->count == BATCH)
			rc = flush(migration);
	}
	return rc;
}

static void print_summary(const struct migration *migration, double seconds)
{
	const struct bm_tally *tally = &migration->tally;

	printf("%.1f MiB found on node %s%d, %.1f MiB moved to node %d in %.2f s (%.1f MB/s)\n",
	       (double)migration->found / MIB, migration->arguments->from == ANY_NODE ? "!" : "",
	       migration->arguments->from == ANY_NODE ? migration->arguments->to
						      : migration->arguments->from,
	       (double)migration->bytes_moved / MIB, migration->arguments->to, seconds,
	       seconds > 0 ? (double)migration->bytes_moved / seconds / 1e6 : 0);
	printf("%llu pages: %llu moved, %llu already there, %llu not moved\n",
	       (unsigned long long)tally->pages, (unsigned long long)tally->moved,
	       (unsigned long long)tally->already, (unsigned long long)tally->failed);
	for (size_t i = 0; i < BM_ERRNO_SLOTS && tally->by_errno[i].pages; i++)
		printf("  %8llu  %s: %s\n", (unsigned long long)tally->by_errno[i].pages,
		       tally->by_errno[i].error ? strerrorname_np(tally->by_errno[i].error)
						: "elsewhere",
		       tally->by_errno[i].error ? bm_error_text(tally->by_errno[i].error)
						: "on another node than asked");
	if (stopped)
		printf("stopped by a signal: what was moved stays moved\n");
}

static json_t *make_json(const struct migration *migration, double seconds, const char *result)
{
	const struct bm_tally *tally = &migration->tally;
	json_t *errors = json_object();

	for (size_t i = 0; i < BM_ERRNO_SLOTS && tally->by_errno[i].pages; i++)
		json_object_set_new(errors,
				    tally->by_errno[i].error
					    ? strerrorname_np(tally->by_errno[i].error)
					    : "elsewhere",
				    json_integer((json_int_t)tally->by_errno[i].pages));
	return json_pack("{s:i, s:i, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:f, s:s}", "pid",
			 (int)migration->arguments->pid, "from", migration->arguments->from, "to",
			 migration->arguments->to, "dry_run", migration->arguments->dry_run,
			 "bytes_found", (json_int_t)migration->found, "bytes_moved",
			 (json_int_t)migration->bytes_moved, "pages", (json_int_t)tally->pages,
			 "moved", (json_int_t)tally->moved, "already",
			 (json_int_t)tally->already, "failed", (json_int_t)tally->failed, "errors",
			 errors, "seconds", seconds, "result", result);
}

static int finish(const struct migration *migration, double seconds)
{
	static const char *const results[] = {"all", "", "", "some", "none"};
	const struct bm_tally *tally = &migration->tally;
	int rc = EXIT_ALL, printed = 0;

	if (migration->arguments->dry_run)
		seconds = 0;
	else if (tally->failed > 0 || stopped)
		rc = tally->moved + tally->already > 0 ? EXIT_SOME : EXIT_NONE;
	if (migration->arguments->json)
		printed = print_json(make_json(migration, seconds, results[rc]));
	else if (migration->arguments->dry_run)
		printf("%.1f MiB would be moved to node %d\n", (double)migration->found / MIB,
		       migration->arguments->to);
	else
		print_summary(migration, seconds);
	return printed ? printed : rc;
}

static int prepare(struct migration *migration)
{
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info), known = 0;
	const struct bm_node_info *node;

	if (rc < 0)
		return rc;
	for (size_t i = 0; (node = bm_info_node(info, i)); i++)
		known |= node->id == migration->arguments->to;
	migration->page_size = bm_info_page_size(info);
	migration->huge_size = bm_info_huge_size(info);
	migration->last_huge = 1; /* no address of a huge page */
	bm_info_free(info);
	if (!known)
		usage_error("--to %d: there is no such node with memory, see batchmig info",
			    migration->arguments->to);
	migration->pages = calloc(BATCH, sizeof(*migration->pages));
	migration->nodes = calloc(BATCH, sizeof(*migration->nodes));
	migration->status = calloc(BATCH, sizeof(*migration->status));
	return migration->pages && migration->nodes && migration->status ? 0 : -ENOMEM;
}

static long move(struct migration *migration, const struct mappings *mappings, double *seconds)
{
	const struct arguments *arguments = migration->arguments;
	long rc = pages_walk(arguments, mappings, add_up, migration);

	if (rc != 0 || arguments->dry_run)
		return rc < 0 ? rc : 0;
	progress_start(&migration->progress, !arguments->quiet && !arguments->json,
		       migration->found);
	rc = pages_walk(arguments, mappings, collect, migration);
	if (rc == 0)
		rc = flush(migration);
	*seconds = progress_end(&migration->progress, migration->done);
	return rc;
}

int run_migrate(const struct arguments *arguments)
{
	struct migration migration = {.arguments = arguments};
	struct sigaction action = {.sa_handler = stop};
	struct mappings mappings = {0};
	double seconds = 0;
	long rc = prepare(&migration);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (rc == 0)
		rc = mappings_read(arguments, &mappings);
	if (rc == 0)
		rc = move(&migration, &mappings, &seconds);
	mappings_free(&mappings);
	free(migration.pages);
	free(migration.nodes);
	free(migration.status);
	/* Ended half way: what was moved is told, and then why it stopped. */
	if (rc < 0 && migration.tally.pages > 0)
		finish(&migration, seconds);
	if (rc < 0)
		return report_error("the pages", arguments->pid, rc);
	return finish(&migration, seconds);
}
