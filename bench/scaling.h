/* SPDX-License-Identifier: MIT */
/* scaling.h - what the parts of batchmig-bench scaling share. */
#ifndef BENCH_SCALING_H
#define BENCH_SCALING_H

#include "memory.h"
#include "mover.h"
#include "setup.h"

struct scaling {
	struct setup setup;
	long counts[LISTED_MAX];
	int count_count;
	const char *names[MOVERS_MAX];
	int name_count;
};

/* What moves. */
struct field {
	const struct setup *setup;
	struct region region;
	size_t count;
	void **pages;
	int *nodes, *status;
};

void field_open(struct field *field, const struct setup *setup, size_t count);
void field_close(struct field *field);

/* All movers, by so many threads each: rounds and rows. */
void scaling_measure(const struct scaling *scaling, struct field *field, int threads);

#endif
