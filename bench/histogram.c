/* SPDX-License-Identifier: MIT */
/* histogram.c - times in logarithmic steps of at most 1.6 %, for quantiles and curves. */
#include "histogram.h"
#include "setup.h"

#include <stdlib.h>
#include <string.h>

#define SUB_BITS HISTOGRAM_SUB_BITS
#define SUB      HISTOGRAM_SUB

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < 2 * SUB)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - SUB_BITS;
	return shift * SUB + (unsigned int)(ns >> shift);
}

uint64_t histogram_start(unsigned int bucket)
{
	if (bucket < 2 * SUB)
		return bucket;
	return (uint64_t)(bucket % SUB + SUB) << (bucket / SUB - 1);
}

struct histogram *histogram_new(void)
{
	struct histogram *histogram = calloc(1, sizeof(*histogram));

	if (!histogram)
		die("memory for a histogram");
	return histogram;
}

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
	if (ns > histogram->longest)
		histogram->longest = ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->counts[i] += from->counts[i];
	if (from->longest > to->longest)
		to->longest = from->longest;
}

uint64_t histogram_count(const struct histogram *histogram, uint64_t from)
{
	uint64_t count = 0;

	for (unsigned int i = bucket_of(from); i < HISTOGRAM_BUCKETS; i++)
		count += histogram->counts[i];
	return count;
}

double histogram_quantile_us(const struct histogram *histogram, uint64_t from, double share)
{
	double rank = share * (double)histogram_count(histogram, from);
	uint64_t seen = 0;

	for (unsigned int i = bucket_of(from); i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen && (double)seen >= rank)
			return (double)histogram_start(i) / 1000;
	}
	return 0;
}
