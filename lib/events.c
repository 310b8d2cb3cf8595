/* SPDX-License-Identifier: MIT */
/* events.c - reads what the kernel tells, and writes down what it means for each window. */
#include "events.h"

#include <errno.h>
#include <sys/mman.h>

#include "bits.h"
#include "claims.h"
#include "forked.h"
#include "latch.h"
#include "lease.h"
#include "pagemap.h"
#include "threads.h"
#include "touches.h"
#include "uffd_abi.h"

#define MESSAGES  16
#define PASS_US   200
#define AGAIN_US  100
#define NO_ERRAND 0
#define ASKED     1
#define ANSWERED  2

/* Where something was remapped from; mremap(2) unmaps that, and tells of it later. */
struct left {
	uint64_t start, end, ns;
};
#define LEFT    32
#define LEFT_NS UINT64_C(1000000000)

/* The reader's own; on its stack. */
struct reader {
	struct bm_uffd *uffd;
	struct bm_touches touches;
	struct bm_uffd_range strays[4 * MESSAGES]; /* registered, and no window knows */
	unsigned int stray_count;
	struct left left[LEFT]; /* a ring */
	unsigned int left_count;
	int over; /* the doorbell was rung for the last time */
};

static int is_open(const struct bm_window *window)
{
	return atomic_load_explicit(&window->open, memory_order_acquire) != 0;
}

/* ---------------------------------------------------------------- removed */

/*
 * The event of MADV_DONTNEED comes before the pages are zapped, and nothing
 * tells of its end: what was taken out in between would come back afterwards.
 */
static void remember(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_removal *oldest = &uffd->removals[uffd->removal % BM_REMOVALS];
	uint64_t now = uffd->sys->now_ns();

	/* One that is still young is not forgotten, but grows. */
	if (now - oldest->ns < BM_REMOVAL_NS) {
		start = oldest->start < start ? oldest->start : start;
		end = oldest->end > end ? oldest->end : end;
	}
	*oldest = (struct bm_removal){start, end, now};
	uffd->removal++;
}

/*
 * Whoever waits for a page of what was there has what is there now: the kernel
 * wakes nobody when it unmaps.
 */
static void wake(const struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	struct bm_uffd_range range = {start, end - start};

	uffd->sys->ioctl(uffd->reader_fd, BM_UFFDIO_WAKE, &range);
}

/*
 * Between the event of a remapping and that of the unmapping that is a part of
 * it another thread may have remapped something to that place: it is not meant.
 */
static int was_left(struct reader *reader, uint64_t start, uint64_t end)
{
	uint64_t now = reader->uffd->sys->now_ns();

	for (unsigned int i = 0; i < LEFT; i++) {
		struct left *left = &reader->left[i];

		if (left->start == start && left->end == end && now - left->ns < LEFT_NS) {
			left->end = 0;
			return 1;
		}
	}
	return 0;
}

/* What was here from the beginning is meant in any case: MREMAP_DONTUNMAP, then munmap(2). */
static void on_unmapped(struct reader *reader, uint64_t start, uint64_t end)
{
	struct bm_uffd *uffd = reader->uffd;
	int late = was_left(reader, start, end);

	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		struct bm_window *window = &uffd->windows[i];

		if (is_open(window) && (!late || (window->start < end && start < window->end)))
			bm_segments_mark(&window->segments, start, end, BM_SEGMENT_GONE);
	}
	wake(uffd, start, end);
}

static void on_removed(struct bm_uffd *uffd, uint64_t start, uint64_t end)
{
	remember(uffd, start, end);
	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		struct bm_window *window = &uffd->windows[i];

		if (is_open(window))
			bm_segments_mark(&window->segments, start, end, BM_SEGMENT_REMOVED);
	}
}

/* ---------------------------------------------------------------- remapped */

/*
 * A window that has closed meanwhile does not know that its registration has
 * moved: a first touch there would wait for ever.
 */
static void on_remapped(struct reader *reader, uint64_t from, uint64_t to, uint64_t length)
{
	struct bm_uffd *uffd = reader->uffd;
	int any = 0;

	reader->left[reader->left_count++ % LEFT] =
		(struct left){from, from + length, uffd->sys->now_ns()};
	for (size_t i = 0; i < BM_WINDOWS_MAX; i++) {
		struct bm_window *window = &uffd->windows[i];

		if (is_open(window))
			any |= bm_segments_remap(&window->segments, from, to, length);
	}
	wake(uffd, from, from + length);
	if (any)
		return;
	reader->strays[reader->stray_count++] = (struct bm_uffd_range){to, length};
	/* With MREMAP_DONTUNMAP the old place is still there. */
	reader->strays[reader->stray_count++] = (struct bm_uffd_range){from, length};
}

/* Who has the latch of the leases may be waiting for the gate: not before it is open. */
static void end_strays(struct reader *reader)
{
	unsigned int kept = 0;

	/*
	 * There must be room for what the next read can bring: what is dropped stays
	 * registered until a window on it ends, and first touches there are served.
	 */
	for (unsigned int i = 0; i < reader->stray_count; i++) {
		struct bm_uffd_range stray = reader->strays[i];

		if (bm_lease_end_stray(reader->uffd, &stray) == -EAGAIN && kept < 2 * MESSAGES)
			reader->strays[kept++] = stray;
	}
	reader->stray_count = kept;
}

/* ---------------------------------------------------------------- the loop */

static void on_message(struct reader *reader, const struct bm_uffd_message *message)
{
	struct bm_uffd *uffd = reader->uffd;

	switch (message->event) {
	case BM_UFFD_EVENT_FAULT:
		bm_touches_add(uffd, &reader->touches, message->arg.fault.address,
			       message->arg.fault.thread);
		break;
	case BM_UFFD_EVENT_FORK:
		bm_forked(uffd, (int)message->arg.fork.fd);
		break;
	case BM_UFFD_EVENT_REMAP:
		on_remapped(reader, message->arg.remap.from, message->arg.remap.to,
			    message->arg.remap.length);
		break;
	case BM_UFFD_EVENT_UNMAP:
		on_unmapped(reader, message->arg.remove.start, message->arg.remove.end);
		break;
	case BM_UFFD_EVENT_REMOVE:
		/* Whoever rings waits for the event to be read: not before that it ends. */
		reader->over |=
			message->arg.remove.start == uffd->doorbell && atomic_load(&uffd->ending);
		on_removed(uffd, message->arg.remove.start, message->arg.remove.end);
		break;
	default:
		break;
	}
}

static void run_errand(struct bm_uffd *uffd)
{
	struct bm_errand *errand = &uffd->errand;

	if (atomic_load_explicit(&errand->state, memory_order_acquire) != ASKED)
		return;
	errand->result = -EAGAIN;
	if (!errand->window || errand->window->segments.changes == errand->changes)
		errand->result = uffd->sys->ioctl(uffd->reader_fd, errand->request, errand->arg);
	atomic_store_explicit(&errand->state, ANSWERED, memory_order_release);
	uffd->sys->futex_wake(&errand->state);
}

static void read_all(struct reader *reader)
{
	struct bm_uffd *uffd = reader->uffd;
	struct bm_uffd_message messages[MESSAGES];
	ssize_t got;

	bm_gate_close(&uffd->gate, uffd->sys);
	got = uffd->sys->read_raw(uffd->reader_fd, messages, sizeof(messages));
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(messages[0]); i++)
		on_message(reader, &messages[i]);
	bm_touches_serve(uffd, &reader->touches);
	bm_gate_open(&uffd->gate, uffd->sys);
	atomic_fetch_add_explicit(&uffd->progress, 1, memory_order_release);
	uffd->sys->futex_wake(&uffd->progress);
	end_strays(reader);
}

static int set_up(struct reader *reader)
{
	struct bm_uffd *uffd = reader->uffd;
	uint64_t block = uffd->sys->thread_block(0);
	struct bm_span span = bm_span_around(block, uffd->page_size);
	int rc, kept[3];

	uffd->reader_fd = kept[0] = uffd->fd;
	uffd->reader_pagemap = kept[1] = bm_pagemap_open(uffd->sys, 0);
	kept[2] = uffd->maps;
	rc = kept[1] < 0 ? kept[1] : uffd->sys->keep_only(kept, 3);
	if (rc >= 0)
		rc = bm_claim_stack(uffd, __builtin_frame_address(0), reader + 1);
	/* The kernel touches it whenever this thread goes on after an interrupt. */
	if (rc >= 0 && block)
		rc = bm_claim(uffd, BM_CLAIM_OWN, span.start, span.end);
	return rc;
}

static int is_waiting(const struct reader *reader)
{
	return reader->touches.count > 0 || reader->stray_count > 0;
}

static void *reader_main(void *arg)
{
	struct reader reader = {.uffd = arg};
	struct bm_uffd *uffd = arg;
	int rc;

	pthread_setname_np(pthread_self(), "batchmig-events");
	rc = set_up(&reader);
	uffd->errand.result = rc;
	atomic_store(&uffd->progress, 1);
	uffd->sys->futex_wake(&uffd->progress);
	while (rc >= 0 && !reader.over) {
		/* What could not be served yet is tried again, also when nothing more comes. */
		uffd->sys->poll(uffd->reader_fd, is_waiting(&reader) ? AGAIN_US : -1);
		read_all(&reader);
		run_errand(uffd);
	}
	return NULL;
}

int bm_events_start(struct bm_uffd *uffd)
{
	int rc = uffd->sys->thread_start(&uffd->reader, reader_main, uffd);

	if (rc < 0)
		return rc;
	while (atomic_load(&uffd->progress) == 0)
		uffd->sys->futex_wait(&uffd->progress, 0, -1);
	/* The reader has it in a table of its own by now. */
	if (uffd->reader_pagemap >= 0)
		uffd->sys->close(uffd->reader_pagemap);
	/* Not what the progress is: that may have gone on. */
	if (uffd->errand.result >= 0)
		return 0;
	pthread_join(uffd->reader, NULL);
	return uffd->errand.result;
}

/* The event of it wakes the reader, and is read before this returns. */
static void ring(struct bm_uffd *uffd)
{
	/* Whoever rings waits for what follows. */
	while (uffd->sys->madvise(uffd->doorbell, uffd->page_size, BM_MADV_RELEASE) < 0)
		uffd->sys->yield();
}

void bm_events_stop(struct bm_uffd *uffd)
{
	atomic_store(&uffd->ending, 1);
	ring(uffd);
	pthread_join(uffd->reader, NULL);
}

void bm_events_pass(struct bm_uffd *uffd, uint32_t seen)
{
	uffd->sys->futex_wait(&uffd->progress, seen, PASS_US);
}

int bm_events_errand(struct bm_uffd *uffd, struct bm_errand_for whom, unsigned long request,
		     void *arg)
{
	struct bm_errand *errand = &uffd->errand;
	int result;

	bm_latch_take(&errand->latch, uffd->sys);
	errand->request = request;
	errand->arg = arg;
	errand->window = whom.window;
	errand->changes = whom.changes;
	atomic_store_explicit(&errand->state, ASKED, memory_order_release);
	ring(uffd);
	while (atomic_load_explicit(&errand->state, memory_order_acquire) == ASKED)
		uffd->sys->futex_wait(&errand->state, ASKED, -1);
	result = errand->result;
	atomic_store_explicit(&errand->state, NO_ERRAND, memory_order_release);
	bm_latch_give(&errand->latch, uffd->sys);
	return result;
}
