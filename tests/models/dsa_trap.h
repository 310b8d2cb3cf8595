/* SPDX-License-Identifier: MIT */
/*
 * dsa_trap.h - MOVDIR64B and ENQCMD themselves, to portals of the model.
 *
 * A CPU without them raises SIGILL, one with them SIGSEGV: nothing may be
 * written to these pages. The handler does what the instruction would have
 * done. Both signals must not be blocked: see `portals` in dsa_sys.h.
 * x86-64 only.
 */
#ifndef MODEL_DSA_TRAP_H
#define MODEL_DSA_TRAP_H

#include "dsa.h"

#ifdef __x86_64__
/* One model at a time: 0 or -errno. Other faults go to the handlers that were there before. */
int dsa_trap_begin(struct dsa *dsa);
/* The page of a queue; those of the others follow it. */
uint64_t dsa_trap_portal(unsigned int queue);
void dsa_trap_end(void);
/* How many instructions were done. */
uint64_t dsa_trap_count(void);
#endif

#endif
