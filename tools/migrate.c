/* SPDX-License-Identifier: MIT */
/* migrate.c - batchmig migrate: moves the pages of a process from node to node. */
#include "migrate.h"
#include "pages.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Base pages in a batch: long enough for large calls, short enough for a live bar. */
#define BATCH   16384u
#define NO_HUGE 1u /* no address of a huge page */

static volatile sig_atomic_t signalled;

static void stop(int signal)
{
	(void)signal;
	signalled = 1;
}

static int wanted(const struct migration *migration, const struct bm_extent *extent)
{
	if (migration->arguments->from == ANY_NODE)
		return extent->node != migration->arguments->to;
	return extent->node == migration->arguments->from;
}

static long add_up(void *user, const struct mapping *mapping, const struct bm_extent *extent)
{
	struct migration *migration = user;

	if (wanted(migration, extent)) {
		migration->found[mapping->kind] += extent->length;
		if (extent->kind & BM_PAGE_SHARED)
			migration->shared += extent->length;
	} else if (extent->node < 0)
		migration->unknown += extent->length;
	return signalled;
}

static void count_error(struct bm_tally *tally, int error, uint64_t pages)
{
	size_t slot = 0;

	while (slot < BM_ERRNO_SLOTS - 1 && tally->by_errno[slot].pages &&
	       tally->by_errno[slot].error != error)
		slot++;
	tally->by_errno[slot].error = error;
	tally->by_errno[slot].pages += pages;
}

/*
 * The report of a batch counts entries, and bytes as they were named; here a
 * huge page, of which one address was named, counts as all its base pages.
 */
static void count_batch(struct migration *migration)
{
	struct bm_tally *tally = &migration->tally;

	for (size_t i = 0; i < migration->count; i++) {
		int status = migration->status[i];
		uint64_t pages = migration->weights[i];

		tally->pages += pages;
		if (status != migration->arguments->to) {
			tally->failed += pages;
			count_error(tally, status < 0 ? -status : 0, pages);
		} else if (migration->reasons[i] == BM_REASON_ALREADY) {
			tally->already += pages;
		} else {
			tally->moved += pages;
		}
	}
}

static long move_batch(struct migration *migration)
{
	struct bm_request request;
	struct bm_batch *batch;
	long rc;

	bm_request_init(&request, sizeof(request));
	request.pid = migration->arguments->pid;
	request.flags = migration->arguments->all ? BM_MOVE_ALL : 0;
	request.count = migration->count;
	request.pages = migration->pages;
	request.nodes = migration->nodes;
	request.status = migration->status;
	request.reasons = migration->reasons;
	rc = bm_submit(NULL, &request, &batch);
	if (rc < 0)
		return rc;
	rc = bm_batch_wait(batch, BM_FOREVER);
	bm_batch_free(batch);
	if (rc < 0)
		return rc;
	count_batch(migration);
	migration->done += migration->waiting * migration->page_size;
	migration->count = 0;
	migration->waiting = 0;
	progress_show(&migration->progress, migration->done);
	return 0;
}

static long add_page(struct migration *migration, uint64_t addr, uint64_t huge, uint32_t weight)
{
	long rc = 0;

	/* A scan may have stopped within a huge page: the rest of it belongs to that entry. */
	if (migration->count && huge == migration->last_huge && huge != NO_HUGE) {
		migration->weights[migration->count - 1] += weight;
		migration->waiting += weight;
		return 0;
	}
	if (migration->count == BATCH || migration->waiting >= BATCH)
		rc = move_batch(migration);
	if (rc < 0 || signalled)
		return rc < 0 ? rc : 1;
	migration->last_huge = huge;
	migration->pages[migration->count] = (void *)(uintptr_t)addr;
	migration->nodes[migration->count] = migration->arguments->to;
	migration->weights[migration->count++] = weight;
	migration->waiting += weight;
	return 0;
}

/* Names the pages of an extent, of each huge page only the first one. */
static long collect(void *user, const struct mapping *mapping, const struct bm_extent *extent)
{
	struct migration *migration = user;
	int is_huge = extent->kind & BM_PAGE_HUGE && migration->huge_size;
	uint64_t unit = is_huge ? migration->huge_size : migration->page_size;
	uint64_t end = extent->addr + extent->length, next;
	long rc = signalled;

	(void)mapping;
	if (!wanted(migration, extent))
		return rc;
	for (uint64_t addr = extent->addr; addr < end && rc == 0; addr = next) {
		uint64_t first = addr & ~(unit - 1);

		next = first + unit < end ? first + unit : end;
		rc = add_page(migration, addr, is_huge ? first : NO_HUGE,
			      (uint32_t)((next - addr) / migration->page_size));
	}
	return rc;
}

static void check_node(const struct bm_info *info, const char *option, int id)
{
	const struct bm_node_info *node;
	char known[256] = "";
	size_t length = 0;

	for (size_t i = 0; (node = bm_info_node(info, i)); i++) {
		if (node->id == id && node->memory_bytes)
			return;
		if (node->memory_bytes && length < sizeof(known))
			length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%d",
						   length ? ", " : "", node->id);
	}
	usage_error("%s %d: there is no such node with memory, only %s", option, id, known);
}

__attribute__((noreturn)) static void give_up(const char *why)
{
	complain("%s", why);
	exit(EXIT_FAILED);
}

/* What no choice of nodes would mend. */
static void check_machine(const struct bm_info *info)
{
	const struct bm_option_info *option;

	if (!bm_info_node(info, 0))
		give_up("no NUMA nodes are known: a kernel without CONFIG_NUMA, no "
			"/sys/devices/system/node, or a container that forbids get_mempolicy(2)");
	for (size_t i = 0; (option = bm_info_option(info, i)); i++) {
		if (strcmp(option->name, "mover") == 0 && strcmp(option->value, "mbind") == 0)
			give_up("BATCHMIG_MOVER=mbind is not possible for another process: it "
				"must be auto or move_pages");
	}
}

static int prepare(struct migration *migration)
{
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info);

	if (rc < 0)
		return rc;
	check_machine(info);
	if (migration->arguments->from != ANY_NODE)
		check_node(info, "--from", migration->arguments->from);
	check_node(info, "--to", migration->arguments->to);
	migration->page_size = bm_info_page_size(info);
	migration->huge_size = bm_info_huge_size(info);
	bm_info_free(info);
	migration->pages = calloc(BATCH, sizeof(*migration->pages));
	migration->nodes = calloc(BATCH, sizeof(*migration->nodes));
	migration->status = calloc(BATCH, sizeof(*migration->status));
	migration->reasons = calloc(BATCH, sizeof(*migration->reasons));
	migration->weights = calloc(BATCH, sizeof(*migration->weights));
	return migration->pages && migration->nodes && migration->status && migration->reasons &&
			       migration->weights
		       ? 0
		       : -ENOMEM;
}

static void release(struct migration *migration)
{
	free(migration->pages);
	free(migration->nodes);
	free(migration->status);
	free(migration->reasons);
	free(migration->weights);
}

static long move(struct migration *migration, const struct mappings *mappings)
{
	const struct arguments *arguments = migration->arguments;
	long rc = pages_walk(arguments, mappings, add_up, migration);

	if (rc != 0 || arguments->dry_run)
		return rc;
	progress_start(&migration->progress, !arguments->quiet && !arguments->json,
		       migration_found(migration));
	rc = pages_walk(arguments, mappings, collect, migration);
	if (rc == 0 && migration->count)
		rc = signalled ? 1 : move_batch(migration);
	migration->seconds = progress_end(&migration->progress, migration->done);
	return rc;
}

/* A process that ends is no error of a batch or a scan: some pages are just not there. */
static int is_incomplete(const struct migration *migration)
{
	return migration->tally.failed || migration->done < migration_found(migration);
}

/* A second signal ends the program at once. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = stop,
				   .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int run_migrate(const struct arguments *arguments)
{
	struct migration migration = {.arguments = arguments, .last_huge = NO_HUGE};
	struct mappings mappings = {0};
	long rc = prepare(&migration);
	int status;

	catch_signals();
	if (rc == 0)
		rc = mappings_read(arguments, &mappings);
	if (rc == 0) {
		pages_note_none(arguments, &mappings);
		rc = move(&migration, &mappings);
		if (rc < 0 || (rc == 0 && is_incomplete(&migration)))
			rc = process_check(arguments, rc);
	}
	migration.stopped = rc > 0;
	migration.error = rc < 0 ? rc : 0;
	status = migration_finish(&migration);
	mappings_free(&mappings);
	release(&migration);
	return status;
}
