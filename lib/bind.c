/* SPDX-License-Identifier: MIT */
/* bind.c - BM_BIND for the units of a slice. */
#include "bind.h"

#include <errno.h>

#include "mempolicy.h"

#define MAX_MAP_FILE    "/proc/sys/vm/max_map_count"
#define MAX_MAP_DEFAULT 65530 /* DEFAULT_MAX_MAP_COUNT of Linux */

int bm_bind_check(const struct bm_context *context, size_t runs)
{
	long long maps = bm_sys_number(context->sys, MAX_MAP_FILE, MAX_MAP_DEFAULT);

	/* A run in the middle of a mapping makes two more of it. */
	if (runs <= (size_t)maps / 4)
		return 0;
	bm_log(&context->config.log, BM_LOG_ERROR,
	       "BM_BIND on %zu separate runs of pages is refused: at most %lld, a quarter of "
	       "vm.max_map_count; bind longer ranges or leave BM_BIND out",
	       runs, maps / 4);
	return -E2BIG;
}

static int is_there(const struct bm_unit *unit)
{
	return unit->status == unit->node && bm_node_possible(unit->node);
}

void bm_bind_units(struct bm_job *job)
{
	uint64_t huge = job->context->huge_size;
	size_t end;

	for (size_t i = 0; i < job->unit_count; i = end) {
		struct bm_unit *first = &job->units[i];
		int rc;

		end = i + 1;
		if (!is_there(first))
			continue;
		while (end < job->unit_count && is_there(&job->units[end]) &&
		       job->units[end].node == first->node &&
		       bm_unit_start(&job->units[end], huge) == job->units[end - 1].end)
			end++;
		/* All of a huge page: a policy on a part of it would split its mapping. */
		rc = bm_policy_prefer(job->sys, bm_unit_start(first, huge), job->units[end - 1].end,
				      first->node, 0);
		if (rc == 0)
			continue;
		bm_log(&job->context->config.log, BM_LOG_WARN,
		       "BM_BIND of 0x%llx-0x%llx failed: %d", (unsigned long long)first->addr,
		       (unsigned long long)job->units[end - 1].end, rc);
		for (size_t k = i; k < end; k++)
			job->units[k].reason = BM_REASON_NO_BIND;
	}
}
