/* SPDX-License-Identifier: MIT */
/*
 * gate.h - keeps the reading of events and the moving of pages apart.
 *
 * When the reader takes an event from the userfaultfd the kernel lets the
 * application's call go on. Until the reader has written down what it means no
 * page may be put back: threads that move pages pass the gate together, the
 * reader alone. A lock of our own, because those of the C library touch
 * thread-local data.
 */
#ifndef BM_GATE_H
#define BM_GATE_H

#include "sys.h"

struct bm_gate {
	bm_futex word; /* how many are inside; CLOSED: the reader is, or wants to be */
};

#define BM_GATE_CLOSED (UINT32_C(1) << 31)
/*
 * Some 20 us, longer than the reader takes for a message. Who sleeps meanwhile
 * may wait for a slice of the scheduler before it has a CPU again, and the
 * threads that touch its pages with it: that was 4 ms, when traced.
 */
#define BM_GATE_SPINS 500

static inline void bm_gate_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

/* Until it is no longer @seen, as far as it can be told. */
static inline void bm_gate_await(struct bm_gate *gate, const struct bm_sys *sys, uint32_t seen)
{
	for (int i = 0; i < BM_GATE_SPINS; i++) {
		if (atomic_load_explicit(&gate->word, memory_order_relaxed) != seen)
			return;
		bm_gate_pause();
	}
	sys->futex_wait(&gate->word, seen, -1);
}

static inline void bm_gate_enter(struct bm_gate *gate, const struct bm_sys *sys)
{
	uint32_t word = atomic_load_explicit(&gate->word, memory_order_relaxed);

	for (;;) {
		if (word & BM_GATE_CLOSED) {
			bm_gate_await(gate, sys, word);
			word = atomic_load_explicit(&gate->word, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&gate->word, &word, word + 1,
								 memory_order_acquire,
								 memory_order_relaxed)) {
			return;
		}
	}
}

static inline void bm_gate_leave(struct bm_gate *gate, const struct bm_sys *sys)
{
	if (atomic_fetch_sub_explicit(&gate->word, 1, memory_order_release) == (BM_GATE_CLOSED | 1))
		sys->futex_wake(&gate->word);
}

/* For the reader, of which there is one. */
static inline void bm_gate_close(struct bm_gate *gate, const struct bm_sys *sys)
{
	uint32_t word =
		atomic_fetch_or_explicit(&gate->word, BM_GATE_CLOSED, memory_order_acquire) |
		BM_GATE_CLOSED;

	while (word != BM_GATE_CLOSED) {
		sys->futex_wait(&gate->word, word, -1);
		word = atomic_load_explicit(&gate->word, memory_order_acquire);
	}
}

static inline void bm_gate_open(struct bm_gate *gate, const struct bm_sys *sys)
{
	atomic_store_explicit(&gate->word, 0, memory_order_release);
	sys->futex_wake(&gate->word);
}

#endif
