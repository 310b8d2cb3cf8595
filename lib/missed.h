/* SPDX-License-Identifier: MIT */
/*
 * missed.h - pages of which the kernel said that they are absent, and are not.
 *
 * To move_pages(2) a page is absent while somebody else migrates it; to pagemap
 * it is swapped out then, but mincore(2) tells the difference. From
 * Linux 6.1 (474098edac26) to 6.4 (d74943a2f3cd) it does not follow entries
 * that NUMA balancing has marked either. Reading such a page takes the mark
 * off, and may move it to the node of the reader, as any access does.
 */
#ifndef BM_MISSED_H
#define BM_MISSED_H

#include "job.h"

/*
 * Finds the units of which the last answer was -ENOENT although pagemap says
 * that they are present, reads a byte of each where the kernel misses marked
 * ones, and asks again where they are. One that had no known place gets a state
 * now: `there` on its target, else `elsewhere`. Returns how many were found; a mapping without access is not among
 * them where they must be read. job->passing becomes the number of those that
 * somebody may be migrating now: worth another look.
 */
size_t bm_missed_find(struct bm_job *job, enum bm_unit_state there, enum bm_unit_state elsewhere);

#endif
