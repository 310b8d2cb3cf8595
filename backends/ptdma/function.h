/* SPDX-License-Identifier: MIT */
/*
 * function.h - one function, its rings, and how it is.
 *
 *            halt()             nothing is written any more
 *      LIVE ────────▶ STOPPING ────────▶ QUIET ──▶ LIVE, or DEAD
 *                         │  ▲
 *         it is not known ▼  │ recover()
 *                        UNSURE
 *
 * Bus mastering is one bit for all rings of a function: who halts it for one ring
 * ends what all of them have. So those who have its rings look how it is before they
 * believe a completion, tell that the rest has failed, and give the ring back; the
 * last one to do so sets up all of them again. Until then nobody gets one.
 *
 * That is done without a reset, because it may be in a window, and so only when no
 * ring can be in the middle of a descriptor: it would go on with it as soon as the
 * function is a bus master again, and the pages are somebody else's by then. Where
 * that is not known the function is DEAD until it was reset, outside of windows.
 */
#ifndef BM_PTDMA_FUNCTION_H
#define BM_PTDMA_FUNCTION_H

#include <stdatomic.h>

#include "pci/pci.h"

enum bm_ptdma_how {
	BM_PTDMA_LIVE,
	BM_PTDMA_STOPPING,
	BM_PTDMA_QUIET,
	BM_PTDMA_UNSURE,
	BM_PTDMA_DEAD, /* and quiet; nobody has a ring */
};

struct bm_ptdma_kind;
struct bm_ptdma_ring;

struct bm_ptdma_function {
	struct bm_pci pci;
	const struct bm_sys *sys;
	const struct bm_ptdma_kind *kind;
	struct bm_ptdma_ring *rings;
	uint32_t ring_count;
	int node;
	_Atomic uint32_t state;  /* how it is, and rings that somebody has: function.c */
	_Atomic uint32_t lives;  /* how often it may be set up again */
	_Atomic uint32_t halts;  /* how often it was stopped */
	_Atomic uint32_t left;   /* rings whose channels do not look at them any more */
	_Atomic uint32_t clean;  /* it was reset: no ring can be in the middle of anything */
	_Atomic uint32_t losses; /* how often it was found to be no bus master any more */
};

/* Registers of all rings: 0 or -errno. Nobody has a ring. For windows. */
int bm_ptdma_set_up(struct bm_ptdma_function *function);
/* And bus mastering after them; likewise. */
int bm_ptdma_start(struct bm_ptdma_function *function);

/* The next six may be called in windows. */
enum bm_ptdma_how bm_ptdma_how(const struct bm_ptdma_function *function);
/* For one of its rings: 1, or 0 when it is not live. */
int bm_ptdma_enter(struct bm_ptdma_function *function);
void bm_ptdma_leave(struct bm_ptdma_function *function);
/* Somebody has turned off bus mastering: 0, or -EIO: that is how it will stay. */
int bm_ptdma_make_master(struct bm_ptdma_function *function);
/* Makes it quiet, or another thread does. */
void bm_ptdma_halt(struct bm_ptdma_function *function);
/* How it is after that: waits a moment for another thread. */
enum bm_ptdma_how bm_ptdma_halted(struct bm_ptdma_function *function);

/* 1: each ring that somebody has is LEFT. Of one that is not LIVE it stays so. */
int bm_ptdma_is_left(const struct bm_ptdma_function *function);

/*
 * Outside of windows, and nothing is done while somebody looks at one of its rings:
 * he could be about to ring a doorbell, or would wait for the reset in his window.
 */
/* One that is UNSURE, or DEAD and has a life left, by a reset: it is set up again. */
void bm_ptdma_recover(struct bm_ptdma_function *function);
/* One that is not used any more: it is DEAD, or UNSURE. */
void bm_ptdma_retire(struct bm_ptdma_function *function);
/* The last one to be tried: it is closed and DEAD, or as before. */
void bm_ptdma_cut_off(struct bm_ptdma_function *function);

#endif
