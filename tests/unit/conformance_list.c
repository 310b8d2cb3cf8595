/* SPDX-License-Identifier: MIT */
/* conformance_list.c - channels of the suite for backends, and lists of copies for them. */
#include <string.h>

#include "conformance.h"

int conformance_pins(const struct conformance_flow *flow)
{
	return (flow->run->backend->facts & BM_BACKEND_PINS) != 0;
}

uint32_t conformance_random(struct conformance_flow *flow, uint32_t below)
{
	flow->random ^= flow->random << 13;
	flow->random ^= flow->random >> 7;
	flow->random ^= flow->random << 17;
	return (uint32_t)(flow->random >> 16) % below;
}

void conformance_flow_new(struct conformance *run, struct conformance_flow *flow,
			  struct bm_channel *channel)
{
	memset(flow, 0, sizeof(*flow));
	flow->run = run;
	flow->channel = channel;
	flow->pages = CONFORMANCE_ARENA;
	flow->random = 0x9e3779b97f4a7c15u;
	if (run->backend->limits)
		run->backend->limits(channel, &flow->limits);
}

void conformance_flow_open(struct conformance *run, struct conformance_flow *flow, int node)
{
	struct bm_channel *channel = NULL;
	int rc = run->backend->chan_open(run->engine, node, &channel);

	conformance_assert(run, rc == 0, "chan_open() gave %d", rc);
	conformance_flow_new(run, flow, channel);
}

void conformance_flow_close(struct conformance_flow *flow)
{
	conformance_unpin(flow);
	flow->run->backend->chan_close(flow->channel);
}

size_t conformance_longest(const struct conformance_flow *flow)
{
	size_t piece = flow->limits.piece / CONFORMANCE_PAGE, most = flow->pages / 2;

	return piece > 0 && piece < most ? piece : most;
}

size_t conformance_depth(const struct conformance_flow *flow, size_t fallback)
{
	return flow->limits.depth ? flow->limits.depth : fallback;
}

/* ---------------------------------------------------------------- the list */

/* Only what the last list has written is made stale again. */
void conformance_begin(struct conformance_flow *flow)
{
	conformance_unpin(flow);
	for (size_t i = 0; i < flow->count; i++) {
		const struct bm_copy *copy = &flow->copies[i];
		size_t at = (size_t)((unsigned char *)copy->to - flow->run->to);

		memset(copy->to, CONFORMANCE_STALE, copy->length);
		memset(flow->run->expected + at, CONFORMANCE_STALE, copy->length);
	}
	memset(flow->states, 0, sizeof(flow->states));
	flow->count = flow->sent = flow->told = flow->oldest = flow->ready = 0;
	flow->equal_tags = 0;
}

/* Tags are the caller's: they take all 32 bits, and do not count up. */
static uint32_t tag_of(size_t index)
{
	return ((uint32_t)index + 1) * 0x9e3779b1u;
}

void conformance_add(struct conformance_flow *flow, size_t to, size_t from, size_t pages)
{
	struct conformance *run = flow->run;
	size_t at = (flow->first + to) * CONFORMANCE_PAGE;
	size_t length = pages * CONFORMANCE_PAGE;
	unsigned char *source = run->from + (flow->first + from) * CONFORMANCE_PAGE;

	conformance_assert(run, to + pages <= flow->pages && from + pages <= flow->pages,
			   "beyond the arenas");
	flow->copies[flow->count] = (struct bm_copy){
		.to = run->to + at, .from = source, .length = length, .tag = tag_of(flow->count)};
	memcpy(run->expected + at, source, length);
	flow->count++;
}

/* 607 and 613 are coprime to the arena, and to parts of it. */
void conformance_add_scattered(struct conformance_flow *flow, size_t count)
{
	size_t start = conformance_random(flow, (uint32_t)flow->pages);

	for (size_t i = 0; i < count && i < flow->pages; i++) {
		size_t from = conformance_random(flow, (uint32_t)flow->pages);

		/* No page twice where it would be pinned twice. */
		if (conformance_pins(flow))
			from = (start + i * 613) % flow->pages;
		conformance_add(flow, (start + i * 607) % flow->pages, from, 1);
	}
}

static size_t random_length(struct conformance_flow *flow, size_t left)
{
	size_t most = conformance_longest(flow);
	size_t few = most < 9 ? most : 9;
	size_t pages = 1 + conformance_random(flow, (uint32_t)few);

	if (conformance_random(flow, 12) == 0)
		pages = 1 + conformance_random(flow, (uint32_t)most);
	return pages < left ? pages : left;
}

static void set_source(struct conformance_flow *flow, struct bm_copy *copy, size_t from)
{
	const struct conformance *run = flow->run;

	copy->from = run->from + (flow->first + from) * CONFORMANCE_PAGE;
	memcpy(run->expected + ((unsigned char *)copy->to - run->to), copy->from, copy->length);
}

static void shuffle(struct conformance_flow *flow)
{
	for (size_t i = flow->count; i > 1 && conformance_random(flow, 9); i--) {
		size_t other = conformance_random(flow, (uint32_t)i);
		struct bm_copy copy = flow->copies[i - 1];

		flow->copies[i - 1] = flow->copies[other];
		flow->copies[other] = copy;
	}
}

void conformance_add_random(struct conformance_flow *flow)
{
	size_t from = 0;

	for (size_t to = 0; to < flow->pages;) {
		size_t pages = random_length(flow, flow->pages - to);
		uint32_t room = (uint32_t)(flow->pages - pages + 1);

		conformance_add(flow, to, conformance_random(flow, room), pages);
		to += pages + conformance_random(flow, 3);
	}
	shuffle(flow);
	/* One behind the other, in an order of their own: no page twice. */
	for (size_t i = 0; conformance_pins(flow) && i < flow->count; i++) {
		set_source(flow, &flow->copies[i], from);
		from += flow->copies[i].length / CONFORMANCE_PAGE;
	}
	if (conformance_pins(flow))
		shuffle(flow);
}
