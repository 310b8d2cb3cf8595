/* SPDX-License-Identifier: MIT */
/* context.c - contexts, the default one, and what a fork does to them. */
#include "context.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "error.h"
#include "profile.h"
#include "registry.h"
#include "ranks.h"

#include "exit_report.h"

#define LARGE_FILE "/sys/kernel/mm/transparent_hugepage/hugepages-%llukB/enabled"

/* The file that the option names, if any: 0; -EINVAL when it is none. */
static int load_profile(const struct bm_sys *sys, struct bm_context *context, char *why)
{
	struct bm_profile profile = {.pairs = &context->pairs};
	struct bm_config *config = &context->config;
	int rc = *config->profile ? bm_profile_read(sys, config->profile, &profile, why) : 0;

	context->has_profile = rc > 0;
	if (rc == 0 && *config->profile) {
		memcpy(context->profile_said, why, BM_WHY_MAX);
		bm_log(&config->log, BM_LOG_WARN, "%s", why);
		why[0] = '\0';
	}
	if (rc <= 0)
		return rc;
	if (atomic_load(&context->pairs.count) > 0)
		bm_rates_copy(&context->pairs.general, &context->pairs.list[0].rates);
	if (*profile.loop && strcmp(config->copy_loop, "auto") == 0)
		memcpy(config->copy_loop, profile.loop, sizeof(profile.loop));
	return 0;
}

int bm_options_check(const struct bm_options *options, char *why, size_t size)
{
	struct bm_context *context = calloc(1, sizeof(*context));
	char reason[BM_WHY_MAX];
	int rc;

	if (!context)
		return -ENOMEM;
	bm_pairs_init(&context->pairs);
	rc = bm_config_resolve(&bm_sys_linux, options, &context->config, reason);
	context->config.log.level = BM_LOG_NONE;
	if (rc == 0)
		rc = load_profile(&bm_sys_linux, context, reason);
	bm_pairs_end(&context->pairs);
	free(context);
	if (why && size > 0)
		snprintf(why, size, "%s", reason);
	return rc;
}

/* The largest size below a PMD for which the kernel makes large folios (Linux >= 6.8). */
static uint64_t large_folio_size(const struct bm_sys *sys, uint64_t page_size, uint64_t huge_size)
{
	char path[128], text[128];

	for (uint64_t size = huge_size / 2; size > page_size; size /= 2) {
		snprintf(path, sizeof(path), LARGE_FILE, (unsigned long long)(size >> 10));
		if (bm_sys_text(sys, path, text, sizeof(text)) > 0 && !strstr(text, "[never]"))
			return size;
	}
	return 0;
}

static void release(struct bm_context *context)
{
	if (*context->marker) {
		pthread_mutex_destroy(&context->sums.lock);
		bm_queue_end(&context->queue);
		bm_pairs_end(&context->pairs);
	}
	context->sys->fork_marker_free(context->marker);
	bm_arena_end(&context->arena);
	free(atomic_load(&context->places));
	free(context);
}

void bm_context_hold(struct bm_context *context)
{
	atomic_fetch_add(&context->holds, 1);
}

void bm_context_let_go(struct bm_context *context)
{
	if (atomic_fetch_sub(&context->holds, 1) == 1)
		release(context);
}

static void pick_backends(const struct bm_sys *sys, struct bm_context *context)
{
	struct bm_backend_env env;

	bm_config_backend_env(sys, &context->config, &env);
	bm_registry_picks(context->config.backend, &env, &context->picks);
}

int bm_context_create(const struct bm_sys *sys, const struct bm_options *options,
		      struct bm_context **context)
{
	struct bm_context *made = sys->alloc(1, sizeof(*made));
	char why[BM_WHY_MAX];
	int rc, version;

	if (!made)
		return -ENOMEM;
	bm_pairs_init(&made->pairs);
	rc = bm_config_resolve(sys, options, &made->config, why);
	if (rc == 0)
		rc = load_profile(sys, made, why);
	if (rc < 0) {
		bm_log(&made->config.log, BM_LOG_ERROR, "%s", why);
		free(made);
		return rc;
	}
	made->sys = sys;
	made->pid = sys->getpid();
	made->marker = sys->fork_marker();
	if (!made->marker) {
		free(made);
		return -ENOMEM;
	}
	made->page_size = (uint64_t)sys->page_size();
	made->huge_size = (uint64_t)bm_sys_number(sys, BM_HUGE_SIZE_FILE, 0);
	made->large_size = large_folio_size(sys, made->page_size, made->huge_size);
	version = bm_sys_version(sys);
	/* Before 6.3 TLBs are flushed for each page, whatever the list. */
	made->flushes_once = version == 0 || version >= 6003;
	made->misses_hinted = version < 6006;
	pthread_mutex_init(&made->sums.lock, NULL);
	pthread_mutex_init(&made->swap_lock, NULL);
	pick_backends(sys, made);
	made->allowance.bytes_per_s = (uint64_t)made->config.value[BM_OPTION_MAX_BYTES_PER_S];
	atomic_init(&made->holds, 1);
	bm_queue_init(&made->queue, sys);
	bm_exit_report_begin(made);
	*context = made;
	return 0;
}

int bm_context_new(const struct bm_options *options, struct bm_context **context)
{
	return context ? bm_context_create(&bm_sys_linux, options, context) : -EINVAL;
}

/* What needs threads and locks of the process that made it. */
static void end_here(struct bm_context *context)
{
	int stale = !*context->marker;

	/* The parent's threads may have held the lock when they were left behind. */
	if (!stale)
		pthread_mutex_destroy(&context->swap_lock);
	bm_swap_free(context->swap, stale);
	context->swap = NULL;
}

int bm_context_free(struct bm_context *context)
{
	struct bm_cancel before;
	int rc = 0;

	if (!context)
		return 0;
	bm_cancel_off(&before);
	if (*context->marker)
		rc = bm_queue_close(&context->queue);
	if (rc == 0) {
		bm_exit_report_end(context);
		end_here(context);
		bm_context_let_go(context);
	}
	bm_cancel_on(&before);
	return rc;
}

/*
 * Without a lock, because a fork may happen while another thread makes the
 * default context: the child would find the lock taken for ever.
 */
static int default_context(struct bm_context **context)
{
	static _Atomic(struct bm_context *) shared;
	struct bm_context *here = atomic_load(&shared), *made;
	int rc;

	while (!here || !*here->marker) {
		rc = bm_context_new(NULL, &made);
		if (rc < 0)
			return rc;
		/* Kept, not freed: another thread may be looking at its marker. */
		made->previous = here;
		if (atomic_compare_exchange_strong(&shared, &here, made))
			here = made;
		else
			bm_context_free(made);
	}
	*context = here;
	return 0;
}

int bm_context_get(struct bm_context **context)
{
	if (!*context)
		return default_context(context);
	return *(*context)->marker ? 0 : -ESTALE;
}

const struct bm_places *bm_context_places(struct bm_context *context)
{
	struct bm_places *known = atomic_load(&context->places), *made;

	if (known || !context->config.value[BM_OPTION_SPREAD])
		return known;
	made = bm_places_read(context->sys);
	if (made && atomic_compare_exchange_strong(&context->places, &known, made))
		return made;
	free(made);
	return known;
}

void bm_context_swap_config(struct bm_context *context, struct bm_swap_config *config)
{
	const int64_t *value = context->config.value;
	uint64_t ranks = bm_job_ranks(context->sys, value[BM_OPTION_LOCAL_RANKS]);

	*config = (struct bm_swap_config){
		.sys = context->sys,
		.log = &context->config.log,
		.rates = &context->pairs.general,
		.calibrated = context->has_profile,
		.engine_least = (size_t)value[BM_OPTION_ENGINE_LEAST_KB] << 10,
		.engine_share = (enum bm_share)value[BM_OPTION_ENGINE_SHARE],
		.patience_ns = (uint64_t)value[BM_OPTION_ENGINE_TIMEOUT_MS] * 1000000,
		.page_size = context->page_size,
		.huge_size = context->huge_size,
		.pool_most = ((uint64_t)value[BM_OPTION_POOL_MB] << 20) / ranks,
		.idle_ns = (uint64_t)value[BM_OPTION_POOL_IDLE_MS] * 1000000,
		.refills = value[BM_OPTION_POOL_REFILL] != 0,
		.strict = value[BM_OPTION_QUIET] == BM_QUIET_STRICT};
	bm_config_backend_env(context->sys, &context->config, &config->env);
	config->env.rank = bm_job_rank(context->sys);
	config->env.huge_size = context->huge_size;
}

static int make_swap(struct bm_context *context)
{
	struct bm_swap_config config;
	int rc;

	if (context->swap || context->swap_error)
		return context->swap_error;
	bm_context_swap_config(context, &config);
	rc = bm_swap_new(&config, &context->swap);
	if (rc < 0 && !bm_error_passes(rc))
		context->swap_error = rc;
	return rc;
}

int bm_context_swap(struct bm_context *context, const struct bm_picks *picks, struct bm_swap **swap,
		    struct bm_use *use)
{
	int rc;

	pthread_mutex_lock(&context->swap_lock);
	rc = make_swap(context);
	if (rc == 0)
		rc = bm_engines_use(&context->swap->engines, picks, use);
	if (rc == 0) {
		atomic_store(&context->swap->usual, *use);
		*swap = context->swap;
	}
	pthread_mutex_unlock(&context->swap_lock);
	return rc;
}
