/* SPDX-License-Identifier: MIT */
/*
 * claims.h - the interval lock of the process: who has which addresses.
 *
 * Windows exclude each other; memory of the library and the stacks of threads
 * that migrate exclude windows for good. Ending a claim takes no lock: its
 * owner must not wait for a thread that may be waiting for the window.
 */
#ifndef BM_CLAIMS_H
#define BM_CLAIMS_H

#include "uffd.h"

/*
 * Waits until no window overlaps [start, end), then takes it. The claim;
 * -EDEADLK where a window would take memory of the library; -ENOSPC too many.
 */
int bm_claim(struct bm_uffd *uffd, enum bm_claim_kind kind, uint64_t start, uint64_t end);
void bm_claim_end(struct bm_uffd *uffd, int claim);

/*
 * 1 when a window is over [start, end) now; waits until none is. Between
 * bm_uffd_visit() and bm_uffd_leave() at least.
 */
int bm_window_over(const struct bm_uffd *uffd, uint64_t start, uint64_t end);
void bm_window_wait(struct bm_uffd *uffd, uint64_t start, uint64_t end);

/*
 * The part of the stack that a thread of the library uses while a window is
 * open: from `frame` on down, and up to `end`, where the last is that it needs
 * of the frames above.
 */
int bm_claim_stack(struct bm_uffd *uffd, const void *frame, const void *end);

/*
 * 1 when mremap(2) has brought pages of an open window to [start, end): it is
 * not free then, and must stay registered. Inside the gate.
 */
int bm_window_awaits(const struct bm_uffd *uffd, uint64_t start, uint64_t end);

/* A window for this thread, NULL when there is none left; and its return. */
struct bm_window *bm_window_take(struct bm_uffd *uffd);
void bm_window_give(struct bm_uffd *uffd, struct bm_window *window);

#endif
