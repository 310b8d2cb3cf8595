/* SPDX-License-Identifier: MIT */
/*
 * exit_report.h - the option stats: the sums of a context are reported when it
 * is freed, and of those that live so long when the process exits.
 */
#ifndef BM_EXIT_REPORT_H
#define BM_EXIT_REPORT_H

#include "context.h"

/* The context is complete; nothing is done unless the option says so. */
void bm_exit_report_begin(struct bm_context *context);
/* Its batches are, too, and it is about to be freed; in a forked child it is forgotten. */
void bm_exit_report_end(struct bm_context *context);

#endif
