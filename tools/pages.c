/* SPDX-License-Identifier: MIT */
/* pages.c - bm_scan_next() over a list of mappings. */
#include "pages.h"

#define EXTENTS 1024

static long walk_mapping(struct bm_scan *scan, const struct mapping *mapping, visit_fn *visit,
			 void *user)
{
	long rc = 0;

	while (scan->start < scan->end && rc == 0) {
		long found = bm_scan_next(NULL, scan);

		if (found < 0)
			return found;
		for (long i = 0; i < found && rc == 0; i++)
			rc = visit(user, mapping, &scan->extents[i]);
	}
	return rc;
}

long pages_walk(const struct arguments *arguments, const struct mappings *mappings, visit_fn *visit,
		void *user)
{
	static struct bm_extent extents[EXTENTS];
	struct bm_scan scan;
	long rc = 0;

	for (size_t i = 0; i < mappings->count && rc == 0; i++) {
		bm_scan_init(&scan, sizeof(scan));
		scan.pid = arguments->pid;
		scan.start = mappings->list[i].start;
		scan.end = mappings->list[i].end;
		scan.extents = extents;
		scan.extent_size = sizeof(extents[0]);
		scan.max = EXTENTS;
		rc = walk_mapping(&scan, &mappings->list[i], visit, user);
	}
	return rc;
}

void pages_note_none(const struct arguments *arguments, const struct mappings *mappings)
{
	if (mappings->count == 0 && arguments->selection_count && !arguments->quiet)
		complain("process %d has no mapping that --map names: see /proc/%d/maps",
			 (int)arguments->pid, (int)arguments->pid);
}
