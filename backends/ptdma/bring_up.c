/* SPDX-License-Identifier: MIT */
/* bring_up.c - opens a function and its rings, tries them, and closes it again. */
#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "least.h"

/* One page: larger rings have to lie together in memory, what by uio is luck. */
#define SLOTS_USUAL 128u
#define LIVES       3u

static uint32_t slots_of(const struct bm_engine *engine, const struct bm_ptdma_kind *kind)
{
	uint32_t asked = engine->env.ptdma_ring ? engine->env.ptdma_ring : SLOTS_USUAL;
	uint32_t slots = BM_PTDMA_SLOTS_LEAST;

	if (kind->slots)
		return kind->slots;
	while (slots * 2 <= asked && slots < BM_PTDMA_SLOTS_MOST)
		slots *= 2;
	return slots;
}

static size_t entry_bytes(const struct bm_ptdma_ring *ring)
{
	return ring->entry_count * sizeof(*ring->entries);
}

static void free_ring(struct bm_engine *engine, struct bm_ptdma_ring *ring)
{
	if (ring->memory.at)
		bm_pci_memory_free(engine->space, &ring->memory);
	if (ring->entries)
		engine->env.memory_end(engine->env.sys, ring->entries, entry_bytes(ring));
	memset(ring, 0, sizeof(*ring));
}

/* Where no memory lies together the ring is shorter. */
static int get_memory(struct bm_engine *engine, struct bm_ptdma_ring *ring)
{
	int rc;

	do {
		rc = bm_pci_memory_new(engine->space, ring->slots * (size_t)BM_PTDMA_DESC_BYTES,
				       &ring->memory);
		if (rc == -EFBIG && !ring->function->kind->slots)
			ring->slots /= 2;
	} while (rc == -EFBIG && !ring->function->kind->slots &&
		 ring->slots >= BM_PTDMA_SLOTS_LEAST);
	if (rc < 0)
		ring->memory.at = NULL;
	return rc;
}

static int make_ring(struct bm_engine *engine, struct bm_ptdma_function *function, uint32_t number)
{
	struct bm_ptdma_ring *ring = &function->rings[number];
	int rc;

	memset(ring, 0, sizeof(*ring));
	ring->function = function;
	ring->registers = function->kind->registers(number);
	ring->slots = slots_of(engine, function->kind);
	ring->entry_count = BM_PTDMA_COPIES;
	ring->entries = engine->env.memory(engine->env.sys, entry_bytes(ring));
	if (!ring->entries)
		return -ENOMEM;
	rc = get_memory(engine, ring);
	/* The function has to reach it, and wraps by masking addresses. */
	if (rc == 0 && ((ring->memory.bus + ring->memory.size - 1) >> BM_PTDMA_BUS_BITS ||
			ring->memory.bus % (ring->slots * BM_PTDMA_DESC_BYTES)))
		rc = -EFBIG;
	return rc;
}

static int make_rings(struct bm_engine *engine, struct bm_ptdma_function *function, uint32_t most,
		      char *why)
{
	uint32_t count = (uint32_t)bm_least(function->kind->rings(&function->pci), most);
	int rc = 0;

	if (count == 0) {
		snprintf(why, BM_WHY_MAX, "it has no room for its registers");
		return -ENODEV;
	}
	for (uint32_t i = 0; i < count && rc == 0; i++) {
		rc = make_ring(engine, function, i);
		function->ring_count = i + 1;
	}
	if (rc < 0)
		snprintf(why, BM_WHY_MAX, "there is no memory for its ring%s (error %d)",
			 rc == -EFBIG ? " that lies together; try a smaller ptdma_ring" : "", -rc);
	return rc;
}

/*
 * The kernel takes bus mastering from what is closed, and a function that is not on
 * the bus any more has none. Rings of one of which neither is known stay.
 */
int bm_ptdma_bring_down(struct bm_engine *engine, struct bm_ptdma_function *function)
{
	enum bm_ptdma_how how;
	int quiet;

	bm_ptdma_retire(function);
	how = bm_ptdma_how(function);
	quiet = how == BM_PTDMA_QUIET || how == BM_PTDMA_DEAD || engine->guards ||
		bm_pci_is_master(&function->pci) == -ENODEV;
	bm_pci_close(&function->pci);
	for (uint32_t i = 0; i < function->ring_count && quiet; i++)
		free_ring(engine, &function->rings[i]);
	return quiet ? 0 : -1;
}

/*
 * What a process has left that was killed would go on once it is a bus master again.
 * By vfio the kernel resets what it gives out, by uio nobody does; not all can be reset.
 */
static int clear(const struct bm_engine *engine, struct bm_ptdma_function *function, char *why)
{
	int rc = engine->guards ? 0 : bm_pci_reset(&function->pci);

	if (rc == 0 || rc == -ENOTTY)
		return 0;
	snprintf(why, BM_WHY_MAX, "it cannot be reset (error %d)", -rc);
	return rc;
}

static int start(struct bm_engine *engine, struct bm_ptdma_function *function, uint32_t most,
		 char *why)
{
	int rc = clear(engine, function, why);

	if (rc == 0)
		rc = make_rings(engine, function, most, why);
	if (rc < 0)
		return rc;
	atomic_store(&function->lives, LIVES);
	rc = bm_ptdma_set_up(function);
	if (rc < 0) {
		snprintf(why, BM_WHY_MAX, "its registers do not answer as they should (error %d)",
			 -rc);
		return rc;
	}
	rc = bm_pci_master(&function->pci, 1);
	if (rc < 0)
		snprintf(why, BM_WHY_MAX,
			 "bus mastering cannot be turned on (error %d): is the kernel locked down?",
			 -rc);
	return rc < 0 ? rc : bm_ptdma_try(engine, function, why);
}

int bm_ptdma_bring_up(struct bm_engine *engine, const struct bm_pci_found *found, uint32_t most,
		      char *why)
{
	struct bm_ptdma_function *function = &engine->functions[engine->function_count];
	int rc;

	memset(function, 0, sizeof(*function));
	function->kind = bm_ptdma_kind_of(&found->id);
	function->sys = engine->env.sys;
	function->node = found->node;
	function->rings = &engine->rings[engine->ring_count];
	rc = bm_pci_open(engine->space, found, function->kind->bar, &function->pci, why);
	if (rc < 0)
		return rc;
	rc = start(engine, function, most, why);
	if (rc < 0) {
		engine->leaks |= bm_ptdma_bring_down(engine, function) < 0;
		return rc;
	}
	engine->function_count++;
	engine->ring_count += function->ring_count;
	return 0;
}
