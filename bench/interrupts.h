/* SPDX-License-Identifier: MIT */
/* interrupts.h - how often CPUs were interrupted. */
#ifndef BENCH_INTERRUPTS_H
#define BENCH_INTERRUPTS_H

/* Interrupts so far by which CPUs asked others to flush their TLBs; -1 unknown. */
double bench_tlb_interrupts(void);

#endif
