/* SPDX-License-Identifier: MIT */
/* classify.h - what the units of a slice are and where they are; nothing moves. */
#ifndef BM_CLASSIFY_H
#define BM_CLASSIFY_H

#include "job.h"

/* Opens what tells huge pages apart, for the whole job. */
void bm_classify_open(struct bm_job *job);
void bm_classify_close(struct bm_job *job);

/*
 * Joins the units of each huge page into one, finds what is absent, and what
 * is on its target already; sets the state of each unit.
 */
void bm_classify(struct bm_job *job);

/*
 * Makes the status of each unit final: asks about all, or where what is known
 * still holds only about those that did not move.
 */
void bm_classify_settle(struct bm_job *job, int settled);

/*
 * Where large folios cannot be seen: leaves one unit in each place where one
 * may be, and lets the others wait. Returns how many wait.
 */
size_t bm_classify_hold_back(struct bm_job *job);
/* Looks which of those that waited have come along; the others are to do. */
void bm_classify_let_go(struct bm_job *job);

/* 1 when the page at addr is mapped as a huge page. */
int bm_classify_is_huge(struct bm_job *job, uint64_t addr);

#endif
