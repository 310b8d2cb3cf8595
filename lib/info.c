/* SPDX-License-Identifier: MIT */
/* info.c - snapshots of nodes, facts, movers, backends, queues and options. */
#include <errno.h>

#include "facts.h"
#include "registry.h"
#include "snapshot.h"
#include "topology.h"

static void fill_options(struct bm_info *info)
{
	const struct bm_config *config = &info->context->config;
	char value[BM_VALUES_MAX];

	for (size_t i = 0; i < BM_OPTION_COUNT; i++) {
		info->options[i] = *bm_option_row(i);
		bm_option_text(config, i, value, sizeof(value));
		info->options[i].value = bm_info_text(info, "%s", value);
		info->options[i].source = config->source[i];
	}
}

static void fill_backends(struct bm_info *info)
{
	struct bm_backend_env env;
	struct bm_facility row;
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX];

	bm_config_backend_env(info->context->sys, &info->context->config, &env);
	while (info->backend_count < BM_BACKENDS_MAX &&
	       bm_registry_row(info->backend_count, &env, &row, why, remedy)) {
		row.why = bm_info_text(info, "%s", why);
		row.remedy = bm_info_text(info, "%s", row.usable ? "" : remedy);
		info->backends[info->backend_count++] = row;
	}
}

static void add_queue(void *arg, const struct bm_queue_facts *facts)
{
	struct bm_info *info = arg;
	struct bm_queue_row *row = bm_info_alloc(info, 1, sizeof(*row));

	if (!row)
		return;
	row->queue = (struct bm_queue_info){.backend = info->queue_backend,
					    .device = bm_info_text(info, "%s", facts->device),
					    .name = bm_info_text(info, "%s", facts->name),
					    .node = facts->node,
					    .usable = !facts->why[0],
					    .what = bm_info_text(info, "%s", facts->what),
					    .why = bm_info_text(info, "%s", facts->why),
					    .remedy = bm_info_text(info, "%s", facts->remedy)};
	*info->queues_end = row;
	info->queues_end = &row->next;
}

static void fill_queues(struct bm_info *info)
{
	struct bm_backend_env env;

	bm_config_backend_env(info->context->sys, &info->context->config, &env);
	info->queues_end = &info->queues;
	for (size_t i = 0; i < info->backend_count; i++) {
		const struct bm_backend *backend = bm_registry_backend(i);

		if (!backend || !backend->list)
			continue;
		info->queue_backend = backend->name;
		backend->list(&env, add_queue, info);
	}
}

int bm_info_new(struct bm_context *context, struct bm_info **info)
{
	struct bm_info *made;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (!info)
		return -EINVAL;
	made = context->sys->alloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->context = context;
	bm_topology_fill(made);
	bm_facts_fill(made);
	bm_facts_movers(made);
	fill_backends(made);
	fill_queues(made);
	fill_options(made);
	if (made->failed < 0) {
		rc = made->failed;
		bm_info_free(made);
		return rc;
	}
	*info = made;
	return 0;
}

const struct bm_node_info *bm_info_node(const struct bm_info *info, size_t index)
{
	return info && index < info->node_count ? &info->nodes[index] : NULL;
}

const struct bm_fact *bm_info_kernel(const struct bm_info *info, size_t index)
{
	return info && index < info->fact_count ? &info->facts[index] : NULL;
}

const struct bm_facility *bm_info_mover(const struct bm_info *info, size_t index)
{
	return info && index < info->mover_count ? &info->movers[index] : NULL;
}

const struct bm_facility *bm_info_backend(const struct bm_info *info, size_t index)
{
	return info && index < info->backend_count ? &info->backends[index] : NULL;
}

const struct bm_queue_info *bm_info_queue(const struct bm_info *info, size_t index)
{
	const struct bm_queue_row *row = info ? info->queues : NULL;

	for (; row && index > 0; index--)
		row = row->next;
	return row ? &row->queue : NULL;
}

const struct bm_option_info *bm_info_option(const struct bm_info *info, size_t index)
{
	return info && index < BM_OPTION_COUNT ? &info->options[index] : NULL;
}

size_t bm_info_page_size(const struct bm_info *info)
{
	return info ? (size_t)info->context->page_size : 0;
}

size_t bm_info_huge_size(const struct bm_info *info)
{
	return info ? (size_t)info->context->huge_size : 0;
}
