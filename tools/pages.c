/* SPDX-License-Identifier: MIT */
/* pages.c - bm_scan_next() over a list of mappings. */
#include "pages.h"

#include <errno.h>
#include <unistd.h>

#define EXTENTS 1024

static long walk_mapping(struct bm_scan *scan,
			 long (*visit)(void *user, const struct bm_extent *extent), void *user)
{
	long rc = 0;

	while (scan->start < scan->end && rc == 0) {
		long found = bm_scan_next(NULL, scan);

		if (found < 0)
			return found;
		for (long i = 0; i < found && rc == 0; i++)
			rc = visit(user, &scan->extents[i]);
	}
	return rc;
}

long pages_walk(const struct arguments *arguments, const struct mappings *mappings,
		long (*visit)(void *user, const struct bm_extent *extent), void *user)
{
	uint64_t mask = ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
	static struct bm_extent extents[EXTENTS];
	struct bm_scan scan;
	long rc = 0;

	for (size_t i = 0; i < mappings->count && rc == 0; i++) {
		bm_scan_init(&scan, sizeof(scan));
		scan.pid = arguments->pid;
		/* A range that was given may start within a page: the page belongs to it. */
		scan.start = mappings->list[i].start & mask;
		scan.end = mappings->list[i].end;
		scan.extents = extents;
		scan.extent_size = sizeof(extents[0]);
		scan.max = EXTENTS;
		rc = walk_mapping(&scan, visit, user);
	}
	return rc;
}
