/* SPDX-License-Identifier: MIT */
/*
 * function.c - how a function is, in one word: rings that somebody has (bits 0 to
 * 15), and enum bm_ptdma_how above them, so that both change as one.
 */
#include "ring.h"

#include <errno.h>

#define HOW_SHIFT         16u
#define RINGS             ((1u << HOW_SHIFT) - 1)
#define STATE(how, rings) ((uint32_t)(how) << HOW_SHIFT | (rings))

/* Of another thread that turns off bus mastering, with a system call. */
#define HALT_NS 1000000u
/* Of bus mastering: then the function is given up. */
#define LOSSES_MOST 64u

enum bm_ptdma_how bm_ptdma_how(const struct bm_ptdma_function *function)
{
	return (enum bm_ptdma_how)(atomic_load(&function->state) >> HOW_SHIFT);
}

/* 1 when it was as it is said. */
static int change(struct bm_ptdma_function *function, enum bm_ptdma_how from, enum bm_ptdma_how to)
{
	uint32_t state = atomic_load(&function->state);

	do {
		if (state >> HOW_SHIFT != (uint32_t)from)
			return 0;
	} while (!atomic_compare_exchange_weak(&function->state, &state, STATE(to, state & RINGS)));
	return 1;
}

int bm_ptdma_enter(struct bm_ptdma_function *function)
{
	uint32_t state = atomic_load(&function->state);

	do {
		if (state >> HOW_SHIFT != BM_PTDMA_LIVE)
			return 0;
	} while (!atomic_compare_exchange_weak(&function->state, &state, state + 1));
	return 1;
}

int bm_ptdma_set_up(struct bm_ptdma_function *function)
{
	function->kind->begin(function);
	for (uint32_t i = 0; i < function->ring_count; i++) {
		struct bm_ptdma_ring *ring = &function->rings[i];
		int rc;

		ring->head = ring->rung = ring->tail = 0;
		rc = function->kind->set_up(ring);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int bm_ptdma_start(struct bm_ptdma_function *function)
{
	int rc = bm_ptdma_set_up(function);

	return rc < 0 ? rc : bm_pci_master(&function->pci, 1);
}

static int has_life(struct bm_ptdma_function *function)
{
	uint32_t lives = atomic_load(&function->lives);

	while (lives > 0)
		if (atomic_compare_exchange_weak(&function->lives, &lives, lives - 1))
			return 1;
	return 0;
}

/* No ring goes on by itself, once the function is a bus master. */
static int rests(struct bm_ptdma_function *function)
{
	if (atomic_exchange(&function->clean, 0))
		return 1;
	for (uint32_t i = 0; i < function->ring_count; i++) {
		const struct bm_ptdma_ring *ring = &function->rings[i];

		if (!ring->rests && !function->kind->is_idle(ring))
			return 0;
	}
	return 1;
}

/* Nobody has a ring, and nobody gets one. */
static enum bm_ptdma_how revive(struct bm_ptdma_function *function)
{
	if (!rests(function))
		return BM_PTDMA_DEAD;
	if (has_life(function) && bm_ptdma_start(function) == 0)
		return BM_PTDMA_LIVE;
	return bm_pci_quiet(&function->pci) == 1 ? BM_PTDMA_DEAD : BM_PTDMA_UNSURE;
}

/* Who comes last does it. */
static void revive_if_free(struct bm_ptdma_function *function)
{
	uint32_t quiet = STATE(BM_PTDMA_QUIET, 0);

	if (atomic_compare_exchange_strong(&function->state, &quiet, STATE(BM_PTDMA_STOPPING, 0)))
		change(function, BM_PTDMA_STOPPING, revive(function));
}

void bm_ptdma_leave(struct bm_ptdma_function *function)
{
	atomic_fetch_sub(&function->state, 1);
	revive_if_free(function);
}

static void stop_all(struct bm_ptdma_function *function)
{
	for (uint32_t i = 0; i < function->ring_count; i++) {
		struct bm_ptdma_ring *ring = &function->rings[i];

		ring->rests = function->kind->rests(ring);
		function->kind->stop(ring);
	}
}

/* Those of other threads ring doorbells meanwhile: it is bus mastering that counts. */
void bm_ptdma_halt(struct bm_ptdma_function *function)
{
	int quiet;

	if (!change(function, BM_PTDMA_LIVE, BM_PTDMA_STOPPING))
		return;
	atomic_fetch_add(&function->halts, 1);
	stop_all(function);
	quiet = bm_pci_quiet(&function->pci) == 1;
	change(function, BM_PTDMA_STOPPING, quiet ? BM_PTDMA_QUIET : BM_PTDMA_UNSURE);
}

/*
 * Not while another thread halts it. The number is the first to change: who finds it
 * a bus master afterwards sees that it was none.
 */
int bm_ptdma_make_master(struct bm_ptdma_function *function)
{
	int rc = -EIO;

	if (!change(function, BM_PTDMA_LIVE, BM_PTDMA_STOPPING))
		return 0;
	if (atomic_fetch_add(&function->losses, 1) < LOSSES_MOST)
		rc = bm_pci_master(&function->pci, 1);
	change(function, BM_PTDMA_STOPPING, BM_PTDMA_LIVE);
	return rc < 0 ? -EIO : 0;
}

enum bm_ptdma_how bm_ptdma_halted(struct bm_ptdma_function *function)
{
	const struct bm_sys *sys = function->sys;
	uint64_t end = sys->now_ns() + HALT_NS;
	enum bm_ptdma_how how;

	do {
		bm_ptdma_halt(function);
		how = bm_ptdma_how(function);
		bm_ptdma_pause();
	} while ((how == BM_PTDMA_LIVE || how == BM_PTDMA_STOPPING) && sys->now_ns() < end);
	return how;
}

/* A reset waits for what is under way. 1 when it was done. */
static int reset(struct bm_ptdma_function *function)
{
	int rc = bm_pci_reset(&function->pci);

	atomic_store(&function->clean, rc == 0);
	if (rc < 0)
		atomic_store(&function->lives, 0);
	return rc == 0;
}

/* Of one that is not live nobody gets a ring: those that are looked at can only become fewer. */
int bm_ptdma_is_left(const struct bm_ptdma_function *function)
{
	return (atomic_load(&function->state) & RINGS) == atomic_load(&function->left);
}

void bm_ptdma_recover(struct bm_ptdma_function *function)
{
	int quiet;

	if (atomic_load(&function->lives) && change(function, BM_PTDMA_DEAD, BM_PTDMA_STOPPING))
		change(function, BM_PTDMA_STOPPING,
		       reset(function) ? revive(function) : BM_PTDMA_DEAD);
	if (!change(function, BM_PTDMA_UNSURE, BM_PTDMA_STOPPING))
		return;
	if (!bm_ptdma_is_left(function)) {
		change(function, BM_PTDMA_STOPPING, BM_PTDMA_UNSURE);
		return;
	}
	/* Without a reset bus mastering is perhaps off by now: enough for whoever waits. */
	quiet = reset(function);
	quiet |= bm_pci_quiet(&function->pci) == 1;
	change(function, BM_PTDMA_STOPPING, quiet ? BM_PTDMA_QUIET : BM_PTDMA_UNSURE);
	revive_if_free(function);
}

void bm_ptdma_retire(struct bm_ptdma_function *function)
{
	enum bm_ptdma_how how = bm_ptdma_halted(function);

	atomic_store(&function->lives, 0);
	if (how == BM_PTDMA_UNSURE)
		bm_ptdma_recover(function);
}

void bm_ptdma_cut_off(struct bm_ptdma_function *function)
{
	if (!bm_ptdma_is_left(function) || !change(function, BM_PTDMA_UNSURE, BM_PTDMA_STOPPING))
		return;
	atomic_store(&function->lives, 0);
	change(function, BM_PTDMA_STOPPING,
	       bm_pci_cut_off(&function->pci) ? BM_PTDMA_DEAD : BM_PTDMA_UNSURE);
}
