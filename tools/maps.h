/* SPDX-License-Identifier: MIT */
/* maps.h - the mappings of a process that were asked for. */
#ifndef MAPS_H
#define MAPS_H

#include "tool.h"

enum mapping_kind {
	MAPPING_HEAP,   /* [heap] */
	MAPPING_STACK,  /* [stack]: of the first thread; others are anonymous */
	MAPPING_ANON,   /* private, without a file; huge pages of hugetlbfs too */
	MAPPING_FILE,   /* private, of a file */
	MAPPING_SHARED, /* MAP_SHARED, of a file or memory */
	MAPPING_KINDS
};

struct mapping {
	uint64_t start, end;
	enum mapping_kind kind;
};

struct mappings {
	struct mapping *list;
	size_t count;
};

/* "heap", "stack", "anon", "file", "shared". */
const char *mapping_kind_name(enum mapping_kind kind);

/*
 * Reads /proc/PID/maps. Returns 0 or -errno: -ESRCH also for a process that
 * has no memory. *mappings is to be given to mappings_free().
 */
int mappings_read(const struct arguments *arguments, struct mappings *mappings);
void mappings_free(struct mappings *mappings);

/* -ESRCH when the process has ended meanwhile, else rc: that explains less. */
long process_check(const struct arguments *arguments, long rc);

#endif
