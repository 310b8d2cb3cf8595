/* SPDX-License-Identifier: MIT */
/*
 * replay.h - entries with different targets in what may be one folio.
 *
 * The entry with the highest index decides for a huge page. Where the library
 * could not see one it has moved its entries by node; then the wrong one may
 * have come last.
 */
#ifndef BM_REPLAY_H
#define BM_REPLAY_H

#include "job.h"

/*
 * Looks for units that were dragged away from their target, finds out what
 * belongs together by moving them, and moves each folio to where the entry of
 * the highest index among its own wants it. Sets job->mixed where it did.
 * Returns how many units are to do again: those of folios that the kernel has
 * split on the way, which are free to go where they were asked to.
 */
size_t bm_replay_dragged(struct bm_job *job);

#endif
