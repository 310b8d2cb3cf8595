/* SPDX-License-Identifier: MIT */
/* placement.c - last-level caches by sysfs, and who gets which. */
#include "placement.h"

#include <stdio.h>
#include <stdlib.h>

#include "bits.h"
#include "nodes.h"

#define NODES_FILE "/sys/devices/system/node/has_cpu"
#define NODE_FILE  "/sys/devices/system/node/node%u/cpulist"
#define CACHE_FILE "/sys/devices/system/cpu/cpu%u/cache/index%u/%s"
#define INDEX_MAX  16u /* caches of a CPU: four or five where there are many */
#define PATH_BYTES 96

/* The first id of a set from `at` on; BM_CPUS_MAX: there is none. */
static uint32_t next(const struct bm_ids *ids, uint32_t at)
{
	return bm_bits_next(ids->bits, at, BM_CPUS_MAX, 1);
}

/* "0-3,8" */
static void parse(const char *list, struct bm_ids *ids)
{
	char *end;

	for (;; list = end + 1) {
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end == list)
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < BM_CPUS_MAX)
			bm_bits_set(ids->bits, (uint32_t)first, (uint32_t)last + 1);
		if (*end != ',')
			return;
	}
}

/* What cannot be read is empty. */
static void read_ids(const struct bm_sys *sys, const char *path, struct bm_ids *ids)
{
	char *text;

	*ids = (struct bm_ids){0};
	if (bm_sys_file(sys, path, &text) < 0)
		return;
	parse(text, ids);
	free(text);
}

/* The CPUs that share the last-level cache of this one; none when it is not told. */
static void read_cache(const struct bm_sys *sys, uint32_t cpu, struct bm_ids *shared)
{
	long long level = 1, highest = 0;
	unsigned int last = 0;
	char path[PATH_BYTES];

	for (unsigned int index = 0; level > 0 && index < INDEX_MAX; index++) {
		snprintf(path, sizeof(path), CACHE_FILE, cpu, index, "level");
		level = bm_sys_number(sys, path, 0);
		if (level > highest) {
			highest = level;
			last = index;
		}
	}
	*shared = (struct bm_ids){0};
	snprintf(path, sizeof(path), CACHE_FILE, cpu, last, "shared_cpu_list");
	if (highest > 0)
		read_ids(sys, path, shared);
}

/* Once for each cache, not for each CPU: it takes six files. */
static void add_node(const struct bm_sys *sys, uint32_t node, struct bm_places *places)
{
	struct bm_ids cpus, shared;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), NODE_FILE, node);
	read_ids(sys, path, &cpus);
	for (uint32_t cpu = next(&cpus, 0); cpu < BM_CPUS_MAX; cpu = next(&cpus, cpu + 1)) {
		if (places->cache[cpu] || places->caches == BM_CPUS_MAX - 1)
			continue;
		read_cache(sys, cpu, &shared);
		if (!bm_bit(shared.bits, cpu))
			continue;
		places->node[++places->caches] = (uint16_t)node;
		for (uint32_t other = cpu; other < BM_CPUS_MAX; other = next(&shared, other + 1)) {
			if (bm_bit(cpus.bits, other))
				places->cache[other] = (uint16_t)places->caches;
		}
	}
}

struct bm_places *bm_places_read(const struct bm_sys *sys)
{
	struct bm_places *places = sys->alloc(1, sizeof(*places));
	struct bm_ids nodes;

	if (!places)
		return NULL;
	read_ids(sys, NODES_FILE, &nodes);
	for (uint32_t node = next(&nodes, 0); node < BM_NODES_MAX; node = next(&nodes, node + 1))
		add_node(sys, node, places);
	return places;
}

/* CPUs that nobody got yet; caches and nodes that have had their turn. */
struct turns {
	struct bm_ids left, caches, nodes;
};

/* 0 when there is nothing to choose: no such CPU, or one cache with all that is allowed. */
static int find_usable(const struct bm_placement *placement, const struct bm_ids *near,
		       struct bm_ids *usable)
{
	const struct bm_places *places = placement->places;
	const struct bm_ids *allowed = &placement->allowed;
	unsigned int first = 0;
	int differ = 0;

	for (uint32_t cpu = next(allowed, 0); cpu < BM_CPUS_MAX; cpu = next(allowed, cpu + 1)) {
		unsigned int cache = places->cache[cpu];

		if (!cache || !bm_bit(near->bits, places->node[cache])) {
			differ = 1;
			continue;
		}
		bm_bit_set(usable->bits, cpu);
		first = first ? first : cache;
		differ |= cache != first;
	}
	return first && differ;
}

static void take(struct bm_placement *placement, struct turns *turns, uint32_t cpu)
{
	uint16_t cache = placement->places->cache[cpu];

	bm_bit_clear(turns->left.bits, cpu);
	bm_bit_set(turns->caches.bits, cache);
	bm_bit_set(turns->nodes.bits, placement->places->node[cache]);
	placement->cache[placement->workers++] = cache;
}

/* A cache of each node; 0 when all caches have had their turn before. */
static int take_of_each_node(struct bm_placement *placement, struct turns *turns,
			     unsigned int threads)
{
	const struct bm_places *places = placement->places;
	int found = 0;

	for (uint32_t cpu = next(&turns->left, 0);
	     cpu < BM_CPUS_MAX && placement->workers < threads; cpu = next(&turns->left, cpu + 1)) {
		unsigned int cache = places->cache[cpu];

		if (bm_bit(turns->caches.bits, cache))
			continue;
		found = 1;
		if (!bm_bit(turns->nodes.bits, places->node[cache]))
			take(placement, turns, cpu);
	}
	turns->nodes = (struct bm_ids){0};
	return found;
}

void bm_placement_choose(struct bm_placement *placement, const struct bm_ids *near, int here,
			 unsigned int threads)
{
	struct turns turns = {0};

	placement->workers = 0;
	if (threads > BM_WORKERS_MAX)
		threads = BM_WORKERS_MAX;
	if (!find_usable(placement, near, &turns.left))
		return;
	if (here >= 0 && here < BM_CPUS_MAX && bm_bit(turns.left.bits, (uint32_t)here))
		take(placement, &turns, (uint32_t)here);
	else
		placement->cache[placement->workers++] = 0;
	while (placement->workers < threads && next(&turns.left, 0) < BM_CPUS_MAX) {
		if (!take_of_each_node(placement, &turns, threads))
			turns.caches = (struct bm_ids){0};
	}
}

void bm_placement_go(const struct bm_placement *placement, const struct bm_sys *sys,
		     unsigned int worker)
{
	const struct bm_places *places;
	struct bm_ids cpus = {0};

	if (!placement || worker == 0 || worker >= placement->workers)
		return;
	places = placement->places;
	for (uint32_t cpu = next(&placement->allowed, 0); cpu < BM_CPUS_MAX;
	     cpu = next(&placement->allowed, cpu + 1)) {
		if (places->cache[cpu] == placement->cache[worker])
			bm_bit_set(cpus.bits, cpu);
	}
	/* Where that fails, as in a sandbox, it stays where it is: slower, not wrong. */
	(void)sys->set_affinity(&cpus);
}
