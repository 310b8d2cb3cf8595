/* SPDX-License-Identifier: MIT */
/* kernel_calls.h - the plain system calls that move pages, as a program would use them by itself. */
#ifndef BENCH_KERNEL_CALLS_H
#define BENCH_KERNEL_CALLS_H

#include "contest.h"

/* move_pages(2), 4096 entries a call, disjoint parts of the list for each thread. */
double run_move_pages(struct entrant *entrant);
/* Of the entries from @begin to @end: returns how many are still where they were. */
size_t stage_move_pages(const struct stage *stage, size_t begin, size_t end, int to_far);
/* mbind(2) with MPOL_MF_MOVE, a call for each run of entries. */
double run_mbind(struct entrant *entrant);
/* migrate_pages(2), of a child that has as much memory as moves: it takes a process whole. */
double run_migrate_pages(struct entrant *entrant);

#endif
