/* SPDX-License-Identifier: MIT */
/* chase.h - how long an access takes that has to wait for the one before. */
#ifndef BENCH_CHASE_H
#define BENCH_CHASE_H

#include "memory.h"

struct chase {
	size_t *lines; /* of some pages one each, in the order in which they are read */
	size_t count;
};

/* For regions of this length; the order is the same each time. */
void chase_new(struct chase *chase, const struct setup *setup, size_t length);
void chase_free(struct chase *chase);

/* Nanoseconds of an access, when the caches are as such accesses leave them. Writes nothing. */
double chase_ns(const struct chase *chase, const struct region *region);

#endif
