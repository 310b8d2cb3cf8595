/* SPDX-License-Identifier: MIT */
/* ptdma.c - the engine of the backend ptdma: all functions that can be opened. */
#include "ptdma.h"

#include <errno.h>

#include "channel.h"
#include "functions.h"
#include "least.h"

/* A huge page is eight of these: several rings have a part of it. */
#define PIECE_MOST ((size_t)256 << 10)
/* Base pages that one ring gets before the next one is looked at: 64 KiB of 4 KiB. */
#define SHARE 16u

static int find(struct bm_engine *engine, struct bm_pci_found *found, enum bm_pci_access *access)
{
	const struct bm_log *log = engine->env.log;
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX];
	int count = bm_ptdma_access(&engine->env, access, why, remedy);

	if (count == 0)
		count = bm_ptdma_functions_find(&engine->env, found, BM_PCI_FUNCTIONS_MOST, why,
						remedy);
	if (count < 0)
		bm_log(log, BM_LOG_ERROR, "backend ptdma: %s%s%s", why,
		       remedy[0] ? "; what helps: " : "", remedy);
	return count == 0 ? -ENODEV : count;
}

/* How many rings each of so many functions may have. */
static uint32_t rings_of_each(int functions)
{
	return BM_PTDMA_RINGS_MOST / (uint32_t)functions;
}

/*
 * Before anything is opened: without a driver for any of them there may be no
 * /dev/vfio/vfio either, and that is not what has to be mended. How many are left.
 */
static int keep_usable(const struct bm_engine *engine, struct bm_pci_found *found, int count,
		       enum bm_pci_access access)
{
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX];
	int usable = 0;

	for (int i = 0; i < count; i++) {
		why[0] = remedy[0] = '\0';
		if (bm_pci_usable(engine->env.sys, &found[i], access, why, remedy) == 0)
			found[usable++] = found[i];
		else
			bm_log(engine->env.log, BM_LOG_INFO, "backend ptdma: %s is not used: %s",
			       found[i].address, why);
	}
	return usable;
}

static void use(struct bm_engine *engine, const struct bm_pci_found *found, uint32_t rings)
{
	const struct bm_log *log = engine->env.log;
	char why[BM_WHY_MAX] = "";
	int rc = bm_ptdma_bring_up(engine, found, rings, why);

	if (rc < 0)
		bm_log(log, BM_LOG_WARN, "backend ptdma: %s is not used: %s", found->address, why);
	else
		bm_log(log, BM_LOG_DEBUG, "backend ptdma: %s is used, rings: %u of %u descriptors",
		       found->address, engine->functions[engine->function_count - 1].ring_count,
		       engine->functions[engine->function_count - 1].rings->slots);
}

static void warn(const struct bm_engine *engine, enum bm_pci_access access)
{
	if (access == BM_PCI_UIO && !engine->guards)
		bm_log(engine->env.log, BM_LOG_WARN,
		       "backend ptdma: uio-unsafe: nothing keeps the functions to the memory of "
		       "this process. A process that is killed while they copy may let them write "
		       "to pages that are somebody else's by then");
}

static int none_is_used(const struct bm_engine *engine)
{
	bm_log(engine->env.log, BM_LOG_INFO,
	       "backend ptdma: there is no function that can be used");
	return -ENODEV;
}

static int use_all(struct bm_engine *engine, struct bm_pci_found *found, int count,
		   enum bm_pci_access access)
{
	char why[BM_WHY_MAX] = "";

	count = keep_usable(engine, found, count, access);
	if (count == 0)
		return none_is_used(engine);
	if (bm_pci_space_new(&engine->env, access, &engine->space, why) < 0) {
		bm_log(engine->env.log, BM_LOG_INFO, "backend ptdma: %s", why);
		return -ENODEV;
	}
	engine->guards = bm_pci_guards(engine->space) == 1;
	for (int i = 0; i < count; i++)
		use(engine, &found[i], rings_of_each(count));
	if (engine->function_count == 0)
		return none_is_used(engine);
	warn(engine, access);
	return 0;
}

static int open_functions(struct bm_engine *engine)
{
	const struct bm_backend_env *env = &engine->env;
	size_t size = BM_PCI_FUNCTIONS_MOST * sizeof(struct bm_pci_found);
	struct bm_pci_found *found = env->memory(env->sys, size);
	enum bm_pci_access access;
	int rc = -ENOMEM;

	if (found)
		rc = find(engine, found, &access);
	if (rc > 0)
		rc = use_all(engine, found, rc, access);
	if (found)
		env->memory_end(env->sys, found, size);
	return rc;
}

/* The first ring of each function, the second one of each... */
static void put_in_order(struct bm_engine *engine)
{
	uint32_t count = 0;

	for (uint32_t k = 0; count < engine->ring_count; k++)
		for (uint32_t i = 0; i < engine->function_count; i++)
			if (k < engine->functions[i].ring_count)
				engine->order[count++] =
					(uint8_t)(engine->functions[i].rings + k - engine->rings);
}

/* Each ring has slots for it, wherever its pages are; a power of two of pages. */
static void choose_piece(struct bm_engine *engine)
{
	size_t page = (size_t)engine->env.page_size;

	engine->piece = page > PIECE_MOST ? page : PIECE_MOST;
	for (uint32_t i = 0; i < engine->ring_count; i++)
		while (engine->piece > page && engine->piece / page > engine->rings[i].slots - 1)
			engine->piece /= 2;
}

static int ptdma_batch(struct bm_engine *engine, uint32_t copies)
{
	atomic_store_explicit(&engine->share, copies ? copies : SHARE, memory_order_relaxed);
	return 1;
}

static void end_engine(struct bm_engine *engine)
{
	struct bm_backend_env env = engine->env;

	if (engine->space && !engine->leaks)
		bm_pci_space_free(engine->space);
	env.memory_end(env.sys, engine, sizeof(*engine));
}

static int ptdma_open(const struct bm_backend_env *env, struct bm_engine **opened)
{
	struct bm_engine *engine = env->memory(env->sys, sizeof(*engine));
	int rc = -ENOMEM;

	if (engine) {
		engine->env = *env;
		engine->owner = env->sys->getpid();
		ptdma_batch(engine, 0);
		rc = open_functions(engine);
	}
	if (rc == -ENOMEM)
		bm_log(env->log, BM_LOG_ERROR, "backend ptdma: no memory for the engine");
	if (rc < 0 && engine)
		end_engine(engine);
	if (rc < 0)
		return rc;
	put_in_order(engine);
	choose_piece(engine);
	*opened = engine;
	return 0;
}

/* Those that failed in a window were not told of there. */
static void tell(const struct bm_engine *engine, struct bm_ptdma_function *function)
{
	const struct bm_log *log = engine->env.log;
	enum bm_ptdma_how how = bm_ptdma_how(function);
	uint32_t halts = atomic_load(&function->halts), losses = atomic_load(&function->losses);

	if (how != BM_PTDMA_LIVE)
		bm_log(log, BM_LOG_WARN, "backend ptdma: %s failed and was given up",
		       function->pci.address);
	else if (halts)
		bm_log(log, BM_LOG_WARN, "backend ptdma: %s was stopped and set up again %u times",
		       function->pci.address, halts);
	if (losses)
		bm_log(log, BM_LOG_WARN,
		       "backend ptdma: somebody else turned off bus mastering of %s %u times",
		       function->pci.address, losses);
}

static void ptdma_close(struct bm_engine *engine)
{
	int owner = bm_ptdma_is_owner(engine);

	for (uint32_t i = 0; owner && i < engine->function_count; i++) {
		tell(engine, &engine->functions[i]);
		engine->leaks |= bm_ptdma_bring_down(engine, &engine->functions[i]) < 0;
	}
	/* In a child of a fork they are the parent's. */
	engine->leaks |= !owner;
	end_engine(engine);
}

static void ptdma_limits(const struct bm_channel *channel, struct bm_limits *limits)
{
	limits->piece = channel->engine->piece;
	limits->depth = BM_PTDMA_COPIES;
}

/*
 * By the table of AMD's patches for page migration by PTDMA (linux-mm, 2026: two
 * sockets of Zen 3, copies by a core against 1, 2 and 4 channels): from which size of
 * folio on it is faster. Nothing is published of AE4DMA.
 */
static size_t ptdma_published(const struct bm_engine *engine)
{
	if (engine->function_count >= 4)
		return (size_t)64 << 10;
	return engine->function_count >= 2 ? (size_t)256 << 10 : (size_t)1 << 20;
}

const struct bm_backend bm_backend_ptdma = {
	.name = "ptdma",
	.does = "AMD PTDMA and AE4DMA copy, as PCI functions driven by this process",
	.facts = BM_BACKEND_PINS,
	.probe = bm_ptdma_probe,
	.list = bm_ptdma_list,
	.open = ptdma_open,
	.close = ptdma_close,
	.batch = ptdma_batch,
	.published = ptdma_published,
	.chan_open = bm_ptdma_chan_open,
	.chan_close = bm_ptdma_chan_close,
	.limits = ptdma_limits,
	.aim = bm_ptdma_aim,
	.pin = bm_ptdma_pin,
	.unpin = bm_ptdma_unpin,
	.submit = bm_ptdma_submit,
	.reap = bm_ptdma_reap,
	.wait = bm_ptdma_wait,
	.settle = bm_ptdma_settle,
};
