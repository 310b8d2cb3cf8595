/* SPDX-License-Identifier: MIT */
/* bounds.c - what is expected of 999 in 1000 against the bound. */
#include "bounds.h"

/* A thread that waits has to be woken, too: a quarter of the bound is for that. */
static uint64_t window_ns(const struct bm_job *job)
{
	return job->choice.bound_ns / 4 * 3;
}

static int is_longer(const struct bm_job *job, uint64_t ns)
{
	return job->choice.bound_ns && ns > window_ns(job);
}

int bm_bounds_chunk_full(const struct bm_job *job, const struct bm_rates_chunk *chunk)
{
	uint64_t bytes = chunk->pages * job->context->page_size;

	return bytes > bm_pace_portion(job->choice.pace) ||
	       is_longer(job, bm_rates_window_ns(job->rates, chunk, 0));
}

int bm_bounds_chunk_refused(const struct bm_job *job, const struct bm_rates_chunk *chunk,
			    int direct)
{
	return !job->choice.is_wish &&
	       is_longer(job, bm_rates_usual_window_ns(job->rates, chunk, direct));
}

int bm_bounds_direct_fits(const struct bm_job *job, const struct bm_rates_chunk *chunk)
{
	return !is_longer(job, bm_rates_window_ns(job->rates, chunk, 1));
}

uint64_t bm_bounds_call_bytes(const struct bm_job *job)
{
	uint64_t page_size = job->context->page_size;
	uint64_t bytes = (uint64_t)job->context->config.value[BM_OPTION_CALL_PAGES] * page_size;
	uint64_t portion = bm_pace_portion(job->choice.pace);

	bytes = portion < bytes ? portion : bytes;
	if (job->choice.bound_ns) {
		uint64_t pages = bm_rates_call_pages(job->rates, window_ns(job));

		bytes = pages * page_size < bytes ? pages * page_size : bytes;
	}
	return bytes > page_size ? bytes : page_size;
}

struct bm_call_size bm_bounds_call_size(const struct bm_job *job)
{
	uint64_t bytes = bm_bounds_call_bytes(job), huge = job->context->huge_size;

	return (struct bm_call_size){bytes, job->choice.bound_ns && huge < bytes ? bytes : huge};
}

int bm_bounds_call_refused(const struct bm_job *job, uint32_t pages, uint32_t huge)
{
	return !job->choice.is_wish &&
	       is_longer(job, bm_rates_usual_call_ns(job->rates, pages, huge));
}
