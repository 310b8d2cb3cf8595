/* SPDX-License-Identifier: MIT */
/* results.h - statuses, reasons and tally of the units of a slice. */
#ifndef BM_RESULTS_H
#define BM_RESULTS_H

#include "job.h"

void bm_results_write(struct bm_job *job);

/* The entries from item `first` on were not tried any more. */
void bm_results_cancel(struct bm_job *job, size_t first);

#endif
