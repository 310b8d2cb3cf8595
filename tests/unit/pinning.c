/* SPDX-License-Identifier: MIT */
/* pinning.c - copies are made by reap(), and end with -EFAULT where a page is not pinned. */
#include "pinning.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define PAGE_BYTES 4096u
#define LIST       512u
#define DEPTH      96u
#define TABLE      65536u /* pages that follow each other have places of their own */

struct bm_engine {
	struct bm_backend_env env;
};

struct bm_channel {
	struct bm_engine *engine;
	struct bm_copy pinned[LIST], taken[DEPTH];
	size_t pins, count;
	int is_pinned;
};

static atomic_uchar table[TABLE];

static atomic_uchar *place_of(const void *page)
{
	return &table[(uintptr_t)page / PAGE_BYTES % TABLE];
}

int pinning_is_pinned(const void *start, size_t length)
{
	for (size_t at = 0; at < length; at += PAGE_BYTES)
		if (atomic_load(place_of((const char *)start + at)))
			return 1;
	return 0;
}

static int is_all_pinned(const void *start, size_t length)
{
	for (size_t at = 0; at < length; at += PAGE_BYTES)
		if (!atomic_load(place_of((const char *)start + at)))
			return 0;
	return 1;
}

/* 0, or -EEXIST: somebody has one of them already. */
static int change(const void *start, size_t length, unsigned char to)
{
	int rc = 0;

	for (size_t at = 0; at < length; at += PAGE_BYTES)
		if (atomic_exchange(place_of((const char *)start + at), to) == to)
			rc = -EEXIST;
	return rc;
}

static int opened(const struct bm_backend_env *env, struct bm_engine **engine)
{
	struct bm_engine *new = env->memory(env->sys, sizeof(*new));

	if (!new) {
		bm_log(env->log, BM_LOG_ERROR, "pinning: no memory");
		return -ENOMEM;
	}
	new->env = *env;
	*engine = new;
	return 0;
}

static void closed(struct bm_engine *engine)
{
	engine->env.memory_end(engine->env.sys, engine, sizeof(*engine));
}

static int channel_opened(struct bm_engine *engine, int node, struct bm_channel **channel)
{
	struct bm_channel *new = engine->env.memory(engine->env.sys, sizeof(*new));

	(void)node;
	if (!new)
		return -ENOMEM;
	new->engine = engine;
	*channel = new;
	return 0;
}

static int unpin(struct bm_channel *channel)
{
	int rc = channel->is_pinned ? 0 : -EINVAL;

	for (size_t i = 0; i < channel->pins; i++) {
		change(channel->pinned[i].from, channel->pinned[i].length, 0);
		change(channel->pinned[i].to, channel->pinned[i].length, 0);
	}
	channel->pins = 0;
	channel->is_pinned = 0;
	return rc;
}

static void channel_closed(struct bm_channel *channel)
{
	const struct bm_backend_env *env = &channel->engine->env;

	unpin(channel);
	env->memory_end(env->sys, channel, sizeof(*channel));
}

static int pin(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	const struct bm_sys *sys = channel->engine->env.sys;
	int rc = count > LIST ? -E2BIG : 0;

	channel->is_pinned = 1;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		channel->pinned[channel->pins++] = copies[i];
		rc = change(copies[i].from, copies[i].length, 1);
		/* A call that can fail in a window, with the half of it pinned. */
		if (rc == 0 && sys->nodes_raw(0, NULL, NULL) == -ENOMEM)
			rc = -ENOMEM;
		if (rc == 0)
			rc = change(copies[i].to, copies[i].length, 1);
	}
	if (rc)
		unpin(channel);
	return rc;
}

static void limits(const struct bm_channel *channel, struct bm_limits *limits)
{
	(void)channel;
	limits->depth = DEPTH;
}

static int submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	size_t taken = 0;

	while (taken < count && channel->count < DEPTH)
		channel->taken[channel->count++] = copies[taken++];
	return taken ? (int)taken : -EAGAIN;
}

static int reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	size_t told = 0;

	while (told < most && channel->count > 0) {
		const struct bm_copy *copy = &channel->taken[--channel->count];
		int fits = is_all_pinned(copy->from, copy->length) &&
			   is_all_pinned(copy->to, copy->length);

		if (fits)
			memcpy(copy->to, copy->from, copy->length);
		copied[told++] = (struct bm_copied){.done = fits ? copy->length : 0,
						    .tag = copy->tag,
						    .error = fits ? 0 : -EFAULT};
	}
	return (int)told;
}

static int settle(struct bm_channel *channel)
{
	channel->count = 0;
	return 1;
}

const struct bm_backend pinning_backend = {.name = "pinning",
					   .does = "copies what is pinned",
					   .facts = BM_BACKEND_PINS,
					   .open = opened,
					   .close = closed,
					   .chan_open = channel_opened,
					   .chan_close = channel_closed,
					   .limits = limits,
					   .pin = pin,
					   .unpin = unpin,
					   .submit = submit,
					   .reap = reap,
					   .settle = settle};
