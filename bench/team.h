/* SPDX-License-Identifier: MIT */
/* team.h - the clock, and threads that start together, each on a CPU of its own. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

/* Nanoseconds; in the machine whose clock counts instructions as many of those. */
double now_ns(void);

/* Runs @work in so many threads at once; returns nanoseconds from start to the last end. */
double in_threads(void (*work)(void *arg, int index, int count), void *arg, int count);

/* The calling thread runs on the @nth of the CPUs that the process was given: see cpus.h. */
void pin_to(int nth);
/* The calling thread, and those that it makes, run on all of them but this one. */
void keep_off(int nth);

#endif
