/* SPDX-License-Identifier: MIT */
/* pace.c - waits for whatever holds a batch back. */
#include "pace.h"

#include <errno.h>

static void wait_while_held(struct bm_pace *pace)
{
	for (;;) {
		uint32_t seen = atomic_load(&pace->changes);

		if (!atomic_load(&pace->held) || bm_pace_canceled(pace))
			return;
		pace->sys->futex_wait(&pace->changes, seen, -1);
	}
}

/* Until a time on the clock of now_ns, or until it is to be held. */
static void wait_until(struct bm_pace *pace, uint64_t ns)
{
	for (;;) {
		uint32_t seen = atomic_load(&pace->changes);
		uint64_t now = pace->sys->now_ns();

		if (now >= ns || bm_pace_canceled(pace) || atomic_load(&pace->held))
			return;
		pace->sys->futex_wait(&pace->changes, seen, (int64_t)((ns - now + 999) / 1000));
	}
}

static int is_limited(const struct bm_pace *pace)
{
	return pace->own.bytes_per_s || (pace->shared && pace->shared->bytes_per_s);
}

static void wait_for_allowance(struct bm_pace *pace, uint64_t bytes)
{
	uint64_t now = pace->sys->now_ns(), from = bm_allowance_take(&pace->own, bytes, now);

	if (pace->shared) {
		uint64_t other = bm_allowance_take(pace->shared, bytes, now);

		from = other > from ? other : from;
	}
	wait_until(pace, from);
}

int bm_pace_begin(struct bm_pace *pace, uint64_t bytes)
{
	for (;;) {
		if (atomic_load_explicit(&pace->held, memory_order_relaxed))
			wait_while_held(pace);
		if (bm_pace_canceled(pace))
			return -ECANCELED;
		if (!is_limited(pace))
			return 0;
		wait_for_allowance(pace, bytes);
		if (!bm_pace_canceled(pace) && !atomic_load(&pace->held))
			return 0;
		/* What holds it needs the bytes that were set aside. */
		bm_pace_end(pace, bytes, 0);
	}
}

void bm_pace_end(struct bm_pace *pace, uint64_t bytes, uint64_t moved)
{
	if (moved)
		atomic_fetch_add_explicit(&pace->bytes_moved, moved, memory_order_relaxed);
	if (moved >= bytes || !is_limited(pace))
		return;
	bm_allowance_return(&pace->own, bytes - moved);
	if (pace->shared)
		bm_allowance_return(pace->shared, bytes - moved);
}

uint64_t bm_pace_portion(const struct bm_pace *pace)
{
	uint64_t own = bm_allowance_portion(&pace->own);
	uint64_t shared = pace->shared ? bm_allowance_portion(pace->shared) : UINT64_MAX;

	return own < shared ? own : shared;
}

static void tell(struct bm_pace *pace)
{
	atomic_fetch_add(&pace->changes, 1);
	pace->sys->futex_wake(&pace->changes);
}

void bm_pace_cancel(struct bm_pace *pace)
{
	atomic_store(&pace->canceled, 1);
	tell(pace);
}

void bm_pace_hold(struct bm_pace *pace, int held)
{
	if (atomic_exchange(&pace->held, held) != held)
		tell(pace);
}

void bm_pace_sleep(struct bm_pace *pace, uint64_t us)
{
	wait_until(pace, pace->sys->now_ns() + us * 1000);
}
