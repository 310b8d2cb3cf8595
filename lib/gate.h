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

static inline void bm_gate_enter(struct bm_gate *gate, const struct bm_sys *sys)
{
	uint32_t word = atomic_load_explicit(&gate->word, memory_order_relaxed);

	for (;;) {
		if (word & BM_GATE_CLOSED) {
			sys->futex_wait(&gate->word, word, -1);
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
