/* SPDX-License-Identifier: MIT */
/* request.h - what was asked for, checked, and how it is to be worked off. */
#ifndef BM_REQUEST_H
#define BM_REQUEST_H

#include "job.h"

/* Takes over a request of any version: 0, -EINVAL or -E2BIG, logged. */
int bm_request_take(const struct bm_context *context, const struct bm_request *request,
		    struct bm_request *known);

/* Checks one that was taken over; fills the choice but for pace and stalls. 0 or -errno, logged. */
int bm_request_check(const struct bm_context *context, const struct bm_request *request,
		     struct bm_choice *choice);

/* What holds the batch back: its rate, and that of the context. */
void bm_request_pace(struct bm_context *context, const struct bm_request *request,
		     struct bm_pace *pace);

/* Says that a batch was refused, and why; returns rc. */
int bm_request_refuse(const struct bm_context *context, int rc, const char *why);

#endif
