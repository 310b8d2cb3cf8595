/* SPDX-License-Identifier: MIT */
/* workers.c - starts threads, hands out blocks, waits for all. */
#include "workers.h"

#include <stdatomic.h>

#include "placement.h"

struct crew {
	const struct bm_sys *sys;
	const struct bm_placement *placement;
	void (*step)(void *arg, unsigned int worker, size_t block);
	void *arg;
	size_t blocks;
	atomic_size_t next;
	atomic_uint joined;
};

static void work(struct crew *crew, unsigned int worker)
{
	size_t block;

	while ((block = atomic_fetch_add_explicit(&crew->next, 1, memory_order_relaxed)) <
	       crew->blocks)
		crew->step(crew->arg, worker, block);
}

static void *thread_main(void *arg)
{
	struct crew *crew = arg;
	unsigned int worker = atomic_fetch_add(&crew->joined, 1);

	pthread_setname_np(pthread_self(), "batchmig-worker");
	bm_placement_go(crew->placement, crew->sys, worker);
	work(crew, worker);
	return NULL;
}

unsigned int bm_workers_run(const struct bm_sys *sys, const struct bm_placement *placement,
			    unsigned int threads, size_t blocks,
			    void (*step)(void *arg, unsigned int worker, size_t block), void *arg)
{
	struct crew crew = {
		.sys = sys, .placement = placement, .step = step, .arg = arg, .blocks = blocks};
	pthread_t thread[BM_WORKERS_MAX];
	unsigned int started = 0;

	atomic_init(&crew.next, 0);
	atomic_init(&crew.joined, 1);
	if (threads > BM_WORKERS_MAX)
		threads = BM_WORKERS_MAX;
	while (started + 1 < threads && started + 1 < blocks &&
	       sys->thread_start(&thread[started], thread_main, &crew) == 0)
		started++;
	work(&crew, 0);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	return started + 1;
}
