/* SPDX-License-Identifier: MIT */
/* conformance_flow.c - lists of copies through a channel, and what is told of them. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

#define MARK 0x77777777u /* where reap() must not write */

enum { WAITING, IN_FLIGHT, TOLD };

#define wrong(flow, ...)                                                             \
	do {                                                                         \
		if (!(flow)->wrong[0])                                               \
			snprintf((flow)->wrong, sizeof((flow)->wrong), __VA_ARGS__); \
	} while (0)

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
	for (size_t i = 0; i < flow->count; i++) {
		const struct bm_copy *copy = &flow->copies[i];
		size_t at = (size_t)((unsigned char *)copy->to - flow->run->to);

		memset(copy->to, CONFORMANCE_STALE, copy->length);
		memset(flow->run->expected + at, CONFORMANCE_STALE, copy->length);
	}
	memset(flow->states, WAITING, sizeof(flow->states));
	flow->count = flow->sent = flow->told = flow->oldest = 0;
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

/* 607 is coprime to the arena, and to half of it. */
void conformance_add_scattered(struct conformance_flow *flow, size_t count)
{
	size_t start = conformance_random(flow, (uint32_t)flow->pages);

	for (size_t i = 0; i < count && i < flow->pages; i++)
		conformance_add(flow, (start + i * 607) % flow->pages,
				conformance_random(flow, (uint32_t)flow->pages), 1);
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

void conformance_add_random(struct conformance_flow *flow)
{
	for (size_t to = 0; to < flow->pages;) {
		size_t pages = random_length(flow, flow->pages - to);
		uint32_t room = (uint32_t)(flow->pages - pages + 1);

		conformance_add(flow, to, conformance_random(flow, room), pages);
		to += pages + conformance_random(flow, 3);
	}
	for (size_t i = flow->count; i > 1 && conformance_random(flow, 9); i--) {
		size_t other = conformance_random(flow, (uint32_t)i);
		struct bm_copy copy = flow->copies[i - 1];

		flow->copies[i - 1] = flow->copies[other];
		flow->copies[other] = copy;
	}
}

/* ---------------------------------------------------------------- calls */

static void check_hot(struct conformance_flow *flow, const char *call)
{
	const char *saw = conformance_cold();

	if (saw)
		wrong(flow, "%s used %s", call, saw);
}

int conformance_submit(struct conformance_flow *flow, size_t most)
{
	size_t left = flow->count - flow->sent, in_flight;
	int took;

	most = most < left ? most : left;
	conformance_hot();
	took = flow->run->backend->submit(flow->channel, flow->copies + flow->sent, most);
	check_hot(flow, "submit()");
	if (took != -EAGAIN && (took < 1 || (size_t)took > most))
		wrong(flow, "submit() of %zu gave %d", most, took);
	for (int i = 0; i < took && !flow->wrong[0]; i++)
		flow->states[flow->sent++] = IN_FLIGHT;
	in_flight = flow->sent - flow->told;
	if (flow->limits.depth && in_flight > flow->limits.depth)
		wrong(flow, "%zu in flight, and the limit is %zu", in_flight, flow->limits.depth);
	return took;
}

/* Which copy is meant: with equal tags any of that length. */
static size_t find(struct conformance_flow *flow, const struct bm_copied *copied)
{
	size_t index = flow->oldest;

	while (index < flow->sent &&
	       (flow->states[index] != IN_FLIGHT || flow->copies[index].tag != copied->tag ||
		(flow->equal_tags && flow->copies[index].length != copied->done)))
		index++;
	return index;
}

static void hear(struct conformance_flow *flow, const struct bm_copied *copied)
{
	size_t index = find(flow, copied);
	const struct bm_copy *copy = &flow->copies[index];

	if (index == flow->sent) {
		wrong(flow, "tag %#x is told, and is not in flight", copied->tag);
		return;
	}
	if (copied->error && flow->run->poor)
		memcpy(copy->to, copy->from, copy->length);
	else if (copied->error || copied->done != copy->length)
		wrong(flow, "copy %zu of %zu bytes ended with %d after %zu", index, copy->length,
		      copied->error, copied->done);
	else if (!flow->equal_tags && memcmp(copy->to, copy->from, copy->length) != 0)
		wrong(flow, "copy %zu is told, and its bytes are not there", index);
	flow->states[index] = TOLD;
	flow->told++;
	while (flow->oldest < flow->sent && flow->states[flow->oldest] == TOLD)
		flow->oldest++;
}

int conformance_reap(struct conformance_flow *flow, size_t most)
{
	struct bm_copied copied[CONFORMANCE_ARENA + 1];
	size_t in_flight = flow->sent - flow->told;
	int got;

	copied[most].tag = MARK;
	conformance_hot();
	got = flow->run->backend->reap(flow->channel, copied, most);
	check_hot(flow, "reap()");
	if (got < 0 || (size_t)got > most || (size_t)got > in_flight)
		wrong(flow, "reap() of %zu gave %d, with %zu in flight", most, got, in_flight);
	for (int i = 0; i < got && !flow->wrong[0]; i++)
		hear(flow, &copied[i]);
	if (copied[most].tag != MARK)
		wrong(flow, "reap() of %zu wrote more", most);
	return got;
}

void conformance_pause(struct conformance_flow *flow)
{
	struct conformance *run = flow->run;

	if (run->which->progress)
		run->which->progress(run);
	if (!run->backend->wait) {
		sched_yield();
		return;
	}
	conformance_hot();
	run->backend->wait(flow->channel);
	check_hot(flow, "wait()");
}

static void aim(struct conformance_flow *flow)
{
	static const int nodes[] = {-1, 0, 1, 3, 4711, 0};

	if (!flow->aims || !flow->run->backend->aim)
		return;
	conformance_hot();
	flow->run->backend->aim(flow->channel, nodes[conformance_random(flow, 6)]);
	check_hot(flow, "aim()");
}

/* ---------------------------------------------------------------- the whole of it */

static size_t some(struct conformance_flow *flow, size_t limit, uint32_t most)
{
	return limit ? limit : 1 + conformance_random(flow, most);
}

static int push(struct conformance_flow *flow)
{
	int any = 0;

	if (flow->sent == flow->count)
		return 0;
	aim(flow);
	do {
		size_t give = some(flow, flow->give, (uint32_t)(flow->count - flow->sent));
		int took = conformance_submit(flow, give);

		if (took <= 0)
			break;
		any = 1;
	} while (flow->late && flow->sent < flow->count && !flow->wrong[0]);
	return any;
}

static int pull(struct conformance_flow *flow)
{
	size_t take = some(flow, flow->take, 40);

	if (flow->late)
		take = CONFORMANCE_ARENA;
	return conformance_reap(flow, take) > 0;
}

const char *conformance_go(struct conformance_flow *flow)
{
	flow->heard = bm_sys_linux.now_ns();
	while (flow->told < flow->count && !flow->wrong[0]) {
		int any = push(flow);

		any |= pull(flow);
		if (any) {
			flow->heard = bm_sys_linux.now_ns();
			continue;
		}
		if (bm_sys_linux.now_ns() - flow->heard > CONFORMANCE_EVER_S * UINT64_C(1000000000))
			wrong(flow, "nothing comes: %zu of %zu taken, %zu told", flow->sent,
			      flow->count, flow->told);
		conformance_pause(flow);
	}
	if (!flow->wrong[0] && conformance_reap(flow, CONFORMANCE_ARENA) != 0)
		wrong(flow, "something is told with nothing in flight");
	return flow->wrong[0] ? flow->wrong : NULL;
}

static void compare(struct conformance_flow *flow, const unsigned char *is,
		    const unsigned char *expected, const char *which)
{
	size_t at = flow->first * CONFORMANCE_PAGE;
	size_t end = at + flow->pages * CONFORMANCE_PAGE;

	if (memcmp(is + at, expected + at, end - at) == 0)
		return;
	while (is[at] == expected[at])
		at++;
	wrong(flow, "byte %zu of page %zu of the %s is wrong (%zu copies)", at % CONFORMANCE_PAGE,
	      at / CONFORMANCE_PAGE, which, flow->count);
}

const char *conformance_compare(struct conformance_flow *flow)
{
	compare(flow, flow->run->to, flow->run->expected, "destination");
	compare(flow, flow->run->from, flow->run->kept, "source");
	return flow->wrong[0] ? flow->wrong : NULL;
}

void conformance_run(struct conformance_flow *flow, const char *what)
{
	const char *bad = conformance_go(flow);

	if (!bad)
		bad = conformance_compare(flow);
	conformance_assert(flow->run, !bad, "%s: %s", what, bad);
}
