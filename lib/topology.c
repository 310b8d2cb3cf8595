/* SPDX-License-Identifier: MIT */
/* topology.c - nodes, CPUs, distances by libnuma; memory tiers by sysfs. */
#include "topology.h"

#include <numa.h>
#include <stdio.h>
#include <string.h>

#define TIERS      "/sys/devices/virtual/memory_tiering"
#define TIER_NAMES 4096
#define LIST_BYTES 4096

/* "0-3,8": appends the run to the list. */
static void append_run(char *list, size_t size, unsigned int first, unsigned int last)
{
	size_t used = strlen(list);
	const char *comma = used ? "," : "";

	if (first == last)
		snprintf(list + used, size - used, "%s%u", comma, first);
	else
		snprintf(list + used, size - used, "%s%u-%u", comma, first, last);
}

static unsigned int write_list(const struct bitmask *mask, char *list, size_t size)
{
	unsigned int bits = (unsigned int)mask->size, count = 0;

	list[0] = '\0';
	for (unsigned int i = 0; i < bits; i++) {
		unsigned int first = i;

		if (!numa_bitmask_isbitset(mask, i))
			continue;
		while (i + 1 < bits && numa_bitmask_isbitset(mask, i + 1))
			i++;
		append_run(list, size, first, i);
		count += i - first + 1;
	}
	return count;
}

static void fill_cpus(struct bm_info *info, struct bm_node_info *node)
{
	struct bitmask *mask = numa_allocate_cpumask();
	char list[LIST_BYTES] = "";

	if (numa_node_to_cpus(node->id, mask) == 0)
		node->cpus = write_list(mask, list, sizeof(list));
	numa_bitmask_free(mask);
	node->cpu_list = bm_info_text(info, "%s", list);
}

/* 1 when a list like "0-1,3" holds the number. */
static int list_holds(const char *list, int number)
{
	int first, last, used;

	while (sscanf(list, "%d%n", &first, &used) == 1) {
		list += used;
		last = first;
		if (*list == '-' && sscanf(list + 1, "%d%n", &last, &used) == 1)
			list += used + 1;
		if (number >= first && number <= last)
			return 1;
		list += *list == ',';
	}
	return 0;
}

/* The tier whose nodelist holds the node (Linux >= 6.1). */
static int tier_of(const struct bm_sys *sys, int node)
{
	char names[TIER_NAMES], path[128], list[256];
	ssize_t length = sys->list(TIERS, names, sizeof(names));
	int tier;

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		if (sscanf(names + at, "memory_tier%d", &tier) != 1)
			continue;
		snprintf(path, sizeof(path), TIERS "/memory_tier%d/nodelist", tier);
		if (bm_sys_text(sys, path, list, sizeof(list)) > 0 && list_holds(list, node))
			return tier;
	}
	return -1;
}

static void fill_distances(struct bm_info *info)
{
	for (size_t i = 0; i < info->node_count; i++) {
		int *distance = bm_info_alloc(info, info->node_count, sizeof(*distance));

		if (!distance)
			return;
		for (size_t k = 0; k < info->node_count; k++)
			distance[k] = numa_distance(info->nodes[i].id, info->nodes[k].id);
		info->nodes[i].distance = distance;
		info->nodes[i].distances = info->node_count;
	}
}

/*
 * Not by numa_get_mems_allowed(): it writes to standard error where a
 * container forbids get_mempolicy(2). 1 also when it cannot be told.
 */
static int is_allowed(const struct bm_sys *sys, int node)
{
	char list[LIST_BYTES];

	return !bm_sys_status(sys, "Mems_allowed_list", list, sizeof(list)) ||
	       list_holds(list, node);
}

static void fill_node(struct bm_info *info, int id)
{
	struct bm_node_info *node = &info->nodes[info->node_count];
	long long free_bytes = 0, bytes = numa_node_size64(id, &free_bytes);

	if (bytes <= 0)
		return;
	node->id = id;
	node->memory_bytes = (uint64_t)bytes;
	node->free_bytes = free_bytes > 0 ? (uint64_t)free_bytes : 0;
	node->allowed = is_allowed(info->context->sys, id);
	node->tier = tier_of(info->context->sys, id);
	fill_cpus(info, node);
	info->node_count++;
}

void bm_topology_fill(struct bm_info *info)
{
	int highest;

	if (numa_available() < 0)
		return;
	highest = numa_max_node();
	info->nodes = bm_info_alloc(info, (size_t)highest + 1, sizeof(*info->nodes));
	if (!info->nodes)
		return;
	for (int id = 0; id <= highest; id++)
		fill_node(info, id);
	fill_distances(info);
}
