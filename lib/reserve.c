/* SPDX-License-Identifier: MIT */
/* reserve.c - the public calls about pools and the userfaultfd. */
#include <errno.h>

#include "cancel.h"
#include "context.h"
#include "pool_stats.h"
#include "structs.h"

int bm_quiesce(void)
{
	struct bm_cancel before;

	bm_cancel_off(&before);
	bm_uffd_quiesce(&bm_sys_linux);
	bm_cancel_on(&before);
	return 0;
}

static long fill_all(struct bm_pool *pool, char *to, size_t size, size_t max)
{
	struct bm_pool_stats stats;
	uint64_t signals;
	long found = 0;
	int node = 0;

	bm_pool_lock(pool, &signals);
	while (bm_pool_stats(pool, &node, &stats, 1) == 1) {
		if ((size_t)found++ < max)
			bm_struct_export(to + (size_t)(found - 1) * size, size, &stats,
					 sizeof(stats));
	}
	bm_pool_unlock(pool, &signals);
	return found;
}

long bm_pool_get(struct bm_context *context, struct bm_pool_stats *pools, size_t size, size_t max)
{
	struct bm_swap *swap;
	int rc = bm_context_get(&context);

	if (rc < 0)
		return rc;
	if (max > 0 && (!pools || !bm_struct_size_ok(size, sizeof(*pools))))
		return -EINVAL;
	pthread_mutex_lock(&context->swap_lock);
	swap = context->swap;
	pthread_mutex_unlock(&context->swap_lock);
	return swap ? fill_all(&swap->pool, (char *)pools, size, max) : 0;
}
