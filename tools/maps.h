/* SPDX-License-Identifier: MIT */
/* maps.h - the mappings of a process that were asked for. */
#ifndef MAPS_H
#define MAPS_H

#include "tool.h"

struct mapping {
	uint64_t start, end;
};

struct mappings {
	struct mapping *list;
	size_t count;
};

/* Reads /proc/PID/maps; 0 or -errno. *mappings is to be given to mappings_free(). */
int mappings_read(const struct arguments *arguments, struct mappings *mappings);
void mappings_free(struct mappings *mappings);

#endif
