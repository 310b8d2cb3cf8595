/* SPDX-License-Identifier: MIT */
/* texts.h - errors and reasons in words. */
#ifndef BATCHMIG_TEXTS_H
#define BATCHMIG_TEXTS_H

#include "linkage.h"

BATCHMIG_BEGIN

/*
 * bm_error_text - what an errno means in this library.
 * @error: a status or return value, positive or negative. Static string,
 * never NULL. Any thread. Since 0.1.
 */
const char *bm_error_text(int error);

/*
 * bm_reason_name, bm_reason_text - a reason as a word for scripts ("busy"),
 * and as a sentence. @reason: enum bm_reason. Static strings, never NULL:
 * "unknown" for a number out of range. Any thread. Since 0.1.
 */
const char *bm_reason_name(int reason);
const char *bm_reason_text(int reason);

BATCHMIG_END

#endif /* BATCHMIG_TEXTS_H */
