/* SPDX-License-Identifier: MIT */
/* pairs.c - a list that only grows. */
#include "pairs.h"

void bm_pairs_init(struct bm_pairs *pairs)
{
	bm_rates_init(&pairs->general);
	pthread_mutex_init(&pairs->lock, NULL);
	atomic_init(&pairs->count, 0);
}

void bm_pairs_end(struct bm_pairs *pairs)
{
	pthread_mutex_destroy(&pairs->lock);
}

static struct bm_rates *find(struct bm_pairs *pairs, int from, int to)
{
	unsigned int count = atomic_load_explicit(&pairs->count, memory_order_acquire);

	for (unsigned int i = 0; i < count; i++) {
		struct bm_pair *pair = &pairs->list[i];

		if (pair->from == from && pair->to == to)
			return &pair->rates;
	}
	return NULL;
}

static struct bm_rates *add(struct bm_pairs *pairs, int from, int to)
{
	unsigned int count = atomic_load(&pairs->count);
	struct bm_pair *pair = &pairs->list[count];

	if (count == BM_PAIRS_MAX)
		return &pairs->general;
	pair->from = from;
	pair->to = to;
	bm_rates_copy(&pair->rates, &pairs->general);
	atomic_store_explicit(&pairs->count, count + 1, memory_order_release);
	return &pair->rates;
}

struct bm_rates *bm_pairs_rates(struct bm_pairs *pairs, int from, int to)
{
	struct bm_rates *rates = from < 0 ? &pairs->general : find(pairs, from, to);

	if (rates)
		return rates;
	pthread_mutex_lock(&pairs->lock);
	rates = find(pairs, from, to);
	if (!rates)
		rates = add(pairs, from, to);
	pthread_mutex_unlock(&pairs->lock);
	return rates;
}
