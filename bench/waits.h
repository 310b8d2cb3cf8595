/* SPDX-License-Identifier: MIT */
/*
 * waits.h - what a thread waited for: a page, or a CPU.
 *
 * Nothing but a page fault makes an access wait for a page. What takes long
 * without one is a slice of somebody else, an interrupt or the hypervisor.
 */
#ifndef BENCH_WAITS_H
#define BENCH_WAITS_H

#include <stdint.h>

/* What the kernel counts for the calling thread, as it was when it was asked last. */
struct waits {
	int file;            /* /proc/thread-self/schedstat; -1: not to be had */
	int told;            /* its numbers mean something */
	uint64_t ns_for_cpu; /* from being able to run to running; 0 where that is not told */
	uint64_t slices_cut; /* times that the CPU was taken away */
	uint64_t faults;
};

/* Both are about the calling thread only. */
void waits_open(struct waits *waits);
void waits_read(struct waits *waits);
void waits_close(struct waits *waits);

/* What it had to wait for a page, of @ns from @then to @now; 0 without a fault. */
uint64_t waits_for_page(const struct waits *then, const struct waits *now, uint64_t ns);

#endif
