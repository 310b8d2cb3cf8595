/* SPDX-License-Identifier: MIT */
/* request.c - checks what was asked for, and chooses mover and backend. */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "cost.h"
#include "range.h"
#include "registry.h"
#include "structs.h"

#define KNOWN_FLAGS (BM_MOVE_ALL | BM_BIND | BM_QUIET | BM_REPLACE | BM_BOUND_WISH)
/* No address space holds longer arrays; sizes computed from a count cannot overflow. */
#define COUNT_LIMIT (SIZE_MAX / 128)

int bm_request_init(struct bm_request *request, size_t size)
{
	struct bm_request empty = {.size = size, .event_fd = -1};

	if (!request || !bm_struct_size_ok(size, sizeof(empty)))
		return -EINVAL;
	bm_struct_export(request, size, &empty, sizeof(empty));
	return 0;
}

/* What was asked cannot be: said once, here. */
int bm_request_refuse(const struct bm_context *context, int rc, const char *why)
{
	bm_log(&context->config.log, BM_LOG_ERROR, "a batch was refused: %s", why);
	return rc;
}

static int check_arrays(const struct bm_context *context, const struct bm_request *request)
{
	if (request->count > COUNT_LIMIT)
		return bm_request_refuse(context, -E2BIG,
					 "no arrays can have so many entries as count says");
	if (request->ranges) {
		if (request->pages || request->nodes || request->status || request->reasons)
			return bm_request_refuse(context, -EINVAL,
						 "either ranges or pages, not both");
		return bm_range_size_ok(request->range_size)
			       ? 0
			       : bm_request_refuse(context, -EINVAL,
						   "range_size must be sizeof(struct bm_range)");
	}
	if (request->count == 0 || (request->pages && request->nodes && request->status))
		return 0;
	return bm_request_refuse(context, -EINVAL,
				 "pages, nodes and status, or ranges, must be given");
}

static int check_limits(const struct bm_context *context, const struct bm_request *request)
{
	if (request->priority < BM_PRIORITY_LOW || request->priority > BM_PRIORITY_HIGH)
		return bm_request_refuse(context, -EINVAL,
					 "priority must be one of enum bm_priority");
	if (request->max_stall_us < BM_UNBOUNDED || request->max_stall_us > BM_STALL_MOST_US)
		return bm_request_refuse(context, -EINVAL,
					 "max_stall_us must be up to 60000000, or BM_UNBOUNDED");
	if (request->max_bytes_per_s < BM_UNBOUNDED || request->max_bytes_per_s > BM_RATE_MOST)
		return bm_request_refuse(
			context, -EINVAL,
			"max_bytes_per_s must be up to 1000000000000000, or BM_UNBOUNDED");
	return 0;
}

static int check_backend(const struct bm_context *context, const char *list, char *why)
{
	struct bm_backend_env env;

	/* Looking for devices takes time, and this was done when the context was made. */
	if (strcmp(list, context->config.backend) == 0)
		return 0;
	bm_config_backend_env(context->sys, &context->config, &env);
	return bm_registry_check(list, "backend", &env, why);
}

/* The mover of this request by name, or -errno. */
static int find_mover(const struct bm_context *context, const struct bm_request *request)
{
	char why[BM_WHY_MAX]; /* written where there is something to say */
	int mover = (int)context->config.value[BM_OPTION_MOVER];
	int rc = 0;

	if (request->backend)
		rc = check_backend(context, request->backend, why);
	if (rc == 0 && request->mover)
		rc = mover = bm_mover_parse(request->mover, "mover", why);
	if (rc < 0) {
		bm_log(&context->config.log, BM_LOG_ERROR, "%s", why);
		return rc;
	}
	return mover;
}

static void choose_bound(const struct bm_context *context, const struct bm_request *request,
			 struct bm_choice *choice)
{
	const int64_t *value = context->config.value;
	int64_t us = request->max_stall_us ? request->max_stall_us : value[BM_OPTION_MAX_STALL_US];

	choice->bound_ns = us > 0 ? (uint64_t)us * 1000 : 0;
	choice->is_wish =
		request->flags & BM_BOUND_WISH || value[BM_OPTION_BOUND] == BM_BOUND_IS_WISH;
}

/* The list of the context is read once: each time it would be a third of what a page costs here. */
static struct bm_picks pick(const struct bm_context *context, const char *list)
{
	struct bm_picks picks = {.count = 0};
	struct bm_backend_env env;

	if (!list)
		return context->picks;
	bm_config_backend_env(context->sys, &context->config, &env);
	bm_registry_picks(list, &env, &picks);
	return picks;
}

/* Swap comes first where it is named, or may choose itself under the promise. */
static void choose(const struct bm_context *context, const struct bm_request *request, int mover,
		   struct bm_choice *choice)
{
	choice->mover = mover == BM_MOVER_SWAP ? BM_MOVER_AUTO : (enum bm_mover)mover;
	choice->picks = pick(context, request->backend);
	if (context->copies)
		choice->picks = (struct bm_picks){{context->copies}, 1, choice->picks.named};
	choice->quiet = choice->picks.named || request->flags & BM_QUIET ||
			context->config.value[BM_OPTION_QUIET] != BM_QUIET_NO;
	choice->wants_swap = choice->picks.count &&
			     (mover == BM_MOVER_SWAP || (mover == BM_MOVER_AUTO && choice->quiet));
	choice->named = mover == BM_MOVER_SWAP;
	if (!choice->named && request->pages && !(request->flags & BM_REPLACE) &&
	    bm_cost_swap_too_small(request->count))
		choice->wants_swap = 0;
}

int bm_request_check(const struct bm_context *context, const struct bm_request *request,
		     struct bm_choice *choice)
{
	int rc = check_arrays(context, request), mover;

	if (rc < 0)
		return rc;
	if (request->flags & ~KNOWN_FLAGS)
		return bm_request_refuse(
			context, -EINVAL,
			"flags may be BM_MOVE_ALL, BM_BIND, BM_QUIET, BM_REPLACE and "
			"BM_BOUND_WISH, nothing else");
	if (request->pid < 0)
		return bm_request_refuse(context, -EINVAL, "pid must be that of a process, or 0");
	rc = check_limits(context, request);
	if (rc < 0)
		return rc;
	mover = find_mover(context, request);
	if (mover < 0)
		return mover;
	if (request->pid && (request->flags & BM_BIND || mover == BM_MOVER_MBIND))
		return bm_request_refuse(
			context, -EINVAL,
			"BM_BIND and the mover mbind are for the own process only");
	choose(context, request, mover, choice);
	choose_bound(context, request, choice);
	return 0;
}

int bm_request_take(const struct bm_context *context, const struct bm_request *request,
		    struct bm_request *known)
{
	int rc;

	if (!request || !bm_struct_size_ok(request->size, sizeof(*known)))
		return bm_request_refuse(context, -EINVAL,
					 "call bm_request_init() with its size first");
	bm_request_init(known, sizeof(*known));
	rc = bm_struct_import(known, sizeof(*known), request, request->size);
	if (rc < 0)
		return bm_request_refuse(context, rc,
					 "it sets fields that only a newer version knows");
	if (known->pid == context->pid)
		known->pid = 0;
	return rc;
}

void bm_request_pace(struct bm_context *context, const struct bm_request *request,
		     struct bm_pace *pace)
{
	*pace = (struct bm_pace){.sys = context->sys};
	if (request->max_bytes_per_s > 0)
		pace->own.bytes_per_s = (uint64_t)request->max_bytes_per_s;
	if (request->max_bytes_per_s != BM_UNBOUNDED)
		pace->shared = &context->allowance;
}
