/* SPDX-License-Identifier: MIT */
/* batch.h - the batches that a migration is worked off in. */
#ifndef BATCH_H
#define BATCH_H

#include "migrate.h"

/* Base pages in a batch: long enough for large calls, and little memory. */
#define BATCH 16384u

/* Arrays of BATCH entries. Returns 0 or -ENOMEM; batch_release() in any case. */
int batch_prepare(struct migration *migration);
void batch_release(struct migration *migration);
/*
 * Moves the pages that are waiting, shows how far it is, and counts what came
 * of them. Returns 0, 1 when a signal stopped it before all were tried, or -errno.
 */
long batch_move(struct migration *migration);

#endif
