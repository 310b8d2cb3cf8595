/* SPDX-License-Identifier: MIT */
/* queues.c - finds the work queues: those that are named, or all. */
#include "queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel.h"
#include "found.h"
#include "named.h"
#include "usable.h"

int bm_dsa_found_has(const struct bm_dsa_found *found, const char *name)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->queues[i].name, name) == 0)
			return 1;
	}
	return 0;
}

static size_t last_unusable(const struct bm_dsa_found *found)
{
	size_t at = found->count;

	while (at > 0 && !found->queues[at - 1].why[0])
		at--;
	return at;
}

void bm_dsa_found_add(struct bm_dsa_found *found, struct bm_dsa_facts *facts)
{
	struct bm_dsa_queue *queues = found->queues;
	size_t at;

	bm_dsa_rule_out(found->env, facts);
	if (found->count == found->most) {
		at = facts->queue.why[0] ? 0 : last_unusable(found);
		if (at == 0)
			return;
		memmove(&queues[at - 1], &queues[at], (found->count - at) * sizeof(*queues));
		found->count--;
	}
	queues[found->count++] = facts->queue;
}

int bm_dsa_queues_look(const struct bm_backend_env *env, struct bm_dsa_queue *queues, size_t most,
		       char *why, char *remedy)
{
	struct bm_dsa_found found = {env, queues, most, 0};
	int rc;

	why[0] = remedy[0] = '\0';
	if (env->dsa_wqs && env->dsa_wqs[0])
		rc = bm_dsa_named(&found, why, remedy);
	else
		rc = bm_dsa_accel(&found, why, remedy);
	return rc < 0 ? rc : (int)found.count;
}

int bm_dsa_queues_find(const struct bm_backend_env *env, struct bm_dsa_queue *queues, size_t most,
		       char *why)
{
	char remedy[BM_WHY_MAX];
	int rc = bm_dsa_queues_look(env, queues, most, why, remedy);
	size_t used = strlen(why);

	if (rc < 0 && remedy[0])
		snprintf(why + used, BM_WHY_MAX - used, "; what helps: %s", remedy);
	return rc;
}
