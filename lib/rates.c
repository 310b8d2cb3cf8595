/* SPDX-License-Identifier: MIT */
/* rates.c - estimates from measurements. No system call. */
#include "rates.h"

#define ONE      1024u
#define WEIGHT   8u
#define SCALE_LO (ONE / 4)
#define SCALE_HI (ONE * 16)

void bm_rates_init(struct bm_rates *rates)
{
	/* 6.18 on a Zen 5, one thread; the kernel's: 2.0 GB/s and 4.5 GB/s. */
	atomic_init(&rates->chunk_ns, 12000);
	atomic_init(&rates->run_ns, 2000);
	atomic_init(&rates->page_ns, 450);
	atomic_init(&rates->huge_ns, 130000);
	atomic_init(&rates->populate_ns, 900);
	atomic_init(&rates->direct_ns, 1000);
	atomic_init(&rates->kernel_ns, 2000);
	atomic_init(&rates->kernel_huge_ns, 450000);
	atomic_init(&rates->scale, ONE);
}

static uint64_t around_pages(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return rates->chunk_ns + chunk->runs * rates->run_ns;
}

static uint64_t expected(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	if (chunk->huge)
		return rates->huge_ns;
	return around_pages(rates, chunk) + chunk->pages * rates->page_ns;
}

uint64_t bm_rates_swap_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return expected(rates, chunk) * rates->scale / ONE + chunk->lacking * rates->populate_ns;
}

uint64_t bm_rates_direct_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return around_pages(rates, chunk) + chunk->pages * rates->direct_ns;
}

uint64_t bm_rates_kernel_ns(const struct bm_rates *rates, const struct bm_rates_chunk *chunk)
{
	return chunk->huge ? rates->kernel_huge_ns : chunk->pages * rates->kernel_ns;
}

void bm_rates_learn_runs(struct bm_rates *rates, uint64_t one_ns, uint64_t many_ns, uint32_t pages,
			 uint32_t runs)
{
	uint64_t run = many_ns > one_ns ? (many_ns - one_ns) / (runs - 1) : 0;
	uint64_t fixed = rates->chunk_ns + run;

	rates->run_ns = run;
	rates->page_ns = one_ns > fixed ? (one_ns - fixed) / pages : 1;
}

static void approach(atomic_uint_fast64_t *value, uint64_t seen)
{
	uint64_t old = atomic_load_explicit(value, memory_order_relaxed);
	uint64_t next = (old * (WEIGHT - 1) + seen) / WEIGHT;

	/* Another thread's measurement may get lost. */
	atomic_store_explicit(value, next > 0 ? next : 1, memory_order_relaxed);
}

void bm_rates_follow(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns)
{
	uint64_t populate = chunk->lacking * rates->populate_ns, usual = expected(rates, chunk);
	uint64_t scale = usual ? (ns > populate ? ns - populate : 0) * ONE / usual : ONE;

	/* A slice of the scheduler's is no property of the chunk. */
	scale = scale < SCALE_LO ? SCALE_LO : scale > SCALE_HI ? SCALE_HI : scale;
	approach(&rates->scale, scale);
}

void bm_rates_follow_direct(struct bm_rates *rates, const struct bm_rates_chunk *chunk, uint64_t ns)
{
	uint64_t around = around_pages(rates, chunk);

	approach(&rates->direct_ns, ns > around ? (ns - around) / chunk->pages : 1);
}

void bm_rates_follow_kernel(struct bm_rates *rates, uint32_t pages, uint64_t ns)
{
	if (pages > 0)
		approach(&rates->kernel_ns, ns / pages);
}
