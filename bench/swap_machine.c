/* SPDX-License-Identifier: MIT */
/* swap_machine.c - what the machine has, whether the mover can be used, numbers of options. */
#include "swap.h"

#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long whole_number(const char *option, const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < min || value > max) {
		fprintf(stderr, "%s %s is not allowed: it must be a whole number in %ld..%ld\n",
			option, text, min, max);
		exit(WRONG_CALL);
	}
	return value;
}

static void look_at_nodes(struct setup *setup, const struct bm_info *info)
{
	const struct bm_node_info *node;
	int found = 0;

	for (size_t i = 0; (node = bm_info_node(info, i)); i++) {
		if (!node->allowed || !node->memory_bytes || found == 2)
			continue;
		if (found++ == 0)
			setup->near = node->id;
		setup->far = node->id;
	}
	setup->two_nodes = found == 2 && numa_available() >= 0;
	if (!setup->two_nodes)
		setup->far = setup->near;
}

static void no_such_mover(const struct setup *setup, const struct bm_info *info)
{
	const struct bm_facility *mover;

	fprintf(stderr, "--mover %s is not allowed: it must be auto", setup->mover);
	for (size_t i = 0; (mover = bm_info_mover(info, i)); i++)
		fprintf(stderr, "%s%s", bm_info_mover(info, i + 1) ? ", " : " or ", mover->name);
	fprintf(stderr, "\n");
	exit(WRONG_CALL);
}

/* Is the mover usable? If not: why, and what would help. */
static int usable(const struct setup *setup, const struct bm_info *info)
{
	const struct bm_facility *mover;

	if (strcmp(setup->mover, "auto") == 0)
		return 1;
	for (size_t i = 0; (mover = bm_info_mover(info, i)); i++) {
		if (strcmp(mover->name, setup->mover) != 0)
			continue;
		if (!mover->usable)
			fprintf(stderr, "the mover %s cannot be used here: %s; remedy: %s\n",
				mover->name, mover->why, *mover->remedy ? mover->remedy : "none");
		return mover->usable;
	}
	no_such_mover(setup, info);
	return 0;
}

void look_around(struct setup *setup)
{
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info), can;
	cpu_set_t allowed;

	if (rc < 0) {
		fprintf(stderr, "bm_info_new: %s\n", bm_error_text(rc));
		exit(1);
	}
	setup->cpus = sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : CPU_COUNT(&allowed);
	setup->page_size = bm_info_page_size(info);
	setup->huge_size = bm_info_huge_size(info);
	look_at_nodes(setup, info);
	can = usable(setup, info);
	bm_info_free(info);
	if (!can)
		exit(SKIPPED);
}
