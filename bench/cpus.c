/* SPDX-License-Identifier: MIT */
/* cpus.c - the order of CPUs, by libnuma (nodes) and sysfs (cores and caches). */
#include "cpus.h"

#include <numa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "setup.h"

#define CORE_FILE  "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list"
#define CACHE_FILE "/sys/devices/system/cpu/cpu%d/cache/index%d/%s"
#define PATH_BYTES 96

enum place { NEAR, FAR, ELSEWHERE };

struct cpu {
	int number;
	int core, cache; /* the least number of those that share it */
	enum place place;
	int thread; /* so many of its core come before */
	int turn;   /* so many of its cache that are such a thread come before */
};

static cpu_set_t given;
static struct cpu cpus[CPU_SETSIZE];
static int count;
static pthread_once_t found = PTHREAD_ONCE_INIT;

static void find(void)
{
	if (sched_getaffinity(getpid(), sizeof(given), &given) < 0)
		die("sched_getaffinity");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &given))
			cpus[count++].number = cpu;
}

const cpu_set_t *cpus_given(void)
{
	pthread_once(&found, find);
	return &given;
}

size_t cpus_nth(int nth)
{
	pthread_once(&found, find);
	return (size_t)cpus[nth % count].number;
}

/* ---------------------------------------------------------------- the order */

/* That a file begins with; -1: none. */
static int number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	int number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static int core_of(int cpu)
{
	char path[PATH_BYTES];
	int first;

	snprintf(path, sizeof(path), CORE_FILE, cpu);
	first = number_in(path);
	return first < 0 ? cpu : first;
}

/* Of the highest level; where no cache is told all CPUs share one. */
static int cache_of(int cpu)
{
	int cache = -1, highest = 0, level;
	char path[PATH_BYTES];

	for (int index = 0;; index++) {
		snprintf(path, sizeof(path), CACHE_FILE, cpu, index, "level");
		level = number_in(path);
		if (level < 0)
			return cache;
		if (level <= highest)
			continue;
		highest = level;
		snprintf(path, sizeof(path), CACHE_FILE, cpu, index, "shared_cpu_list");
		cache = number_in(path);
	}
}

static enum place place_of(int cpu, int near, int far)
{
	int node = numa_available() < 0 ? near : numa_node_of_cpu(cpu);

	return node == near ? NEAR : node == far ? FAR : ELSEWHERE;
}

/* Those before it have been ranked. */
static void rank(struct cpu *cpu)
{
	cpu->thread = cpu->turn = 0;
	for (const struct cpu *other = cpus; other < cpu; other++)
		cpu->thread += other->core == cpu->core;
	for (const struct cpu *other = cpus; other < cpu; other++)
		cpu->turn += other->place == cpu->place && other->cache == cpu->cache &&
			     other->thread == cpu->thread;
}

static int ascending(const void *a, const void *b)
{
	const struct cpu *left = a, *right = b;

	if (left->place != right->place)
		return (int)left->place - (int)right->place;
	if (left->thread != right->thread)
		return left->thread - right->thread;
	if (left->turn != right->turn)
		return left->turn - right->turn;
	return left->number - right->number;
}

void cpus_order(int near, int far)
{
	pthread_once(&found, find);
	for (int i = 0; i < count; i++) {
		cpus[i].core = core_of(cpus[i].number);
		cpus[i].cache = cache_of(cpus[i].number);
		cpus[i].place = place_of(cpus[i].number, near, far);
		rank(&cpus[i]);
	}
	qsort(cpus, (size_t)count, sizeof(cpus[0]), ascending);
}
