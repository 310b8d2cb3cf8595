/* SPDX-License-Identifier: MIT */
/* cpu.c - the engine of the backend cpu, and its channels: copies at once. */
#include "cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "choose.h"
#include "loops.h"

#define RUN_LEAST (16u << 10)

struct bm_engine {
	struct bm_backend_env env;
	size_t used[BM_CPU_CLASSES]; /* loops */
};

/* Completions lie in a ring: `count` of them, the oldest at `first`. */
struct bm_channel {
	const struct bm_engine *engine;
	size_t first, count;
	struct bm_copied copied[BM_CPU_DEPTH];
};

enum bm_cpu_class bm_cpu_class_of(size_t length, uint64_t huge_size)
{
	if (length < RUN_LEAST)
		return BM_CPU_PAGES;
	return huge_size && length >= huge_size ? BM_CPU_HUGE : BM_CPU_RUNS;
}

size_t bm_cpu_loop_used(const struct bm_engine *engine, enum bm_cpu_class which)
{
	return engine->used[which];
}

static void list_loops(char *text, size_t size, int here_only)
{
	size_t length = (size_t)snprintf(text, size, "auto");

	for (size_t i = 0; i < bm_cpu_loop_count() && length < size; i++)
		if (!here_only || bm_cpu_loop_here(i))
			length += (size_t)snprintf(text + length, size - length, ", %s",
						   bm_cpu_loop_name(i));
}

static int refuse(const struct bm_log *log, const char *name, int known)
{
	char list[256];

	list_loops(list, sizeof(list), known);
	if (!known) {
		bm_log(log, BM_LOG_ERROR, "copy_loop=%s is not allowed: it must be one of %s", name,
		       list);
		return -EINVAL;
	}
	bm_log(log, BM_LOG_ERROR, "copy_loop=%s: this CPU does not have it; it has %s", name, list);
	return -ENODEV;
}

static int use_named(struct bm_engine *engine, const char *name)
{
	size_t loop = 0;

	while (loop < bm_cpu_loop_count() && strcmp(name, bm_cpu_loop_name(loop)) != 0)
		loop++;
	if (loop == bm_cpu_loop_count() || !bm_cpu_loop_here(loop))
		return refuse(engine->env.log, name, loop < bm_cpu_loop_count());
	for (int which = 0; which < BM_CPU_CLASSES; which++)
		engine->used[which] = loop;
	return 0;
}

static size_t last_here(void)
{
	size_t loop = bm_cpu_loop_count() - 1;

	while (!bm_cpu_loop_here(loop))
		loop--;
	return loop;
}

static void use_fastest(struct bm_engine *engine)
{
	static const char *const names[] = {"pages", "runs", "huge pages"};
	struct bm_cpu_times times;

	memset(&times, 0xff, sizeof(times));
	(void)bm_cpu_measure(&engine->env, &times); /* no memory: nothing measured */
	for (int which = 0; which < BM_CPU_CLASSES; which++) {
		engine->used[which] =
			bm_cpu_choose(times.ns[which], bm_cpu_loop_count(), last_here());
		bm_log(engine->env.log, BM_LOG_DEBUG, "%s are copied by %s", names[which],
		       bm_cpu_loop_name(engine->used[which]));
	}
}

static int cpu_open(const struct bm_backend_env *env, struct bm_engine **opened)
{
	struct bm_engine *engine = env->memory(env->sys, sizeof(*engine));
	int rc = 0;

	if (!engine) {
		bm_log(env->log, BM_LOG_ERROR, "backend cpu: no memory for the engine");
		return -ENOMEM;
	}
	engine->env = *env;
	if (!env->loop || strcmp(env->loop, "auto") == 0)
		use_fastest(engine);
	else
		rc = use_named(engine, env->loop);
	if (rc < 0)
		env->memory_end(env->sys, engine, sizeof(*engine));
	else
		*opened = engine;
	return rc;
}

static void cpu_close(struct bm_engine *engine)
{
	struct bm_backend_env env = engine->env;

	env.memory_end(env.sys, engine, sizeof(*engine));
}

/* Near the caller, who is near the node: memory() has no say in it. */
static int cpu_chan_open(struct bm_engine *engine, int node, struct bm_channel **opened)
{
	struct bm_channel *channel = engine->env.memory(engine->env.sys, sizeof(*channel));

	(void)node;
	if (!channel)
		return -ENOMEM;
	channel->engine = engine;
	*opened = channel;
	return 0;
}

static void cpu_chan_close(struct bm_channel *channel)
{
	const struct bm_backend_env *env = &channel->engine->env;

	env->memory_end(env->sys, channel, sizeof(*channel));
}

static size_t loop_of(const struct bm_engine *engine, const struct bm_copy *copy)
{
	return engine->used[bm_cpu_class_of(copy->length, engine->env.huge_size)];
}

/* Neighbours of one loop are one call: it goes through them side by side. */
static void copy_all(const struct bm_engine *engine, const struct bm_copy *copies, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		size_t loop = loop_of(engine, &copies[i]);

		for (next = i + 1; next < count; next++)
			if (loop_of(engine, &copies[next]) != loop)
				break;
		bm_cpu_loop(loop)->copy(copies + i, next - i);
	}
}

static int cpu_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	size_t room = BM_CPU_DEPTH - channel->count;

	if (room == 0)
		return -EAGAIN;
	if (count > room)
		count = room;
	copy_all(channel->engine, copies, count);
	for (size_t i = 0; i < count; i++) {
		size_t at = (channel->first + channel->count++) % BM_CPU_DEPTH;

		channel->copied[at].done = copies[i].length;
		channel->copied[at].tag = copies[i].tag;
		channel->copied[at].error = 0;
	}
	return (int)count;
}

static int cpu_reap(struct bm_channel *channel, struct bm_copied *copied, size_t most)
{
	size_t count = most < channel->count ? most : channel->count;

	for (size_t i = 0; i < count; i++)
		copied[i] = channel->copied[(channel->first + i) % BM_CPU_DEPTH];
	channel->first = (channel->first + count) % BM_CPU_DEPTH;
	channel->count -= count;
	return (int)count;
}

const struct bm_backend bm_backend_cpu = {
	.name = "cpu",
	.does = "the calling thread copies, with the loop that is fastest on this CPU",
	.facts = BM_BACKEND_SYNC,
	.open = cpu_open,
	.close = cpu_close,
	.chan_open = cpu_chan_open,
	.chan_close = cpu_chan_close,
	.submit = cpu_submit,
	.reap = cpu_reap,
};
