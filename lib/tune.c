/* SPDX-License-Identifier: MIT */
/* tune.c - measures every pair of nodes, and writes a profile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "context.h"
#include "error.h"
#include "keeper.h"
#include "measure.h"
#include "nodes.h"
#include "profile.h"
#include "registry.h"

#define ROUNDS      15
#define LOOP_ROUNDS 25
#define NODES_MOST  64
/* What is slower by less does not matter: larger chunks have fewer windows. */
#define MUCH(ns) ((ns) / 100 * 97)

struct tune {
	struct bm_context *context;
	struct bm_profile profile;
	struct bm_swap *swap;
	struct bm_rates rates; /* of what is measured just now */
};

static void say(const struct tune *tune, const char *what, int from, int to)
{
	if (from < 0)
		bm_log(&tune->context->config.log, BM_LOG_INFO, "tune: %s", what);
	else
		bm_log(&tune->context->config.log, BM_LOG_INFO, "tune: %s, node %d to %d", what,
		       from, to);
}

static void close_swap(struct tune *tune)
{
	bm_swap_free(tune->swap, 0);
	tune->swap = NULL;
}

/* A swap of its own with these backends and this loop of the cpu; 0 or -errno. */
static int open_with(struct tune *tune, const char *backends, const char *loop)
{
	struct bm_picks picks = {.count = 0};
	struct bm_swap_config config;
	struct bm_use use;
	int rc;

	bm_rates_init(&tune->rates);
	bm_context_swap_config(tune->context, &config);
	bm_registry_picks(backends, &config.env, &picks);
	config.env.loop = loop;
	config.rates = &tune->rates;
	config.calibrated = 1;
	rc = bm_swap_new(&config, &tune->swap);
	if (rc == 0)
		rc = bm_engines_use(&tune->swap->engines, &picks, &use);
	if (rc == 0)
		atomic_store(&tune->swap->usual, use);
	else
		close_swap(tune);
	return rc;
}

/* The time of a whole chunk of base pages with this loop, 0: it cannot be had. */
static uint64_t time_loop(struct tune *tune, const char *loop)
{
	struct bm_ground ground;
	struct bm_chunk chunk;
	uint64_t ns = 0;

	if (open_with(tune, bm_registry_cpu(), loop) < 0)
		return 0;
	if (bm_ground_new(&ground, tune->swap, -1, 0) == 0) {
		ground.chunk = &chunk;
		ns = bm_ground_time(&ground, (struct bm_shape){BM_SLAB_PAGES, 1, 0}, LOOP_ROUNDS);
		bm_ground_end(&ground);
	}
	close_swap(tune);
	return ns;
}

/* All that the option allows, but "auto". */
static void choose_loop(struct tune *tune)
{
	const char *names = bm_option_row(BM_OPTION_COPY_LOOP)->allowed;
	uint64_t best = 0;

	say(tune, "copy loops", -1, -1);
	while (*names) {
		size_t length = strcspn(names, "|");
		char name[BM_LOOP_MAX];
		uint64_t ns;

		snprintf(name, sizeof(name), "%.*s", (int)length, names);
		names += length + (names[length] == '|');
		ns = strcmp(name, "auto") == 0 ? 0 : time_loop(tune, name);
		if (ns && (best == 0 || ns < best)) {
			best = ns;
			memcpy(tune->profile.loop, name, sizeof(name));
		}
	}
}

/* The smallest chunk that is hardly slower for each page than the largest. */
static void choose_chunk(struct tune *tune, int from, int to, struct bm_rates *rates)
{
	struct bm_ground ground;
	struct bm_chunk chunk;
	uint64_t best = 0;

	atomic_store(&rates->chunk_pages, 0);
	if (bm_ground_new(&ground, tune->swap, from, 0) < 0)
		return;
	ground.chunk = &chunk;
	ground.away = to;
	for (uint32_t pages = BM_SLAB_PAGES; pages >= BM_SLAB_PAGES / 8; pages /= 2) {
		uint64_t ns = bm_ground_time(&ground, (struct bm_shape){pages, 1, 0}, ROUNDS);

		ns *= BM_SLAB_PAGES / pages;
		if (best == 0 || (ns && ns < MUCH(best))) {
			best = ns;
			atomic_store(&rates->chunk_pages, pages == BM_SLAB_PAGES ? 0 : pages);
		}
	}
	bm_ground_end(&ground);
}

/* A pair that cannot be measured, as of a node that is full or not allowed, is not in the profile. */
static void measure_pair(struct tune *tune, int from, int to)
{
	struct bm_rates rates;

	bm_rates_init(&rates);
	say(tune, "base pages, huge pages, threads, the kernel", from, to);
	if (bm_measure(tune->swap, from, to, &rates, ROUNDS) < 0) {
		say(tune, "not measured", from, to);
		return;
	}
	say(tune, "sizes of chunks", from, to);
	choose_chunk(tune, from, to, &rates);
	bm_rates_copy(bm_pairs_rates(tune->profile.pairs, from, to), &rates);
}

/* Of a list such as "0-1,4": the nodes; how many. */
static size_t nodes_of(const struct bm_sys *sys, int *nodes)
{
	char text[256], *at = text;
	size_t count = 0;

	if (bm_sys_text(sys, BM_MEMORY_NODES_FILE, text, sizeof(text)) <= 0)
		memcpy(text, "0", 2);
	while (*at >= '0' && *at <= '9') {
		long first = strtol(at, &at, 10), last = first;

		if (*at == '-')
			last = strtol(at + 1, &at, 10);
		for (; first <= last && count < NODES_MOST; first++)
			nodes[count++] = (int)first;
		at += *at == ',';
	}
	return count;
}

/* On a machine with one node: from it to other memory of its own. */
static void measure_all(struct tune *tune)
{
	int nodes[NODES_MOST];
	size_t count = nodes_of(tune->context->sys, nodes);

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k++) {
			if (i != k || count == 1)
				measure_pair(tune, nodes[i], nodes[k]);
		}
	}
}

static int tune_all(struct tune *tune, const char *path)
{
	int rc;

	choose_loop(tune);
	rc = open_with(tune, tune->context->config.backend,
		       *tune->profile.loop ? tune->profile.loop : "auto");
	if (rc < 0)
		return rc;
	measure_all(tune);
	close_swap(tune);
	/* What would be guessed without a profile is none. */
	if (!*tune->profile.loop || atomic_load(&tune->profile.pairs->count) == 0)
		return -ENOMEM;
	return bm_profile_write(tune->context->sys, path, &tune->profile);
}

int bm_tune(struct bm_context *context, const char *path)
{
	struct tune tune = {.context = context};
	struct bm_cancel before;
	int rc = bm_context_get(&tune.context);

	if (rc < 0)
		return rc;
	if (!path || !*path)
		return -EINVAL;
	tune.profile.pairs = tune.context->sys->alloc(1, sizeof(*tune.profile.pairs));
	if (!tune.profile.pairs)
		return -ENOMEM;
	bm_cancel_off(&before);
	bm_pairs_init(tune.profile.pairs);
	rc = tune_all(&tune, path);
	bm_pairs_end(tune.profile.pairs);
	bm_cancel_on(&before);
	free(tune.profile.pairs);
	if (rc < 0)
		bm_log(&tune.context->config.log, BM_LOG_ERROR, "no profile was written to %s: %s",
		       path, bm_error_text(rc));
	return rc;
}
