/* SPDX-License-Identifier: MIT */
/*
 * missed.h - pages of which the kernel said that they are absent, and are not.
 *
 * To move_pages(2) a page is absent while somebody else migrates it: its entry
 * looks like that of a page in swap, and reading it waits for the end. From
 * Linux 6.1 (474098edac26) to 6.4 (d74943a2f3cd) an entry that NUMA balancing
 * has marked is not followed either; reading takes the mark off, and may move
 * the page to the node of the reader, as any access does.
 */
#ifndef BM_MISSED_H
#define BM_MISSED_H

#include "job.h"

/*
 * Finds the units of which the last answer was -ENOENT although they are in
 * memory, reads a byte of each where that helps, and asks again where they
 * are. One that had no known place gets a state now: `there` on its target,
 * else `elsewhere`. Returns how many were found. Of another process pages in
 * migration cannot be told from those in swap: job->passing becomes their
 * number, worth another look a little later.
 */
size_t bm_missed_find(struct bm_job *job, enum bm_unit_state there, enum bm_unit_state elsewhere);

#endif
