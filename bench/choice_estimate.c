/* SPDX-License-Identifier: MIT */
/* choice_estimate.c - what the library says beforehand of a batch, where it can. */
#include "choice.h"

/* A library without it: the table says so, and all else is measured. */
#pragma weak bm_estimate

double estimate_ns(struct bm_context *context, const struct bm_request *request)
{
	struct bm_estimate estimate;

	if (!bm_estimate || bm_estimate(context, request, &estimate, sizeof(estimate)) < 0)
		return 0;
	return (double)estimate.ns;
}
