/* SPDX-License-Identifier: MIT */
/* swap_access.c - a thread that touches pages while they move, and how long it takes. */
#include "swap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SUB_BITS 6 /* 64 steps in each power of two: within 1.6 % */
#define SUB      (1u << SUB_BITS)
#define BUCKETS  ((64 - SUB_BITS) * SUB + SUB)
#define WAITED   5000 /* ns; no access that hits no window takes so long, interrupts apart */

struct histogram {
	uint64_t counts[BUCKETS];
	uint64_t longest;
};

struct accessor {
	pthread_t thread;
	const struct region *region;
	_Atomic(struct histogram *) into;
	atomic_int stop;
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < 2 * SUB)
		return (unsigned int)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - SUB_BITS;
	return shift * SUB + (unsigned int)(ns >> shift);
}

static uint64_t bucket_start(unsigned int bucket)
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

static void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
	if (ns > histogram->longest)
		histogram->longest = ns;
}

/* Of the times from @from nanoseconds on. */
static uint64_t count_from(const struct histogram *histogram, uint64_t from)
{
	uint64_t count = 0;

	for (unsigned int i = bucket_of(from); i < BUCKETS; i++)
		count += histogram->counts[i];
	return count;
}

static double quantile_us(const struct histogram *histogram, uint64_t from, double share)
{
	double rank = share * (double)count_from(histogram, from);
	uint64_t seen = 0;

	for (unsigned int i = bucket_of(from); i < BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen && (double)seen >= rank)
			return (double)bucket_start(i) / 1000;
	}
	return 0;
}

void histogram_extras(const struct histogram *histogram, struct result *result)
{
	uint64_t waited = count_from(histogram, WAITED);

	result_extra(result, "accesses", (double)count_from(histogram, 0));
	result_extra(result, "access_us_p50", quantile_us(histogram, 0, 0.5));
	result_extra(result, "access_us_p99", quantile_us(histogram, 0, 0.99));
	result_extra(result, "access_us_p999", quantile_us(histogram, 0, 0.999));
	result_extra(result, "access_us_max", (double)histogram->longest / 1000);
	result_extra(result, "waited", (double)waited);
	if (!waited)
		return;
	result_extra(result, "waited_us_p50", quantile_us(histogram, WAITED, 0.5));
	result_extra(result, "waited_us_p99", quantile_us(histogram, WAITED, 0.99));
	result_extra(result, "waited_us_p999", quantile_us(histogram, WAITED, 0.999));
}

/* Reads a word and writes the same: nobody else writes, so the data stays what it is. */
static void touch(char *at)
{
	volatile uint64_t *word = (volatile uint64_t *)(void *)at;

	*word = *word;
}

static void *access_main(void *arg)
{
	struct accessor *accessor = arg;
	const struct region *region = accessor->region;
	size_t pages = region->length / region->page_size;
	uint64_t random = 88172645463325252;

	while (!atomic_load_explicit(&accessor->stop, memory_order_relaxed)) {
		struct histogram *into = atomic_load(&accessor->into);
		double start;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		start = now_ns();
		touch(region->start + random % pages * region->page_size);
		if (into)
			histogram_add(into, (uint64_t)(now_ns() - start));
	}
	return NULL;
}

struct accessor *accessor_start(const struct region *region)
{
	struct accessor *accessor = calloc(1, sizeof(*accessor));

	if (!accessor)
		die("memory for the accessor");
	accessor->region = region;
	if (pthread_create(&accessor->thread, NULL, access_main, accessor) != 0)
		die("thread");
	return accessor;
}

void accessor_into(struct accessor *accessor, struct histogram *histogram)
{
	atomic_store(&accessor->into, histogram);
}

void accessor_stop(struct accessor *accessor)
{
	atomic_store(&accessor->stop, 1);
	pthread_join(accessor->thread, NULL);
	free(accessor);
}
