/* SPDX-License-Identifier: MIT */
/*
 * dsa_sys.h - a table of system calls in which the model is /dev/dsa/wqD.Q.
 *
 * Queue q of the model is wq0.q of the device dsa0; its files in
 * /sys/bus/dsa/devices are there to be read. All else is the table given.
 */
#ifndef MODEL_DSA_SYS_H
#define MODEL_DSA_SYS_H

#include "dsa.h"
#include "sys.h"

struct dsa_sys_how {
	int map_error;          /* map_portal() fails with it; 0: portals can be mapped */
	int open_error;         /* open() of a queue does */
	unsigned int cpu_facts; /* BM_CPU_... */
	int pin_error;          /* pin() fails with it; 0: it pins as the table given does */
	int hides_files;        /* there is nothing in /sys/bus/dsa */
	/*
	 * Pages that are portals, as those of dsa_trap_portal(0): the table's own
	 * instructions write to them, and SIGILL and SIGSEGV are never blocked.
	 * 0: addresses where nothing is, for the instructions of the model.
	 */
	uint64_t portals;
};

/* One at a time; calls of the table go to this model until the next one. */
void dsa_sys_use(struct bm_sys *sys, struct dsa *dsa, const struct dsa_sys_how *how);
/* The names of all queues, as for the option dsa_wqs. */
const char *dsa_sys_names(void);

#endif
