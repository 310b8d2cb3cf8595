/* SPDX-License-Identifier: MIT */
/* dsa.c - the engine of the backend dsa: all work queues that can be opened. */
#include "dsa.h"

#include <errno.h>

#include "channel.h"
#include "least.h"
#include "list.h"

/* A huge page is eight of these: several engines have a part of it. */
#define PIECE_MOST ((size_t)256 << 10)
/* That of the driver, where a queue does not tell; one that takes less says so in its records. */
#define TRANSFER_UNKNOWN ((uint64_t)2 << 20)
/* The driver's own limit of a queue; published throughput is of batches of 32. */
#define SPAN 32u

static const char *open_error(int error)
{
	switch (error) {
	case -EBUSY:
		return "it is dedicated, and another process or context has it open";
	case -EACCES:
	case -EPERM:
		return "this process may not open it";
	case -ENOENT:
		return "there is no such file";
	case -ENODEV:
	case -ENXIO:
		return "it is not enabled";
	default:
		return "it cannot be opened";
	}
}

static uint64_t transfer_of(const struct bm_dsa_queue *facts)
{
	return facts->max_transfer ? facts->max_transfer : TRANSFER_UNKNOWN;
}

static void skip(const struct bm_log *log, const struct bm_dsa_queue *facts, const char *why,
		 int error)
{
	if (error)
		bm_log(log, BM_LOG_WARN, "backend dsa: %s is not used: %s (error %d)", facts->name,
		       why, -error);
	else
		bm_log(log, BM_LOG_INFO, "backend dsa: %s is not used: %s", facts->name, why);
}

static void use(struct bm_engine *engine, const struct bm_dsa_queue *facts)
{
	struct bm_dsa_wq *wq = &engine->queues[engine->queue_count];
	const struct bm_log *log = engine->env.log;
	int rc;

	if (facts->why[0]) {
		skip(log, facts, facts->why, 0);
		return;
	}
	if (transfer_of(facts) < engine->env.page_size) {
		skip(log, facts, "it takes less than a page at a time", 0);
		return;
	}
	rc = bm_dsa_wq_open(wq, &engine->env, facts);
	if (rc < 0) {
		skip(log, facts, open_error(rc), rc);
		return;
	}
	engine->queue_count++;
	engine->piece = bm_least(engine->piece, (size_t)transfer_of(facts));
	bm_log(log, BM_LOG_DEBUG, "backend dsa: %s is used by %s, %u entries, batches of %u",
	       facts->name, wq->portal ? "a portal" : "write(2)", wq->size,
	       atomic_load(&wq->batch));
}

static int use_all(struct bm_engine *engine, struct bm_dsa_queue *found)
{
	char why[BM_WHY_MAX] = "";
	int count = bm_dsa_queues_find(&engine->env, found, BM_DSA_QUEUES_MOST, why);

	if (count < 0)
		bm_log(engine->env.log, BM_LOG_INFO, "backend dsa: %s", why);
	for (int i = 0; i < count; i++)
		use(engine, &found[i]);
	if (engine->queue_count > 0)
		return 0;
	bm_log(engine->env.log, BM_LOG_INFO, "backend dsa: there is no queue that can be used");
	return -ENODEV;
}

static int open_queues(struct bm_engine *engine)
{
	const struct bm_backend_env *env = &engine->env;
	size_t size = BM_DSA_QUEUES_MOST * sizeof(struct bm_dsa_queue);
	struct bm_dsa_queue *found = env->memory(env->sys, size);
	int rc;

	if (!found)
		return -ENOMEM;
	rc = use_all(engine, found);
	env->memory_end(env->sys, found, size);
	return rc;
}

static int dsa_batch(struct bm_engine *engine, uint32_t copies)
{
	if (engine->env.batch)
		copies = engine->env.batch;
	atomic_store_explicit(&engine->span, copies ? copies : SPAN, memory_order_relaxed);
	return engine->env.batch == 0;
}

static int dsa_open(const struct bm_backend_env *env, struct bm_engine **opened)
{
	struct bm_engine *engine = env->memory(env->sys, sizeof(*engine));
	int rc = -ENOMEM;

	if (engine) {
		engine->env = *env;
		engine->cpu_facts = env->sys->cpu_facts();
		engine->piece = PIECE_MOST;
		dsa_batch(engine, 0);
		rc = open_queues(engine);
	}
	if (rc == -ENOMEM)
		bm_log(env->log, BM_LOG_ERROR, "backend dsa: no memory for the engine");
	if (rc < 0 && engine)
		env->memory_end(env->sys, engine, sizeof(*engine));
	if (rc == 0) {
		/* Pages of 64 KiB: pieces stay multiples of them. */
		engine->piece &= ~((size_t)env->page_size - 1);
		*opened = engine;
	}
	return rc;
}

static void dsa_close(struct bm_engine *engine)
{
	struct bm_backend_env env = engine->env;

	/* Those that refused work in a window were not told of there. */
	for (uint32_t i = 0; i < engine->queue_count; i++) {
		if (bm_dsa_wq_is_dead(&engine->queues[i]))
			bm_log(env.log, BM_LOG_WARN, "backend dsa: %s failed and was given up",
			       engine->queues[i].name);
		bm_dsa_wq_close(&engine->queues[i]);
	}
	env.memory_end(env.sys, engine, sizeof(*engine));
}

static void dsa_limits(const struct bm_channel *channel, struct bm_limits *limits)
{
	limits->piece = channel->engine->piece;
	limits->depth = BM_DSA_SLOTS;
}

const struct bm_backend bm_backend_dsa = {
	.name = "dsa",
	.does = "Intel DSA copies, by work queues of the driver idxd",
	.probe = bm_dsa_probe,
	.list = bm_dsa_list,
	.open = dsa_open,
	.close = dsa_close,
	.batch = dsa_batch,
	.chan_open = bm_dsa_chan_open,
	.chan_close = bm_dsa_chan_close,
	.limits = dsa_limits,
	.aim = bm_dsa_aim,
	.submit = bm_dsa_submit,
	.reap = bm_dsa_reap,
	.wait = bm_dsa_wait,
	.settle = bm_dsa_settle,
};
