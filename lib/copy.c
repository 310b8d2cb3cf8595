/* SPDX-License-Identifier: MIT */
/* copy.c - all copies are made, by the backend or else here. */
#include "copy.h"

#include <errno.h>

#include "least.h"
#include "plain_copy.h"

#define REAP 32

/* What a backend has left of a copy. */
static void finish(struct bm_copier *copier, const struct bm_copy *copy, size_t done)
{
	done = bm_least(done, copy->length) & ~(size_t)63;
	bm_plain_copy((char *)copy->to + done, (const char *)copy->from + done,
		      copy->length - done);
	copier->finished += copy->length - done;
}

/* Takes what has ended; returns how many, or -errno. */
static long reap(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		 unsigned char *ends)
{
	struct bm_copied copied[REAP];
	int got = copier->backend->reap(copier->channel, copied, REAP);

	for (int i = 0; i < got; i++) {
		uint32_t tag = copied[i].tag;

		/* A tag that was not given, or was reaped before, is a mistake of the backend. */
		if (tag >= count || ends[tag] != BM_COPY_PENDING)
			continue;
		if (copied[i].error || copied[i].done < copies[tag].length)
			finish(copier, &copies[tag], copied[i].error ? 0 : copied[i].done);
		ends[tag] = BM_COPY_DONE;
	}
	return got;
}

/* What was never taken can be done here. */
static void finish_rest(struct bm_copier *copier, const struct bm_copy *copies, size_t first,
			size_t count, unsigned char *ends)
{
	for (size_t i = first; i < count; i++) {
		finish(copier, &copies[i], 0);
		ends[i] = BM_COPY_DONE;
	}
}

static size_t count_pending(const unsigned char *ends, size_t count)
{
	size_t pending = 0;

	for (size_t i = 0; i < count; i++)
		pending += ends[i] == BM_COPY_PENDING;
	return pending;
}

/* Hands out and takes back until all has ended, or nothing more comes. */
static size_t drive(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		    unsigned char *ends)
{
	size_t taken = 0, ended = 0;
	uint64_t heard = copier->sys->now_ns();

	while (ended < count) {
		int some = 0;
		long got;

		if (taken < count)
			some = copier->backend->submit(copier->channel, copies + taken,
						       count - taken);
		if (some > 0)
			taken += bm_least((size_t)some, count - taken);
		if (taken == 0 && some < 0 && some != -EAGAIN)
			break;
		got = reap(copier, copies, taken, ends);
		if (got > 0)
			ended = taken - count_pending(ends, taken);
		if (some > 0 || got > 0) {
			heard = copier->sys->now_ns();
			continue;
		}
		if (got < 0 || (some < 0 && some != -EAGAIN && ended == taken) ||
		    copier->sys->now_ns() - heard > copier->patience_ns)
			break;
		if (copier->backend->wait)
			copier->backend->wait(copier->channel);
	}
	return taken;
}

size_t bm_copy_all(struct bm_copier *copier, struct bm_copy *copies, size_t count,
		   unsigned char *ends)
{
	size_t taken = 0, lost = 0;

	for (size_t i = 0; i < count; i++) {
		copies[i].tag = (uint32_t)i;
		ends[i] = BM_COPY_PENDING;
	}
	if (!copier->silent)
		taken = drive(copier, copies, count, ends);
	finish_rest(copier, copies, taken, count, ends);
	for (size_t i = 0; i < taken; i++) {
		if (ends[i] != BM_COPY_PENDING)
			continue;
		ends[i] = BM_COPY_LOST;
		lost++;
	}
	copier->silent |= lost > 0;
	return lost;
}
