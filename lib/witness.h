/* SPDX-License-Identifier: MIT */
/*
 * witness.h - did anybody else move pages meanwhile?
 *
 * Asking where 4096 pages are costs 6 % of moving them. The kernel counts
 * every page that migrates and every page that is reclaimed, in the whole
 * system: when only our own were counted, what we were told still holds.
 */
#ifndef BM_WITNESS_H
#define BM_WITNESS_H

#include "sys.h"

struct bm_witness {
	uint64_t migrated;  /* pgmigrate_success of /proc/vmstat, base pages */
	uint64_t reclaimed; /* pgsteal_* and pswpout */
	int known;
};

/* 0, or -errno when the counters cannot be read. */
int bm_witness_read(const struct bm_sys *sys, struct bm_witness *witness);

/* 1 when between the two only `own` pages migrated and none was reclaimed. */
int bm_witness_alone(const struct bm_witness *before, const struct bm_witness *after, uint64_t own);

#endif
