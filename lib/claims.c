/* SPDX-License-Identifier: MIT */
/* claims.c - a table of ranges; few are in use at a time. */
#include "claims.h"

#include <errno.h>

/* The deepest call of a window takes 14 KiB: its copies. Signals are blocked. */
#define STACK_BELOW (32u << 10)

/* A free claim, or -errno when the range cannot be taken now (-EAGAIN) or ever. */
static int find(const struct bm_uffd *uffd, enum bm_claim_kind kind, uint64_t start, uint64_t end)
{
	int free = -ENOSPC;

	for (uint32_t i = 0; i < uffd->claim_count || (free < 0 && i < BM_CLAIMS_MAX); i++) {
		const struct bm_claim *claim = &uffd->claims[i];
		uint32_t other = atomic_load_explicit(&claim->kind, memory_order_acquire);

		if (other == BM_CLAIM_FREE) {
			if (free < 0)
				free = (int)i;
		} else if (claim->start < end && start < claim->end) {
			if (other == BM_CLAIM_WINDOW)
				return -EAGAIN;
			if (kind == BM_CLAIM_WINDOW)
				return -EDEADLK;
		}
	}
	return free;
}

int bm_window_awaits(const struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	int any = 0;

	for (size_t i = 0; i < BM_WINDOWS_MAX && !any; i++) {
		const struct bm_window *window = &uffd->windows[i];
		const struct bm_segments *segments = &window->segments;

		/* What is read of one that closes just now does not matter: its pages are back. */
		if (!atomic_load_explicit(&window->open, memory_order_acquire) ||
		    atomic_load_explicit(&segments->changes, memory_order_relaxed) == 0)
			continue;
		for (uint32_t k = 0; k < segments->count && !any; k++) {
			const struct bm_segment *segment = &segments->list[k];

			any = segment->state != BM_SEGMENT_GONE && segment->at < end &&
			      start < segment->at + segment->count * uffd->page_size;
		}
	}
	return any;
}

static int is_awaited(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	int is;

	bm_gate_enter(&uffd->gate, uffd->sys);
	is = bm_window_awaits(uffd, start, end);
	bm_gate_leave(&uffd->gate, uffd->sys);
	return is;
}

static void wait_for_end(struct bm_uffd *uffd, uint32_t seen)
{
	atomic_fetch_add(&uffd->waiting, 1);
	uffd->sys->futex_wait(&uffd->released, seen, -1);
	atomic_fetch_sub(&uffd->waiting, 1);
}

int bm_window_over(const struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < atomic_load(&uffd->claim_count); i++) {
		const struct bm_claim *claim = &uffd->claims[i];

		if (atomic_load_explicit(&claim->kind, memory_order_acquire) == BM_CLAIM_WINDOW &&
		    claim->start < end && start < claim->end)
			return 1;
	}
	return 0;
}

void bm_window_wait(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	for (;;) {
		uint32_t seen = atomic_load(&uffd->released);

		if (!bm_window_over(uffd, start, end))
			return;
		wait_for_end(uffd, seen);
	}
}

int bm_claim(struct bm_uffd *uffd, enum bm_claim_kind kind, uint64_t start, uint64_t end)
{
	for (;;) {
		uint32_t seen = atomic_load(&uffd->released);
		int i;

		pthread_mutex_lock(&uffd->lock);
		i = find(uffd, kind, start, end);
		if (i >= 0 && kind == BM_CLAIM_WINDOW && is_awaited(uffd, start, end))
			i = -EAGAIN;
		if (i >= 0) {
			uffd->claims[i].start = start;
			uffd->claims[i].end = end;
			atomic_store_explicit(&uffd->claims[i].kind, kind, memory_order_release);
			if (uffd->claim_count <= (uint32_t)i)
				uffd->claim_count = (uint32_t)i + 1;
		}
		pthread_mutex_unlock(&uffd->lock);
		if (i != -EAGAIN)
			return i;
		wait_for_end(uffd, seen);
	}
}

void bm_claim_end(struct bm_uffd *uffd, int claim)
{
	atomic_store_explicit(&uffd->claims[claim].kind, BM_CLAIM_FREE, memory_order_release);
	atomic_fetch_add(&uffd->released, 1);
	if (atomic_load(&uffd->waiting))
		uffd->sys->futex_wake(&uffd->released);
}

int bm_claim_stack(struct bm_uffd *uffd, const void *frame, const void *end)
{
	uint64_t mask = ~(uffd->page_size - 1);
	uint64_t low = ((uint64_t)(uintptr_t)frame - STACK_BELOW) & mask;
	uint64_t high = ((uint64_t)(uintptr_t)end + uffd->page_size - 1) & mask;

	return bm_claim(uffd, BM_CLAIM_OWN, low, high);
}

struct bm_window *bm_window_take(struct bm_uffd *uffd)
{
	struct bm_window *window = NULL;

	pthread_mutex_lock(&uffd->lock);
	for (size_t i = 0; i < BM_WINDOWS_MAX && !window; i++) {
		if (!uffd->windows[i].taken)
			window = &uffd->windows[i];
	}
	if (window)
		window->taken = 1;
	pthread_mutex_unlock(&uffd->lock);
	return window;
}

void bm_window_give(struct bm_uffd *uffd, struct bm_window *window)
{
	pthread_mutex_lock(&uffd->lock);
	window->taken = 0;
	pthread_mutex_unlock(&uffd->lock);
}
