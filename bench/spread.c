/* SPDX-License-Identifier: MIT */
/* spread.c - medians, quartiles, and whether rounds differ too much to be believed. */
#include "spread.h"

#include <math.h>
#include <stdlib.h>

/* A result that moved by more between rounds is marked. */
#define STEADY 0.10

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Between two values in proportion, as R's type 7 and NumPy do by default. */
static double quantile(const double *sorted, int count, double share)
{
	double at = share * (count - 1);
	int below = (int)at;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

struct spread spread_of(double *values, int count)
{
	struct spread spread = {0};
	double far;

	qsort(values, (size_t)count, sizeof(*values), ascending);
	for (int i = 0; i < count; i++)
		spread.mean += values[i] / count;
	spread.min = values[0];
	spread.quarter = quantile(values, count, 0.25);
	spread.median = quantile(values, count, 0.5);
	spread.three_quarters = quantile(values, count, 0.75);
	spread.max = values[count - 1];
	far = fabs(spread.median) * STEADY;
	spread.steady = spread.max <= spread.median + far && spread.min >= spread.median - far;
	return spread;
}
