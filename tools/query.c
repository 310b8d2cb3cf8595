/* SPDX-License-Identifier: MIT */
/* query.c - batchmig query: on which nodes the pages of a process are, and what they are. */
#include "pages.h"

#include <string.h>

#define NODES 1024
#define BAR   40

enum kind { KIND_BASE, KIND_HUGE, KIND_HUGETLB, KIND_FILE, KIND_SHARED, KINDS };
static const char *const kind_names[KINDS] = {"base", "huge", "hugetlb", "file", "shared"};

struct histogram {
	uint64_t bytes[NODES][KINDS];
	uint64_t total;
};

/* The one column a page is counted in. */
static enum kind kind_of(unsigned int bits)
{
	if (bits & BM_PAGE_HUGETLB)
		return KIND_HUGETLB;
	if (bits & BM_PAGE_SHARED)
		return KIND_SHARED;
	if (bits & BM_PAGE_FILE)
		return KIND_FILE;
	return bits & BM_PAGE_HUGE ? KIND_HUGE : KIND_BASE;
}

static long count(void *user, const struct bm_extent *extent)
{
	struct histogram *histogram = user;

	if (extent->node < NODES) {
		histogram->bytes[extent->node][kind_of(extent->kind)] += extent->length;
		histogram->total += extent->length;
	}
	return 0;
}

static uint64_t sum_of(const struct histogram *histogram, int node)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < KINDS; kind++)
		sum += histogram->bytes[node][kind];
	return sum;
}

static void print_table(const struct histogram *histogram, pid_t pid)
{
	static const char full[BAR + 1] = "########################################";

	printf("Process %d, MiB\n  node", (int)pid);
	for (int kind = 0; kind < KINDS; kind++)
		printf(" %9s", kind_names[kind]);
	printf(" %9s\n", "all");
	for (int node = 0; node < NODES; node++) {
		uint64_t sum = sum_of(histogram, node);

		if (sum == 0)
			continue;
		printf("  %4d", node);
		for (int kind = 0; kind < KINDS; kind++)
			printf(" %9.1f", (double)histogram->bytes[node][kind] / 1048576);
		printf(" %9.1f  %.*s\n", (double)sum / 1048576,
		       (int)(sum * BAR / histogram->total), full);
	}
}

static json_t *make_json(const struct histogram *histogram, pid_t pid)
{
	json_t *nodes = json_array();

	for (int node = 0; node < NODES; node++) {
		json_t *row = sum_of(histogram, node) ? json_object() : NULL;

		if (!row)
			continue;
		json_object_set_new(row, "node", json_integer(node));
		for (int kind = 0; kind < KINDS; kind++)
			json_object_set_new(row, kind_names[kind],
					    json_integer((json_int_t)histogram->bytes[node][kind]));
		json_object_set_new(row, "all", json_integer((json_int_t)sum_of(histogram, node)));
		json_array_append_new(nodes, row);
	}
	return json_pack("{s:i, s:s, s:o, s:I}", "pid", (int)pid, "unit", "bytes", "nodes", nodes,
			 "all", (json_int_t)histogram->total);
}

int run_query(const struct arguments *arguments)
{
	static struct histogram histogram;
	struct mappings mappings;
	long rc = mappings_read(arguments, &mappings);

	if (rc == 0)
		rc = pages_walk(arguments, &mappings, count, &histogram);
	if (rc < 0)
		return report_error("the pages", arguments->pid, rc);
	mappings_free(&mappings);
	if (arguments->json)
		return print_json(make_json(&histogram, arguments->pid));
	print_table(&histogram, arguments->pid);
	return EXIT_ALL;
}
