/* SPDX-License-Identifier: MIT */
/* list.c - says of work queues what they are, and why none can be used. */
#include "list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "found.h"
#include "least.h"

#define WHAT_MAX 160

static struct bm_dsa_queue *new_queues(const struct bm_backend_env *env)
{
	return env->sys->alloc(BM_DSA_QUEUES_MOST, sizeof(struct bm_dsa_queue));
}

__attribute__((format(printf, 2, 3))) static void append(char *what, const char *format, ...)
{
	size_t used = 0;
	va_list args;

	while (what[used])
		used++;
	if (used)
		used += (size_t)snprintf(what + used, WHAT_MAX - used, ", ");
	used = bm_least(used, WHAT_MAX - 1);
	va_start(args, format);
	vsnprintf(what + used, WHAT_MAX - used, format, args);
	va_end(args);
}

static void describe(const struct bm_dsa_queue *queue, char *what)
{
	static const char *const modes[] = {"mode not known", "dedicated", "shared"};

	what[0] = '\0';
	if (queue->name[0])
		append(what, "%s", modes[queue->mode]);
	if (queue->size)
		append(what, "%" PRIu32 " entries", queue->size);
	if (queue->mode == BM_DSA_SHARED && queue->threshold)
		append(what, "threshold %" PRIu32, queue->threshold);
	if (queue->max_transfer)
		append(what, "at most %" PRIu64 " bytes", queue->max_transfer);
	if (queue->max_batch)
		append(what, "batches of %" PRIu32, queue->max_batch);
	if (queue->version)
		append(what, "DSA %" PRIu32 ".%" PRIu32, queue->version >> 8, queue->version & 255);
}

void bm_dsa_list(const struct bm_backend_env *env,
		 void (*add)(void *arg, const struct bm_queue_facts *queue), void *arg)
{
	char why[BM_WHY_MAX] = "no memory", remedy[BM_WHY_MAX] = "free memory", what[WHAT_MAX];
	struct bm_dsa_queue *queues = new_queues(env);
	int count = -ENOMEM;

	if (queues)
		count = bm_dsa_queues_look(env, queues, BM_DSA_QUEUES_MOST, why, remedy);
	for (int i = 0; i < count; i++) {
		const struct bm_dsa_queue *queue = &queues[i];

		describe(queue, what);
		add(arg, &(struct bm_queue_facts){.device = queue->device,
						  .name = queue->name,
						  .what = what,
						  .why = queue->why,
						  .remedy = queue->remedy,
						  .node = queue->node});
	}
	if (count < 0 && count != -ENODEV)
		add(arg, &(struct bm_queue_facts){"", "", "", why, remedy, -1});
	free(queues);
}

static int sum_up(const struct bm_dsa_queue *queues, int count, char *why, char *remedy)
{
	for (int i = 0; i < count; i++) {
		if (!queues[i].why[0])
			return 0;
	}
	snprintf(why, BM_WHY_MAX, "%s%s%s: %s", queues->device, queues->name[0] ? "/" : "",
		 queues->name, queues->why);
	snprintf(remedy, BM_WHY_MAX, "%s", queues->remedy);
	return -ENODEV;
}

int bm_dsa_probe(const struct bm_backend_env *env, char *why, char *remedy)
{
	struct bm_dsa_queue *queues = new_queues(env);
	int rc;

	if (!queues) {
		snprintf(why, BM_WHY_MAX, "no memory");
		snprintf(remedy, BM_WHY_MAX, "free memory");
		return -ENOMEM;
	}
	rc = bm_dsa_queues_look(env, queues, BM_DSA_QUEUES_MOST, why, remedy);
	if (rc >= 0)
		rc = sum_up(queues, rc, why, remedy);
	else if (rc != -EINVAL)
		rc = -ENODEV;
	free(queues);
	return rc;
}
