/* SPDX-License-Identifier: MIT */
/* submit.c - copies become descriptors: one for each run of bytes that lie together for the device. */
#include "channel.h"

#include <errno.h>

#include "least.h"

/* Where the next bytes of a copy are. */
struct place {
	uint64_t from, to;
	size_t length; /* 0: the device cannot reach them */
};

static struct place look_up(const struct bm_channel *channel, const struct bm_copy *copy, size_t at)
{
	size_t from_run = 0, to_run = 0;
	struct place place;

	place.from = bm_pci_bus(channel->pins, (const char *)copy->from + at, &from_run);
	place.to = bm_pci_bus(channel->pins, (char *)copy->to + at, &to_run);
	place.length = bm_least(copy->length - at, bm_least(from_run, to_run));
	place.length = bm_least(place.length, BM_PTDMA_LENGTH_MOST);
	if (!bm_ptdma_is_reached(place.from, place.length) ||
	    !bm_ptdma_is_reached(place.to, place.length))
		place.length = 0;
	return place;
}

/* At most; the first of them may find room in the slot before. 0: it cannot be made. */
static uint32_t count_runs(const struct bm_channel *channel, const struct bm_copy *copy,
			   struct place *first)
{
	size_t at = first->length;
	uint32_t count = at > 0;

	while (at > 0 && at < copy->length) {
		size_t length = look_up(channel, copy, at).length;

		if (length == 0)
			return 0;
		at += length;
		count++;
	}
	return count;
}

static void add(struct bm_channel *channel, struct bm_ptdma_ring *ring, const struct bm_copy *copy,
		struct place place)
{
	size_t at = 0;

	for (;;) {
		bm_ptdma_add(ring, place.from, place.to, place.length);
		at += place.length;
		if (at >= copy->length)
			break;
		place = look_up(channel, copy, at);
	}
	bm_ptdma_add_end(ring, copy);
	channel->given += copy->length;
	channel->flying++;
}

static size_t count_allowed(const struct bm_channel *channel, const struct bm_copy *copies,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (copies[i].length == 0 || copies[i].length > channel->engine->piece)
			return i;
	return count;
}

static void launch_all(struct bm_channel *channel, uint64_t now)
{
	for (uint32_t i = 0; i < channel->held; i++)
		if (channel->rings[i]->fate == BM_PTDMA_WORKS &&
		    bm_ptdma_how(channel->rings[i]->function) == BM_PTDMA_LIVE)
			bm_ptdma_launch(channel->rings[i], now);
}

/* No copy was taken: is it for ever? */
static int refusal(const struct bm_engine *engine)
{
	for (uint32_t i = 0; i < engine->function_count; i++) {
		const struct bm_ptdma_function *function = &engine->functions[i];
		enum bm_ptdma_how how = bm_ptdma_how(function);

		if (how == BM_PTDMA_LIVE || how == BM_PTDMA_STOPPING)
			return -EAGAIN;
		/* Who has left a ring may be long in coming back for it. */
		if (how == BM_PTDMA_QUIET && !bm_ptdma_is_left(function))
			return -EAGAIN;
	}
	return -ENODEV;
}

int bm_ptdma_submit(struct bm_channel *channel, const struct bm_copy *copies, size_t count)
{
	uint64_t now = channel->engine->env.sys->now_ns();
	size_t taken = 0;

	count = count_allowed(channel, copies, count);
	/* Nobody has said where these pages are. */
	if (count == 0 || !channel->pinned)
		return -EINVAL;
	while (taken < count && channel->flying < BM_PTDMA_COPIES) {
		struct place place = look_up(channel, &copies[taken], 0);
		uint32_t runs = count_runs(channel, &copies[taken], &place);
		struct bm_ptdma_ring *ring;

		if (runs == 0 && taken == 0)
			return -EINVAL;
		ring = runs ? bm_ptdma_next_ring(channel, runs, now) : NULL;
		if (!ring)
			break;
		add(channel, ring, &copies[taken++], place);
	}
	launch_all(channel, now);
	return taken ? (int)taken : refusal(channel->engine);
}
