/* SPDX-License-Identifier: MIT */
/* refusals.c - joins pages that were refused for the same reason, for the log. */
#include "refusals.h"

void bm_refusals_add_told(struct bm_refusals *refusals, uint64_t start, uint64_t end, int reason)
{
	if (reason != refusals->reason || start != refusals->end) {
		bm_refusals_end(refusals);
		refusals->start = start;
		refusals->reason = reason;
	}
	refusals->end = end;
}

void bm_refusals_end(struct bm_refusals *refusals)
{
	if (refusals->start < refusals->end)
		bm_log(refusals->log, BM_LOG_DEBUG, "swap leaves 0x%llx-0x%llx: %s: %s",
		       (unsigned long long)refusals->start, (unsigned long long)refusals->end,
		       bm_reason_name(refusals->reason), bm_reason_text(refusals->reason));
	refusals->start = refusals->end = 0;
}
