/* SPDX-License-Identifier: MIT */
/* holes.h - finds what is absent at a fraction of the price of asking about each page. */
#ifndef BM_HOLES_H
#define BM_HOLES_H

#include "job.h"

/* Marks those of the units [first, last) as absent that have neither memory nor swap. */
void bm_holes_find(struct bm_job *job, size_t first, size_t last);

#endif
