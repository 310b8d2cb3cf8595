/* SPDX-License-Identifier: MIT */
/* copy.c - all copies are made, by the backend or else here. */
#include "copy.h"

#include <errno.h>

#include "least.h"
#include "pins.h"
#include "plain_copy.h"

/* What is handed over, and taken back, at a time; on the stack. */
#define BURST 64
#define REAP  32
/*
 * While both copy, what the backend has at least to do when the cpu looks
 * again: the cpu takes some 8 us for its part, and one engine copies 30 GB/s.
 */
#define AHEAD_BYTES (256u << 10)
#define PART_BYTES  (64u << 10)
/*
 * Of the time limit: 12 ms of 200. A queue with 128 copies of 2 MiB in it is
 * empty after 10, and then they are not waited for any more in this window.
 */
#define CROWDED_SHARE 16u
/* Of an engine that is alive and all but stands still: so many time limits are a window. */
#define PATIENCE_MOST 8u

struct run {
	struct bm_copier *copier;
	struct bm_pieces pieces;
	size_t front;   /* the pieces before it were given to the backend */
	size_t back;    /* those from here on have been copied by the cpu */
	size_t flying;  /* pieces that the backend has */
	uint64_t ahead; /* and bytes */
	uint64_t heard; /* when it last took or told anything */
	uint64_t spent; /* until then, without pauses in which this thread did not run */
	int is_closed;  /* it takes nothing more */
};

/* What a backend has left of a copy. */
static void finish(struct bm_copier *copier, const struct bm_copy *copy, size_t done)
{
	done = bm_least(done, copy->length) & ~(size_t)63;
	bm_plain_copy((char *)copy->to + done, (const char *)copy->from + done,
		      copy->length - done);
	copier->finished += copy->length - done;
}

/* ---------------------------------------------------------------- the backend */

/* 1 when it took some. */
static int give(struct run *run)
{
	struct bm_copier *copier = run->copier;
	uint64_t most = copier->shares && copier->cpu ? AHEAD_BYTES : UINT64_MAX;
	struct bm_copy burst[BURST];
	uint64_t bytes = run->ahead;
	size_t count = 0;
	int took;

	while (count < BURST && run->front + count < run->back && bytes < most) {
		burst[count] = bm_pieces_get(&run->pieces, run->front + count);
		bytes += burst[count++].length;
	}
	if (count == 0)
		return 0;
	took = copier->backend->submit(copier->channel, burst, count);
	run->is_closed = took < 0 && took != -EAGAIN;
	copier->has_failed |= run->is_closed;
	if (took <= 0)
		return 0;
	count = bm_least((size_t)took, count);
	for (size_t i = 0; i < count; i++)
		run->ahead += burst[i].length;
	run->front += count;
	run->flying += count;
	return 1;
}

static void take_back(struct run *run, const struct bm_copied *copied)
{
	struct bm_copier *copier = run->copier;
	struct bm_copy copy;

	/* A tag that was not given, or was reaped before, is a mistake of the backend. */
	if (copied->tag >= run->front || !bm_pieces_end(&run->pieces, copied->tag))
		return;
	copy = bm_pieces_get(&run->pieces, copied->tag);
	run->flying--;
	run->ahead -= copy.length;
	if (copied->error || copied->done < copy.length)
		finish(copier, &copy, copied->error ? 0 : copied->done);
	else
		copier->offloaded += copy.length;
}

/* How many have ended, or -errno. */
static int reap(struct run *run)
{
	struct bm_copied copied[REAP];
	int got = run->copier->backend->reap(run->copier->channel, copied, REAP);

	for (int i = 0; i < got && i < REAP; i++)
		take_back(run, &copied[i]);
	return got;
}

/* ---------------------------------------------------------------- the cpu */

static void copy_here(struct bm_copier *copier, const struct bm_copy *copies, size_t count)
{
	struct bm_copied copied[REAP];
	size_t next = 0;
	int took;

	while (copier->cpu && next < count) {
		took = copier->cpu->submit(copier->cpu_channel, copies + next, count - next);
		if (took < 0 && took != -EAGAIN)
			break;
		next += took > 0 ? (size_t)took : 0;
		while (copier->cpu->reap(copier->cpu_channel, copied, REAP) > 0)
			;
	}
	for (; next < count; next++)
		finish(copier, &copies[next], 0);
}

/* Takes a part of what the backend has not been given, from the end. */
static void help(struct run *run)
{
	struct bm_copy burst[BURST];
	size_t count = 0, bytes = 0;

	while (count < BURST && run->front < run->back && bytes < PART_BYTES) {
		burst[count] = bm_pieces_get(&run->pieces, --run->back);
		bytes += burst[count++].length;
	}
	if (count == 0)
		return;
	copy_here(run->copier, burst, count);
	for (size_t i = 0; i < count; i++)
		bm_pieces_end(&run->pieces, burst[i].tag);
}

/* ---------------------------------------------------------------- both */

static void begin(struct run *run, struct bm_copier *copier)
{
	run->copier = copier;
	run->front = run->flying = run->ahead = 0;
	run->back = run->pieces.count;
	run->is_closed = 0;
	run->spent = 0;
	run->heard = copier->sys->now_ns();
}

static void hear(struct run *run)
{
	uint64_t now = run->copier->sys->now_ns();

	run->spent += bm_least(now - run->heard, run->copier->patience_ns);
	run->heard = now;
}

/* 1 when nothing has come for too long, or all of it takes so long. */
static int is_silent(struct run *run)
{
	uint64_t patience = run->copier->patience_ns;

	if (run->spent > PATIENCE_MOST * patience)
		return 1;
	if (run->copier->sys->now_ns() - run->heard <= patience)
		return 0;
	/* It was this thread, perhaps, that was stopped since it asked. */
	if (reap(run) <= 0)
		return 1;
	hear(run);
	return 0;
}

/* A queue that is full of what others have given to it is not waited for for long. */
static int is_crowded_out(const struct run *run)
{
	const struct bm_copier *copier = run->copier;

	return run->flying == 0 &&
	       copier->sys->now_ns() - run->heard > copier->patience_ns / CROWDED_SHARE;
}

/* Hands out and takes back until all has ended, or nothing more comes. */
static void drive(struct run *run)
{
	struct bm_copier *copier = run->copier;
	int helps = copier->shares && copier->cpu;

	while (run->front < run->back || run->flying > 0) {
		int gave = !run->is_closed && give(run);
		int got = run->flying ? reap(run) : 0;

		if (gave || got > 0)
			hear(run);
		if (run->front < run->back &&
		    (helps || run->is_closed || (!gave && is_crowded_out(run))))
			help(run);
		else if (got < 0 || (!gave && got == 0 && is_silent(run)))
			break;
		else if (!gave && got == 0 && copier->backend->wait)
			copier->backend->wait(copier->channel);
	}
}

static int is_for_backend(const struct bm_copier *copier, const struct bm_copy *copies,
			  size_t count)
{
	size_t bytes = 0, least = copier->least;

	/* Pages are not pinned again and again for one that takes nothing. */
	if (copier->silent || copier->has_failed || copier->is_aside)
		return 0;
	if (!copier->cpu)
		return 1;
	for (size_t i = 0; i < count; i++)
		bytes += copies[i].length;
	if (copier->run_bytes && bytes >= least)
		least += (bm_pins_runs(copies, count) - 2) * copier->run_bytes;
	return bytes >= least;
}

static size_t piece_length(const struct bm_copier *copier)
{
	struct bm_limits limits = {0, 0};

	if (copier->backend->limits)
		copier->backend->limits(copier->channel, &limits);
	return limits.piece ? limits.piece : SIZE_MAX;
}

static int prepare(struct bm_copier *copier, const struct bm_copy *copies, size_t count)
{
	if (copier->backend->aim)
		copier->backend->aim(copier->channel, copier->node);
	return bm_pins_take(copier, copies, count);
}

static void copy_all_here(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
			  unsigned char *ends)
{
	copy_here(copier, copies, count);
	for (size_t i = 0; i < count; i++)
		ends[i] = BM_COPY_DONE;
}

size_t bm_copy_all(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		   unsigned char *ends)
{
	struct run run;
	size_t lost = 0;

	if (!is_for_backend(copier, copies, count) ||
	    bm_pieces_cut(&run.pieces, copies, count, piece_length(copier)) < 0) {
		copy_all_here(copier, copies, count, ends);
		return 0;
	}
	/* A pin that failed half-way may have moved some of them. */
	if (prepare(copier, copies, count) < 0) {
		copy_all_here(copier, copies, count, ends);
		return bm_pins_astray(copier, copies, count, ends);
	}
	begin(&run, copier);
	drive(&run);
	while (run.front < run.back)
		help(&run);
	for (size_t i = 0; i < count; i++) {
		ends[i] = run.pieces.left[i] ? BM_COPY_LOST : BM_COPY_DONE;
		lost += run.pieces.left[i] > 0;
	}
	copier->silent |= run.flying > 0;
	return lost + bm_pins_drop(copier, copies, count, ends);
}
