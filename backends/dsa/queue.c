/* SPDX-License-Identifier: MIT */
/*
 * queue.c - opening work queues, their entries, and the two ways into them.
 *
 * All that decides who may use a queue is in one word, so that it changes as
 * one: entries in flight (bits 0 to 23), those of them that were given up (24
 * to 47), and two flags. A thread is between take() and the end of send() only
 * with an entry that is in flight and not given up. So where both numbers are
 * the same nobody is in there, and who then sets CLOSED may unmap and close.
 */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "least.h"

#define ENTRY  ((uint64_t)1)
#define LOST   ((uint64_t)1 << 24)
#define FIELD  (LOST - 1)
#define DEAD   ((uint64_t)1 << 62)
#define CLOSED ((uint64_t)1 << 63)

/* Of a shared queue whose numbers cannot be read: it says itself when it is full. */
#define SHARED_ROOM   64u
#define ENQCMD_TRIES  32
#define PORTAL_BYTES  4096u
#define PORTAL_STRIDE 64u

static uint32_t in_flight(uint64_t state)
{
	return (uint32_t)(state & FIELD);
}

static uint32_t given_up(uint64_t state)
{
	return (uint32_t)(state / LOST & FIELD);
}

static uint32_t size_of(const struct bm_dsa_queue *facts)
{
	switch (facts->mode) {
	case BM_DSA_DEDICATED:
		return facts->size ? facts->size : 1;
	case BM_DSA_SHARED:
		if (facts->threshold)
			return facts->threshold;
		return facts->size ? facts->size : SHARED_ROOM;
	default:
		/* It may be dedicated and small: one descriptor at a time cannot be dropped. */
		return 1;
	}
}

static uint32_t batch_of(const struct bm_dsa_queue *facts)
{
	return facts->mode == BM_DSA_UNKNOWN || facts->max_batch < 2 ? 1 : facts->max_batch;
}

static int has_instruction(const struct bm_sys *sys, enum bm_dsa_mode mode)
{
	unsigned int facts = sys->cpu_facts();

	return (mode == BM_DSA_DEDICATED && facts & BM_CPU_MOVDIR64B) ||
	       (mode == BM_DSA_SHARED && facts & BM_CPU_ENQCMD);
}

int bm_dsa_wq_open(struct bm_dsa_wq *wq, const struct bm_backend_env *env,
		   const struct bm_dsa_queue *facts)
{
	int fd = env->sys->open(facts->path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fd;
	wq->sys = env->sys;
	wq->fd = fd;
	wq->node = facts->node;
	wq->mode = facts->mode;
	wq->size = size_of(facts);
	wq->room = wq->size > 1 ? wq->size - 1 : 1;
	atomic_init(&wq->state, 0);
	atomic_init(&wq->batch, batch_of(facts));
	snprintf(wq->device, sizeof(wq->device), "%s", facts->device);
	snprintf(wq->name, sizeof(wq->name), "%s", facts->name);
	/* Kernels from 2024 on forbid the mapping without CAP_SYS_RAWIO; CUSE has none. */
	if (!has_instruction(env->sys, facts->mode) || env->sys->map_portal(fd, &wq->portal) < 0)
		wq->portal = 0;
	return 0;
}

/* The mapping holds the file: without its end close(2) does not wait for the device. */
static void let_go(struct bm_dsa_wq *wq, size_t page_size)
{
	if (wq->portal)
		wq->sys->unmap(wq->portal, page_size);
	wq->portal = 0;
	wq->sys->close(wq->fd);
	wq->fd = -1;
	atomic_store(&wq->ended, 1);
}

void bm_dsa_wq_close(struct bm_dsa_wq *wq)
{
	if (!(atomic_load(&wq->state) & CLOSED))
		let_go(wq, (size_t)wq->sys->page_size());
}

int bm_dsa_wq_take(struct bm_dsa_wq *wq, uint32_t most)
{
	uint64_t state = atomic_load_explicit(&wq->state, memory_order_relaxed);
	uint32_t some;

	do {
		if (state & (DEAD | CLOSED))
			return -ENODEV;
		if (in_flight(state) >= wq->room)
			return 0;
		some = (uint32_t)bm_least(most, wq->room - in_flight(state));
	} while (!atomic_compare_exchange_weak(&wq->state, &state, state + some * ENTRY));
	return (int)some;
}

void bm_dsa_wq_give(struct bm_dsa_wq *wq, uint32_t count)
{
	atomic_fetch_sub(&wq->state, count * ENTRY);
}

/* Records were zeroed and descriptors written before: the instructions are weakly ordered. */
static void publish(void)
{
#ifdef __x86_64__
	__builtin_ia32_sfence();
#else
	atomic_thread_fence(memory_order_release);
#endif
}

/* Every 64 bytes of the page are the same portal; one after the other they are faster. */
static uint64_t next_place(const struct bm_dsa_wq *wq, uint32_t *place)
{
	*place = (*place + PORTAL_STRIDE) % PORTAL_BYTES;
	return wq->portal + *place;
}

static int enqueue(struct bm_dsa_wq *wq, uint32_t *place, const struct bm_dsa_desc *desc)
{
	for (int tries = 0; tries < ENQCMD_TRIES; tries++)
		if (wq->sys->enqcmd(next_place(wq, place), desc) == 0)
			return 1;
	return 0;
}

static int send_portal(struct bm_dsa_wq *wq, uint32_t *place, const struct bm_dsa_desc *descs,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (wq->mode == BM_DSA_DEDICATED)
			wq->sys->movdir64b(next_place(wq, place), &descs[i]);
		else if (!enqueue(wq, place, &descs[i]))
			return (int)i;
	}
	return (int)count;
}

/* A later descriptor's error is lost: the next call tells it. */
static int send_write(struct bm_dsa_wq *wq, const struct bm_dsa_desc *descs, uint32_t count)
{
	ssize_t took = wq->sys->write_raw(wq->fd, descs, count * sizeof(*descs));

	if (took >= (ssize_t)sizeof(*descs))
		return (int)bm_least((size_t)took / sizeof(*descs), count);
	if (took == -EAGAIN || took == -EINTR)
		return 0;
	return took < 0 ? (int)took : -EIO;
}

int bm_dsa_wq_send(struct bm_dsa_wq *wq, uint32_t *place, const struct bm_dsa_desc *descs,
		   uint32_t count)
{
	publish();
	return wq->portal ? send_portal(wq, place, descs, count) : send_write(wq, descs, count);
}

void bm_dsa_wq_kill(struct bm_dsa_wq *wq)
{
	atomic_fetch_or(&wq->state, DEAD);
}

int bm_dsa_wq_is_dead(const struct bm_dsa_wq *wq)
{
	return (atomic_load_explicit(&wq->state, memory_order_relaxed) & DEAD) != 0;
}

int bm_dsa_wq_take_last(struct bm_dsa_wq *wq)
{
	uint64_t state = atomic_load(&wq->state);

	do {
		if (state & CLOSED || in_flight(state) >= wq->size)
			return 0;
	} while (!atomic_compare_exchange_weak(&wq->state, &state, state + ENTRY));
	return 1;
}

void bm_dsa_wq_give_up(struct bm_dsa_wq *wq, uint32_t count)
{
	atomic_fetch_add(&wq->state, count * LOST);
}

void bm_dsa_wq_give_late(struct bm_dsa_wq *wq, uint32_t count)
{
	atomic_fetch_sub(&wq->state, count * (ENTRY + LOST));
}

int bm_dsa_wq_shut(struct bm_dsa_wq *wq)
{
	uint64_t state = atomic_load(&wq->state);

	do {
		if (state & CLOSED)
			return atomic_load(&wq->ended) != 0;
		if (!(state & DEAD) || in_flight(state) != given_up(state))
			return 0;
	} while (!atomic_compare_exchange_weak(&wq->state, &state, state | CLOSED));
	let_go(wq, (size_t)wq->sys->page_size());
	return 1;
}
