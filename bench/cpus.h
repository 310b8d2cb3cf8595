/* SPDX-License-Identifier: MIT */
/*
 * cpus.h - the CPUs that the process was given, in the order in which threads get them.
 *
 * Cores of one last-level cache share its way to the memory, and threads of one core
 * share the core. The library spreads its threads over caches: what it is compared
 * with must not have less than it.
 */
#ifndef BENCH_CPUS_H
#define BENCH_CPUS_H

#include <sched.h>
#include <stddef.h>

/*
 * From now on those of the node @near come first, then those of @far, then the others.
 * Of each of these: one of each core before the second of any, and of these one of each
 * last-level cache before the second of any. Without this call they are in the order
 * of their numbers, as are those of which the kernel tells neither core nor cache.
 */
void cpus_order(int near, int far);

/* In this order, in a circle. */
size_t cpus_nth(int nth);

/* All of them, whoever pinned himself since. */
const cpu_set_t *cpus_given(void);

#endif
