/* SPDX-License-Identifier: MIT */
/* batch.h - a submitted batch. */
#ifndef BM_BATCH_H
#define BM_BATCH_H

#include "job.h"

struct bm_batch {
	struct bm_context *context;
	long result;
	struct bm_report report;
};

/* Fills a job for a checked request of pages. */
void bm_job_init(struct bm_job *job, struct bm_context *context, const struct bm_request *request,
		 enum bm_mover mover);

/* Prepares, runs, releases: the number of misplaced entries, or -errno. */
long bm_job_whole(struct bm_job *job);

#endif
