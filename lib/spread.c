/* SPDX-License-Identifier: MIT */
/* spread.c - which nodes a slice is about, by asking about a few units. */
#include "spread.h"

#include "bits.h"
#include "least.h"

/* A prime, so that targets that alternate are all met. An answer costs 110 ns. */
#define ASKED_UNITS 31u
/* So many take 2 ms: what is asked costs a five-hundredth of it. */
#define PAIR_UNITS 1024u

/* Where most of those that were asked about are, -1: nobody knows. */
static int usual_node(const int *status, size_t count)
{
	size_t most = 0;
	int usual = -1;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < count; k++)
			same += status[k] == status[i];
		if (same > most && bm_node_possible(status[i])) {
			most = same;
			usual = status[i];
		}
	}
	return usual;
}

static void find_near(struct bm_job *job, struct bm_ids *near)
{
	struct bm_scratch *scratch = &job->scratch[0];
	size_t some = bm_least(ASKED_UNITS, bm_least(job->room, job->unit_count)), count = 0;
	long rc;

	for (size_t i = 0; i < some; i++) {
		const struct bm_unit *unit = &job->units[i * job->unit_count / some];

		if (unit->state != BM_UNIT_TODO)
			continue;
		bm_bit_set(near->bits, (uint32_t)unit->node);
		scratch->pages[count] = (void *)(uintptr_t)unit->addr;
		scratch->status[count++] = BM_NOT_ASKED;
	}
	/* Where that fails the nodes that pages go to are what is known. */
	rc = count ? job->sys->move_pages(job->pid, count, scratch->pages, NULL, scratch->status,
					  job->kernel_flags)
		   : 0;
	if (rc == 0 && count > 0)
		job->rates = bm_pairs_rates(&job->context->pairs,
					    usual_node(scratch->status, count), job->units[0].node);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (bm_node_possible(scratch->status[i]))
			bm_bit_set(near->bits, (uint32_t)scratch->status[i]);
	}
}

/* Of the movers that are to work on the slice. */
static unsigned int most_threads(const struct bm_job *job)
{
	int swaps = job->choice.wants_swap && !job->no_swap;

	return swaps && job->swap_threads > job->threads ? job->swap_threads : job->threads;
}

void bm_spread(struct bm_job *job)
{
	struct bm_placement *placement = &job->placement;
	unsigned int threads = most_threads(job);
	struct bm_ids near = {0};

	placement->workers = 0;
	placement->places = threads > 1 ? bm_context_places(job->context) : NULL;
	if (placement->places &&
	    (placement->places->caches < 2 || job->sys->affinity(&placement->allowed) < 0))
		placement->places = NULL;
	if (!placement->places && job->unit_count < PAIR_UNITS)
		return;
	find_near(job, &near);
	if (!placement->places)
		return;
	bm_placement_choose(placement, &near, job->sys->cpu(), threads);
}
