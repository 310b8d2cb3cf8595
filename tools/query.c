/* SPDX-License-Identifier: MIT */
/* query.c - batchmig query: on which nodes the pages of a process are, and what they are. */
#include "pages.h"

#include <string.h>
#include <unistd.h>

#define NODES 1024
#define BAR   40

enum kind { KIND_BASE, KIND_HUGE, KIND_HUGETLB, KIND_FILE, KIND_SHARED, KINDS };
static const char *const kind_names[KINDS] = {"base", "huge", "hugetlb", "file", "shared"};

struct histogram {
	uint64_t bytes[NODES][KINDS];
	uint64_t total;
	uint64_t unknown; /* of which the kernel does not tell the node */
	uint64_t page_size;
};

/* The one row a page is counted in. */
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

static long count(void *user, const struct mapping *mapping, const struct bm_extent *extent)
{
	struct histogram *histogram = user;

	(void)mapping;
	if (extent->node >= 0 && extent->node < NODES) {
		histogram->bytes[extent->node][kind_of(extent->kind)] += extent->length;
		histogram->total += extent->length;
	} else {
		histogram->unknown += extent->length;
	}
	return 0;
}

static uint64_t sum_of(const uint64_t *bytes)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < KINDS; kind++)
		sum += bytes[kind];
	return sum;
}

static void print_row(const struct histogram *histogram, const char *node, const char *kind,
		      uint64_t bytes)
{
	printf("  %4s  %-7s  %10llu  %10.1f", node, kind,
	       (unsigned long long)(bytes / histogram->page_size), (double)bytes / MIB);
}

static void print_node(const struct histogram *histogram, const char *node, const uint64_t *bytes)
{
	static const char full[BAR + 1] = "########################################";
	uint64_t sum = sum_of(bytes);
	double share = histogram->total ? (double)sum / (double)histogram->total : 0;

	for (int kind = 0; kind < KINDS; kind++) {
		if (!bytes[kind])
			continue;
		print_row(histogram, node, kind_names[kind], bytes[kind]);
		putchar('\n');
	}
	print_row(histogram, node, "all", sum);
	printf("  %3.0f %%  %.*s\n", share * 100, (int)(share * BAR), full);
}

static void print_table(const struct histogram *histogram, pid_t pid)
{
	uint64_t totals[KINDS] = {0};
	int shown = 0;

	printf("Process %d, present pages of %llu bytes\n  node  kind          pages         MiB\n",
	       (int)pid, (unsigned long long)histogram->page_size);
	for (int node = 0; node < NODES; node++) {
		char name[12];

		if (sum_of(histogram->bytes[node]) == 0)
			continue;
		for (int kind = 0; kind < KINDS; kind++)
			totals[kind] += histogram->bytes[node][kind];
		snprintf(name, sizeof(name), "%d", node);
		print_node(histogram, name, histogram->bytes[node]);
		shown++;
	}
	if (histogram->unknown) {
		print_row(histogram, "?", "unknown", histogram->unknown);
		puts("  marked by NUMA balancing: this kernel does not tell their node");
	}
	/* With one node these rows would say everything twice. */
	if (shown != 1)
		print_node(histogram, "all", totals);
}

static json_t *make_row(const struct histogram *histogram, int node)
{
	const uint64_t *bytes = histogram->bytes[node];
	uint64_t sum = sum_of(bytes);
	json_t *row = json_pack("{s:i, s:I}", "node", node, "pages",
				(json_int_t)(sum / histogram->page_size));

	for (int kind = 0; kind < KINDS; kind++)
		json_object_set_new(row, kind_names[kind], json_integer((json_int_t)bytes[kind]));
	json_object_set_new(row, "all", json_integer((json_int_t)sum));
	return row;
}

static json_t *make_json(const struct histogram *histogram, pid_t pid)
{
	json_t *nodes = json_array();

	for (int node = 0; node < NODES; node++) {
		if (sum_of(histogram->bytes[node]))
			json_array_append_new(nodes, make_row(histogram, node));
	}
	return json_pack("{s:i, s:s, s:I, s:o, s:I, s:I, s:I}", "pid", (int)pid, "unit", "bytes",
			 "page_size", (json_int_t)histogram->page_size, "nodes", nodes, "pages",
			 (json_int_t)(histogram->total / histogram->page_size), "all",
			 (json_int_t)histogram->total, "unknown", (json_int_t)histogram->unknown);
}

int run_query(const struct arguments *arguments)
{
	static struct histogram histogram;
	struct mappings mappings;
	long rc = mappings_read(arguments, &mappings);

	histogram.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (rc == 0)
		rc = process_check(arguments, pages_walk(arguments, &mappings, count, &histogram));
	if (rc == 0)
		pages_note_none(arguments, &mappings);
	mappings_free(&mappings);
	if (rc < 0)
		return report_error(arguments, rc);
	if (arguments->json)
		return print_json(make_json(&histogram, arguments->pid));
	print_table(&histogram, arguments->pid);
	return EXIT_ALL;
}
