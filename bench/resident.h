/* SPDX-License-Identifier: MIT */
/* resident.h - how much memory this process has at its peak. */
#ifndef BENCH_RESIDENT_H
#define BENCH_RESIDENT_H

struct resident {
	double before; /* bytes; -1: the kernel does not tell */
	int is_bound;  /* the peak could not be reset: an earlier one may have been higher */
};

/* Also gives back what the heap has kept of earlier batches. */
void resident_begin(struct resident *resident);
/* Bytes by which the resident set has been larger at most since then, or -1. */
double resident_growth(const struct resident *resident);

#endif
