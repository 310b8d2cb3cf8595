/* SPDX-License-Identifier: MIT */
/* async_support.h - batches in flight with memory of their own, and what must hold of them. */
#ifndef KERNEL_ASYNC_SUPPORT_H
#define KERNEL_ASYNC_SUPPORT_H

#include "swap_load.h"

#define SENTINEL (-9999) /* no status */

/* Without a second node and without swap nothing takes time. */
#define NEED_MOVES()                                                  \
	do {                                                          \
		if (node_count < 2 && swap_refusal())                 \
			skip_test("needs two memory nodes, or swap"); \
	} while (0)

/* Until it is so; not so within 20 seconds: the test fails. */
#define AWAIT(condition)                                                \
	do {                                                            \
		uint64_t end_of_await = now_ns() + 20000000000ull;      \
		while (!(condition) && now_ns() < end_of_await)         \
			usleep(200);                                    \
		ck_assert_msg(condition, "never came: %s", #condition); \
	} while (0)

/* A batch and its memory. */
struct flight {
	struct area area;
	unsigned char *reasons;
	struct bm_request request; /* SWAP_FLAGS, mover swap, no callback, no event_fd */
	struct bm_batch *batch;    /* NULL: not submitted */
	long result;               /* of flight_wait() */
	atomic_int calls;          /* of flight_called(), */
	int strange;               /* which was given another batch or result than it should */
};

/*
 * Base pages on nodes[0], every byte filled, that share no 2 MiB with those of
 * another flight_new(); to be moved as in round 0. At most 512 for each of `units`.
 */
void flight_new(struct flight *flight, size_t units);
/* The same for memory that somebody else has. */
void flight_over(struct flight *flight, char *start, size_t count);
/* Frees the batch, which waits for it, and the memory. */
void flight_free(struct flight *flight);

/* It takes at least about so long. */
void flight_lasts(struct flight *flight, unsigned int ms);
/* It is in flight until it is cancelled. */
void flight_holds(struct flight *flight);

/* Submits it with statuses and reasons that no batch gives; the first one asserts that it works. */
void flight_start(struct flight *flight, struct bm_context *context);
int flight_submit(struct flight *flight, struct bm_context *context);
/* Waits without limit. */
long flight_wait(struct flight *flight);
/* Frees the batch. */
void flight_drop(struct flight *flight);
/* All three, and asserts that each page is on its target. */
void flight_whole(struct flight *flight, struct bm_context *context);

/* A callback, with done_user the flight; it counts and compares. */
bm_done_fn flight_called;

struct bm_progress flight_progress(const struct flight *flight);
int flight_state(const struct flight *flight);
int flight_complete(const struct flight *flight);

/*
 * Of a complete batch whose pages nobody has moved since: asserts that result,
 * statuses, reasons and report fit each other and what the kernel says. What
 * was not cancelled is where it should be. Returns how many were cancelled.
 */
size_t flight_check(struct flight *flight);
/* The words of its memory that are not as they were filled. */
size_t flight_wrong(const struct flight *flight);

/* A context with this many threads a batch, and chunks so small that a batch has many of them. */
struct bm_context *context_of(int64_t threads);

#endif
