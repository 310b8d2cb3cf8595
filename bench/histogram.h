/* SPDX-License-Identifier: MIT */
/* histogram.h - times in logarithmic steps of at most 1.6 %, for quantiles and curves. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6 /* 64 steps in each power of two */
#define HISTOGRAM_SUB      (1u << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_BUCKETS  ((64 - HISTOGRAM_SUB_BITS) * HISTOGRAM_SUB + HISTOGRAM_SUB)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t longest;
};

/* An empty one, to be freed with free(3); ends the program without memory. */
struct histogram *histogram_new(void);
void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* The shortest time that is counted there, nanoseconds. */
uint64_t histogram_start(unsigned int bucket);

/* How many times are @from nanoseconds or more; and a quantile of those, 0 without any. */
uint64_t histogram_count(const struct histogram *histogram, uint64_t from);
double histogram_quantile_us(const struct histogram *histogram, uint64_t from, double share);

#endif
