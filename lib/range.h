/* SPDX-License-Identifier: MIT */
/* range.h - batches of address ranges. */
#ifndef BM_RANGE_H
#define BM_RANGE_H

#include "job.h"

/* 1 for the sizes that struct bm_range had or may have. */
int bm_range_size_ok(size_t size);

/*
 * Works the ranges of a request off, in portions of pages, each as a job like
 * @model; its report gets the sums. The result of the batch, or -errno.
 */
long bm_ranges_run(struct bm_job *model, const struct bm_request *request);

#endif
