/* SPDX-License-Identifier: MIT */
/* info.c - batchmig info: what this machine and this process can do. */
#include "tool.h"

static json_t *json_node(const struct bm_node_info *node)
{
	json_t *distances = json_array();

	for (size_t i = 0; i < node->distances; i++)
		json_array_append_new(distances, json_integer(node->distance[i]));
	return json_pack("{s:i, s:i, s:s, s:I, s:I, s:i, s:b, s:o}", "id", node->id, "cpus",
			 (int)node->cpus, "cpu_list", node->cpu_list, "memory_bytes",
			 (json_int_t)node->memory_bytes, "free_bytes", (json_int_t)node->free_bytes,
			 "tier", node->tier, "allowed", node->allowed, "distances", distances);
}

static json_t *json_facility(const struct bm_facility *facility)
{
	return json_pack("{s:s, s:b, s:s, s:s}", "name", facility->name, "usable", facility->usable,
			 "why", facility->why, "remedy", facility->remedy);
}

static json_t *json_queue(const struct bm_queue_info *queue)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:s}", "backend", queue->backend,
			 "device", queue->device, "name", queue->name, "node", queue->node,
			 "usable", queue->usable, "what", queue->what, "why", queue->why, "remedy",
			 queue->remedy);
}

static json_t *json_option(const struct bm_option_info *option)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", option->name,
			 "env", option->env, "type", option->type, "allowed", option->allowed,
			 "unit", option->unit, "default", option->standard, "doc", option->doc,
			 "value", option->value, "source", option->source);
}

static json_t *json_options(const struct bm_info *info)
{
	const struct bm_option_info *option;
	json_t *options = json_array();

	for (size_t i = 0; (option = bm_info_option(info, i)); i++)
		json_array_append_new(options, json_option(option));
	return options;
}

static json_t *json_all(const struct bm_info *info)
{
	json_t *nodes = json_array(), *kernel = json_array();
	json_t *movers = json_array(), *backends = json_array(), *queues = json_array();
	const struct bm_queue_info *queue;
	const struct bm_facility *facility;
	const struct bm_node_info *node;
	const struct bm_fact *fact;

	for (size_t i = 0; (node = bm_info_node(info, i)); i++)
		json_array_append_new(nodes, json_node(node));
	for (size_t i = 0; (fact = bm_info_kernel(info, i)); i++)
		json_array_append_new(kernel, json_pack("{s:s, s:s, s:s}", "name", fact->name,
							"value", fact->value, "note", fact->note));
	for (size_t i = 0; (facility = bm_info_mover(info, i)); i++)
		json_array_append_new(movers, json_facility(facility));
	for (size_t i = 0; (facility = bm_info_backend(info, i)); i++)
		json_array_append_new(backends, json_facility(facility));
	for (size_t i = 0; (queue = bm_info_queue(info, i)); i++)
		json_array_append_new(queues, json_queue(queue));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "nodes", nodes, "kernel", kernel,
			 "movers", movers, "backends", backends, "queues", queues, "options",
			 json_options(info));
}

static void print_nodes(const struct bm_info *info)
{
	const struct bm_node_info *node;

	printf("Nodes\n  node  cpus         memory      free  tier  allowed  distances\n");
	for (size_t i = 0; (node = bm_info_node(info, i)); i++) {
		printf("  %4d  %-10s %6llu MiB %5llu MiB  ", node->id,
		       node->cpus ? node->cpu_list : "none",
		       (unsigned long long)(node->memory_bytes >> 20),
		       (unsigned long long)(node->free_bytes >> 20));
		if (node->tier >= 0)
			printf("%4d", node->tier);
		else
			printf("%4s", "-");
		printf("  %-7s ", node->allowed ? "yes" : "no");
		for (size_t k = 0; k < node->distances; k++)
			printf(" %d", node->distance[k]);
		putchar('\n');
	}
}

static void print_facility(const struct bm_facility *facility)
{
	printf("  %-11s %-4s %s%s%s\n", facility->name, facility->usable ? "yes" : "no",
	       facility->why, *facility->remedy ? "; needs: " : "", facility->remedy);
}

/* Without a device it is why nothing can be told, without a name about the device. */
static void print_queue(const struct bm_queue_info *queue)
{
	char place[32] = "";

	if (*queue->device)
		snprintf(place, sizeof(place), " %s%s%s", queue->device, *queue->name ? "/" : "",
			 queue->name);
	printf("  %s%s  %s  ", queue->backend, place, queue->usable ? "yes" : "no");
	if (queue->node >= 0)
		printf("node %d%s", queue->node, *queue->what ? ", " : "");
	printf("%s\n", queue->what);
	if (*queue->why)
		printf("    %s%s%s\n", queue->why, *queue->remedy ? "; needs: " : "",
		       queue->remedy);
}

static void print_queues(const struct bm_info *info)
{
	const struct bm_queue_info *queue;

	if (!bm_info_queue(info, 0))
		return;
	printf("Queues and functions\n");
	for (size_t i = 0; (queue = bm_info_queue(info, i)); i++)
		print_queue(queue);
}

static const char *or_empty(const char *text)
{
	return *text ? text : "empty";
}

static void print_options(const struct bm_info *info)
{
	const struct bm_option_info *option;

	printf("Options\n");
	for (size_t i = 0; (option = bm_info_option(info, i)); i++)
		printf("  %-20s %s (%s)\n  %20s %s: %s; %s %s%s%s, default %s\n", option->env,
		       or_empty(option->value), option->source, "", option->name, option->doc,
		       option->type, option->allowed, *option->unit ? " " : "", option->unit,
		       or_empty(option->standard));
}

static void print_all(const struct bm_info *info)
{
	const struct bm_facility *facility;
	const struct bm_fact *fact;

	print_nodes(info);
	printf("Kernel\n");
	for (size_t i = 0; (fact = bm_info_kernel(info, i)); i++)
		printf("  %-21s %-*s%s\n", fact->name, *fact->note ? 29 : 0, fact->value,
		       fact->note);
	printf("Movers\n");
	for (size_t i = 0; (facility = bm_info_mover(info, i)); i++)
		print_facility(facility);
	printf("Backends\n");
	for (size_t i = 0; (facility = bm_info_backend(info, i)); i++)
		print_facility(facility);
	print_queues(info);
	print_options(info);
}

int run_info(const struct arguments *arguments)
{
	struct bm_info *info;
	int rc = bm_info_new(NULL, &info);

	if (rc < 0)
		return report_error(arguments, rc);
	if (arguments->json)
		rc = print_json(arguments->options
					? json_pack("{s:o}", "options", json_options(info))
					: json_all(info));
	else if (arguments->options)
		print_options(info);
	else
		print_all(info);
	bm_info_free(info);
	return rc;
}
