/* SPDX-License-Identifier: MIT */
/* named.c - "/dev/dsa/wq0.0,wq2.1": where queues cannot be enumerated, or are not to be. */
#include "named.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "least.h"
#include "sysfs.h"

#define OPTION "dsa_wqs (BATCHMIG_DSA_WQS)"
#define SHOWN  48 /* bytes of a name in a message */

static int refuse(const char *name, size_t span, const char *what, char *why, char *remedy)
{
	snprintf(why, BM_WHY_MAX, OPTION ": \"%.*s\"%s %s", (int)bm_least(span, SHOWN), name,
		 span > SHOWN ? "..." : "", what);
	snprintf(remedy, BM_WHY_MAX,
		 "allowed: /dev/dsa/wqD.N or wqD.N, separated by commas, each once, at most %u",
		 BM_DSA_QUEUES_MOST);
	return -EINVAL;
}

/* 1 when the text up to a comma or its end is the name of a queue. */
static int parse(const char *name, unsigned int *device, unsigned int *number)
{
	static const char folder[] = BM_DSA_NODES "/";
	const char *end;

	if (strncmp(name, folder, sizeof(folder) - 1) == 0)
		name += sizeof(folder) - 1;
	return bm_dsa_parse_queue(name, device, number, &end) && (*end == ',' || *end == '\0');
}

static int add(struct bm_dsa_found *found, const char *name, size_t span, char *why, char *remedy)
{
	unsigned int device, number;
	struct bm_dsa_facts facts;

	if (!parse(name, &device, &number))
		return refuse(name, span, "is no name of a work queue of DSA", why, remedy);
	bm_dsa_facts_begin(&facts, device);
	bm_dsa_facts_queue(&facts, number);
	if (bm_dsa_found_has(found, facts.queue.name))
		return refuse(name, span, "is named twice", why, remedy);
	if (found->count == found->most)
		return refuse(name, span, "is one too many", why, remedy);
	bm_dsa_sysfs_device(found->env->sys, &facts);
	bm_dsa_sysfs_queue(found->env->sys, &facts);
	bm_dsa_found_add(found, &facts);
	return 0;
}

int bm_dsa_named(struct bm_dsa_found *found, char *why, char *remedy)
{
	const char *name = found->env->dsa_wqs;

	for (;;) {
		size_t span = strcspn(name, ",");
		int rc = add(found, name, span, why, remedy);

		if (rc < 0 || !name[span])
			return rc;
		name += span + 1;
	}
}
