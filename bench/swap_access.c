/* SPDX-License-Identifier: MIT */
/* swap_access.c - a thread that touches pages while they move, and how long it takes. */
#include "histogram.h"
#include "swap.h"

#include <pthread.h>
#include <stdlib.h>

#define WAITED 5000 /* ns; no access that hits no window takes so long, interrupts apart */

struct accessor {
	pthread_t thread;
	const struct region *region;
	_Atomic(struct histogram *) into;
	atomic_int stop;
};

void histogram_extras(const struct histogram *histogram, struct result *result)
{
	uint64_t waited = histogram_count(histogram, WAITED);

	result_extra(result, "accesses", (double)histogram_count(histogram, 0));
	result_extra(result, "access_us_p50", histogram_quantile_us(histogram, 0, 0.5));
	result_extra(result, "access_us_p99", histogram_quantile_us(histogram, 0, 0.99));
	result_extra(result, "access_us_p999", histogram_quantile_us(histogram, 0, 0.999));
	result_extra(result, "access_us_max", (double)histogram->longest / 1000);
	result_extra(result, "waited", (double)waited);
	if (!waited)
		return;
	result_extra(result, "waited_us_p50", histogram_quantile_us(histogram, WAITED, 0.5));
	result_extra(result, "waited_us_p99", histogram_quantile_us(histogram, WAITED, 0.99));
	result_extra(result, "waited_us_p999", histogram_quantile_us(histogram, WAITED, 0.999));
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
