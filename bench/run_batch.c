/* SPDX-License-Identifier: MIT */
/* run_batch.c - one batch from its submission to its end; what ends a benchmark. */
#include "swap.h"

#include <stdio.h>
#include <stdlib.h>

void library_failed(const char *what, long rc)
{
	fprintf(stderr, "%s: %s\n", what, bm_error_text((int)rc));
	exit(1);
}

double batch_ns(struct bm_context *context, const struct bm_request *request,
		struct bm_batch **batch, long *misplaced)
{
	double start = now_ns(), end;
	long rc = bm_submit(context, request, batch);

	if (rc < 0)
		library_failed("bm_submit", rc);
	rc = bm_batch_wait(*batch, BM_FOREVER);
	end = now_ns();
	if (rc < 0)
		library_failed("bm_batch_wait", rc);
	*misplaced = rc;
	return end - start;
}
