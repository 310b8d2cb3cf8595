/* SPDX-License-Identifier: MIT */
/* migrate.c - batchmig migrate: moves the pages of a process from node to node. */
#include "batch.h"
#include "pages.h"
#include "stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_HUGE 1u /* no address of a huge page */

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
	return stop_asked();
}

/*
 * Names the pages of a huge page, or a base page. The library must see the whole
 * of a huge page, to know how long it takes and how much it is: where a scan
 * stops within one the rest belongs to the same batch.
 */
static long add_pages(struct migration *migration, uint64_t addr, uint64_t end, uint64_t huge)
{
	uint64_t page_size = migration->page_size;
	size_t room = huge == NO_HUGE ? 1 : migration->huge_size / page_size;
	long rc = 0;

	if (migration->count + room > BATCH && (huge == NO_HUGE || huge != migration->last_huge))
		rc = batch_move(migration);
	if (rc != 0 || stop_asked())
		return rc < 0 ? rc : 1;
	migration->last_huge = huge;
	for (; addr < end; addr += page_size) {
		migration->pages[migration->count] = (void *)(uintptr_t)addr;
		migration->nodes[migration->count++] = migration->arguments->to;
	}
	return 0;
}

static long collect(void *user, const struct mapping *mapping, const struct bm_extent *extent)
{
	struct migration *migration = user;
	int is_huge = extent->kind & BM_PAGE_HUGE && migration->huge_size &&
		      migration->huge_size <= BATCH * migration->page_size;
	uint64_t unit = is_huge ? migration->huge_size : migration->page_size;
	uint64_t end = extent->addr + extent->length, next;
	long rc = stop_asked();

	(void)mapping;
	if (!wanted(migration, extent))
		return rc;
	for (uint64_t addr = extent->addr; addr < end && rc == 0; addr = next) {
		uint64_t first = addr & ~(unit - 1);

		next = first + unit < end ? first + unit : end;
		rc = add_pages(migration, addr, next, is_huge ? first : NO_HUGE);
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

/* "" for an option that the library does not know. */
static const char *option_value(const struct bm_info *info, const char *name)
{
	const struct bm_option_info *option;

	for (size_t i = 0; (option = bm_info_option(info, i)); i++) {
		if (strcmp(option->name, name) == 0)
			return option->value;
	}
	return "";
}

static int is_fact(const struct bm_info *info, const char *name)
{
	const struct bm_fact *fact;

	for (size_t i = 0; (fact = bm_info_kernel(info, i)); i++) {
		if (strcmp(fact->name, name) == 0)
			return strcmp(fact->value, "yes") == 0;
	}
	return 0;
}

/* What no choice of nodes would mend. */
static void check_machine(const struct bm_info *info)
{
	if (!bm_info_node(info, 0))
		give_up("no NUMA nodes are known: a kernel without CONFIG_NUMA, no "
			"/sys/devices/system/node, or a container that forbids get_mempolicy(2)");
	if (strcmp(option_value(info, "mover"), "mbind") == 0)
		give_up("BATCHMIG_MOVER=mbind is not possible for another process: it must be auto "
			"or move_pages");
}

/* One context for all batches: a rate holds for them together. */
static int open_context(struct migration *migration)
{
	const struct arguments *arguments = migration->arguments;
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.max_stall_us = arguments->max_stall_us;
	options.bound = arguments->bound;
	options.max_bytes_per_s = arguments->max_bytes_per_s;
	return bm_context_new(&options, &migration->context);
}

static void read_info(struct migration *migration, const struct bm_info *info)
{
	check_machine(info);
	if (migration->arguments->from != ANY_NODE)
		check_node(info, "--from", migration->arguments->from);
	check_node(info, "--to", migration->arguments->to);
	migration->page_size = bm_info_page_size(info);
	migration->huge_size = bm_info_huge_size(info);
	migration->sees_huge = migration->huge_size == 0 || is_fact(info, "PAGEMAP_SCAN");
	migration->max_stall_us = strtoll(option_value(info, "max_stall_us"), NULL, 10);
	migration->max_bytes_per_s = strtoll(option_value(info, "max_bytes_per_s"), NULL, 10);
	migration->is_wish = strcmp(option_value(info, "bound"), "wish") == 0;
}

static int prepare(struct migration *migration)
{
	struct bm_info *info;
	int rc = open_context(migration);

	if (rc == 0)
		rc = bm_info_new(migration->context, &info);
	if (rc < 0)
		return rc;
	read_info(migration, info);
	bm_info_free(info);
	return batch_prepare(migration);
}

static long move(struct migration *migration, const struct mappings *mappings)
{
	const struct arguments *arguments = migration->arguments;
	long rc = pages_walk(arguments, mappings, add_up, migration);

	if (rc != 0 || arguments->dry_run)
		return rc;
	if (migration_note(migration) && !arguments->quiet)
		complain("note: %s", migration_note(migration));
	progress_start(&migration->progress, !arguments->quiet && !arguments->json,
		       migration_found(migration));
	rc = pages_walk(arguments, mappings, collect, migration);
	if (rc == 0 && migration->count)
		rc = stop_asked() ? 1 : batch_move(migration);
	migration->seconds = progress_end(&migration->progress, migration->done);
	return rc;
}

/* A process that ends is no error of a batch or a scan: some pages are just not there. */
static int is_incomplete(const struct migration *migration)
{
	return migration->tally.failed || migration->done < migration_found(migration);
}

int run_migrate(const struct arguments *arguments)
{
	struct migration migration = {.arguments = arguments, .last_huge = NO_HUGE};
	struct mappings mappings = {0};
	long rc = prepare(&migration);
	int status;

	stop_catch();
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
	batch_release(&migration);
	bm_context_free(migration.context);
	return status;
}
