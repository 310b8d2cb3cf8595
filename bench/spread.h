/* SPDX-License-Identifier: MIT */
/* spread.h - what many measurements of the same come to. */
#ifndef BENCH_SPREAD_H
#define BENCH_SPREAD_H

/* Half of the values are between the quartiles. */
struct spread {
	double min, quarter, median, three_quarters, max, mean;
	int steady; /* no round is more than a tenth away from the median */
};

/* Of @count values, at least one, in any order; they are sorted. */
struct spread spread_of(double *values, int count);

#endif
