/* SPDX-License-Identifier: MIT */
/* cost.c - a clock, memory of engines, and rows of the tables. */
#include "cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

double cost_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void *cost_memory(const struct bm_sys *sys, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)sys;
	return at == MAP_FAILED ? NULL : at;
}

void cost_memory_end(const struct bm_sys *sys, void *at, size_t size)
{
	(void)sys;
	munmap(at, size);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void cost_print(const char *what, double *ns, size_t rounds)
{
	qsort(ns, rounds, sizeof(*ns), compare);
	printf("| %-10s | %6.1f | %6.1f | %6.1f | %6.1f |\n", what, ns[0], ns[rounds / 10],
	       ns[rounds / 2], ns[rounds - 1 - rounds / 10]);
}
