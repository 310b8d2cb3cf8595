/* SPDX-License-Identifier: MIT */
/*
 * ptdma_registers.c - registers as memory that is also the user's.
 *
 * The user's accesses are those of a driver: volatile, ordered by fences. No
 * sanitizer knows that order, so none looks at the model's side of it.
 */
#include "ptdma_device.h"

#if defined(__SANITIZE_THREAD__)
#define UNSEEN __attribute__((noinline, no_sanitize("thread")))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNSEEN __attribute__((noinline, no_sanitize("thread")))
#endif
#endif
#ifndef UNSEEN
#define UNSEEN
#endif

#define word_at(function, at) ((uint32_t *)(void *)((function)->bar + (at)))

UNSEEN uint32_t ptdma_get(const struct ptdma_function *function, size_t at)
{
	return __atomic_load_n(word_at(function, at), __ATOMIC_ACQUIRE);
}

UNSEEN void ptdma_put(struct ptdma_function *function, size_t at, uint32_t value)
{
	__atomic_store_n(word_at(function, at), value, __ATOMIC_RELEASE);
}

UNSEEN int ptdma_swap(struct ptdma_function *function, size_t at, uint32_t before, uint32_t after)
{
	return __atomic_compare_exchange_n(word_at(function, at), &before, after, 0,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* By an instruction where there is one: no sanitizer sees the bytes of the user. */
UNSEEN void ptdma_carry(void *to, const void *from, size_t length)
{
#if defined(__x86_64__)
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
#else
	volatile unsigned char *target = to;
	const volatile unsigned char *source = from;

	for (size_t i = 0; i < length; i++)
		target[i] = source[i];
	atomic_thread_fence(memory_order_release);
#endif
}

UNSEEN void ptdma_add(uint64_t *count, uint64_t more)
{
	__atomic_fetch_add(count, more, __ATOMIC_RELAXED);
}

void ptdma_fill(struct ptdma_function *function, uint32_t value)
{
	for (size_t at = 0; at < function->kind->size; at += 4)
		if (ptdma_get(function, at) != value)
			ptdma_put(function, at, value);
}

static void look_at(struct ptdma_function *function, size_t at)
{
	uint32_t expected, value;

	if (!function->kind->expects(function, at, &expected))
		return;
	value = ptdma_get(function, at);
	if (value == expected)
		return;
	function->ptdma->counts.odd_writes++;
	ptdma_swap(function, at, value, expected);
}

void ptdma_look_through(struct ptdma_function *function, size_t from, size_t to)
{
	if (function->gone) {
		ptdma_fill(function, PTDMA_ALL_ONES);
		return;
	}
	for (size_t at = from; at < to; at += 4)
		look_at(function, at);
}
