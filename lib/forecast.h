/* SPDX-License-Identifier: MIT */
/* forecast.h - what a slice would cost, instead of moving it. */
#ifndef BM_FORECAST_H
#define BM_FORECAST_H

#include "job.h"

/* Adds a slice that was classified to job->estimate. */
void bm_forecast_slice(struct bm_job *job);

#endif
