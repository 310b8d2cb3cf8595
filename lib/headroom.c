/* SPDX-License-Identifier: MIT */
/* headroom.c - memory.max of version 2, memory.limit_in_bytes of version 1. */
#include "headroom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_FILE "/proc/self/cgroup"
#define PATH_BYTES  4200

/* Where a version keeps its files, and how it calls them. */
struct version {
	const char *line; /* of /proc/self/cgroup, after the first colon */
	const char *root;
	const char *most, *used;
};

static const struct version versions[] = {
	{":", "/sys/fs/cgroup", "memory.max", "memory.current"},
	{"memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
};

/* A number in a file of a group; UINT64_MAX where there is none ("max"). */
static uint64_t number_of(const struct bm_sys *sys, const char *group, const char *name)
{
	char path[PATH_BYTES + 64], text[32], *end;
	uint64_t value;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	if (bm_sys_text(sys, path, text, sizeof(text)) <= 0)
		return UINT64_MAX;
	value = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : value;
}

/* Of one group and all above it. */
static uint64_t least_above(const struct bm_sys *sys, const struct version *version, char *group)
{
	size_t root = strlen(version->root);
	uint64_t least = UINT64_MAX;

	for (;;) {
		uint64_t most = number_of(sys, group, version->most);
		uint64_t used = most == UINT64_MAX ? 0 : number_of(sys, group, version->used);
		char *slash;

		if (most != UINT64_MAX && used != UINT64_MAX) {
			uint64_t left = most > used ? most - used : 0;

			least = left < least ? left : least;
		}
		slash = strrchr(group, '/');
		if (!slash || (size_t)(slash - group) < root)
			return least;
		*slash = '\0';
	}
}

uint64_t bm_headroom(const struct bm_sys *sys)
{
	uint64_t least = UINT64_MAX;
	char *text, *line, *next;

	if (bm_sys_file(sys, GROUPS_FILE, &text) < 0)
		return least;
	for (line = text; line && *line; line = next) {
		char *name = strchr(line, ':');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		for (size_t i = 0; name && i < sizeof(versions) / sizeof(versions[0]); i++) {
			const struct version *version = &versions[i];
			size_t length = strlen(version->line);
			char group[PATH_BYTES];
			uint64_t left;

			if (strncmp(name + 1, version->line, length) != 0)
				continue;
			snprintf(group, sizeof(group), "%s%s", version->root, name + 1 + length);
			left = least_above(sys, version, group);
			least = left < least ? left : least;
		}
	}
	free(text);
	return least;
}
