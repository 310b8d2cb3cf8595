/* SPDX-License-Identifier: MIT */
/* conformance_flow.c - lists of copies through a channel, and what is told of them. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

#define MARK 0x77777777u /* where reap() must not write */

enum { WAITING, IN_FLIGHT, TOLD }; /* a new list is WAITING: 0 */

#define wrong(flow, ...)                                                             \
	do {                                                                         \
		if (!(flow)->wrong[0])                                               \
			snprintf((flow)->wrong, sizeof((flow)->wrong), __VA_ARGS__); \
	} while (0)

/* ---------------------------------------------------------------- calls */

static void check_hot(struct conformance_flow *flow, const char *call)
{
	const char *saw = conformance_cold();

	if (saw)
		wrong(flow, "%s used %s", call, saw);
}

/* ---------------------------------------------------------------- pins */

/* What is pinned is looked at page by page now and then only: there are many. */
static void check_pinned(struct conformance_flow *flow, size_t from)
{
	const struct conformance *run = flow->run;
	size_t step = flow->pins++ % 8 ? 1 + conformance_random(flow, 60) : 1;

	for (size_t i = from; run->which->is_pinned && i < flow->ready; i += step) {
		const struct bm_copy *copy = &flow->copies[i];

		for (size_t at = 0; at < copy->length; at += CONFORMANCE_PAGE)
			if (!run->which->is_pinned((char *)copy->to + at, CONFORMANCE_PAGE) ||
			    !run->which->is_pinned((const char *)copy->from + at, CONFORMANCE_PAGE))
				wrong(flow, "page %zu of copy %zu of %zu is not pinned",
				      at / CONFORMANCE_PAGE, i, flow->ready - from);
	}
}

void conformance_check_free(struct conformance_flow *flow, const char *when)
{
	const struct conformance *run = flow->run;
	size_t at = flow->first * CONFORMANCE_PAGE, length = flow->pages * CONFORMANCE_PAGE;

	if (!run->which->is_pinned)
		return;
	if (run->which->is_pinned(run->from + at, length))
		wrong(flow, "a source is pinned %s", when);
	if (flow->sent == flow->told && run->which->is_pinned(run->to + at, length))
		wrong(flow, "a target is pinned %s", when);
}

int conformance_pin(struct conformance_flow *flow, const struct bm_copy *copies, size_t count)
{
	int rc;

	conformance_hot();
	rc = flow->run->backend->pin(flow->channel, copies, count);
	check_hot(flow, "pin()");
	if (rc > 0 || rc <= -4096)
		wrong(flow, "pin() gave %d", rc);
	if (rc < 0)
		conformance_check_free(flow, "although pin() failed");
	flow->is_pinned = rc == 0;
	return rc;
}

int conformance_unpin(struct conformance_flow *flow)
{
	int rc;

	if (!flow->is_pinned)
		return 0;
	flow->is_pinned = 0;
	conformance_hot();
	rc = flow->run->backend->unpin(flow->channel);
	check_hot(flow, "unpin()");
	/* 1 is of copies that were given up: no target is free before settle(). */
	if (rc > (flow->sent != flow->told) || rc <= -4096 || (rc < 0 && !flow->run->poor))
		wrong(flow, "unpin() gave %d, with %zu of %zu told", rc, flow->told, flow->sent);
	if (rc == 0)
		conformance_check_free(flow, "after unpin()");
	return rc;
}

/* As many as the library pins at a time: lib/pieces.h, lib/slab.h. */
static size_t list_end(const struct conformance_flow *flow)
{
	size_t end = flow->ready, pages = 0;

	while (end < flow->count && end - flow->ready < CONFORMANCE_PINS) {
		pages += flow->copies[end].length / CONFORMANCE_PAGE;
		if (end > flow->ready && pages > CONFORMANCE_PINNED)
			break;
		end++;
	}
	return end;
}

/* What the backend does not take: whoever wants the copies makes them. */
static void copy_instead(struct conformance_flow *flow)
{
	for (; flow->sent < flow->ready; flow->sent++) {
		const struct bm_copy *copy = &flow->copies[flow->sent];

		memcpy(copy->to, copy->from, copy->length);
		flow->states[flow->sent] = TOLD;
		flow->told++;
	}
	while (flow->oldest < flow->sent && flow->states[flow->oldest] == TOLD)
		flow->oldest++;
}

/* The part of the list that may be submitted: all of it, or what is pinned. */
static void make_ready(struct conformance_flow *flow)
{
	size_t from = flow->ready;
	int rc;

	if (!conformance_pins(flow)) {
		flow->ready = flow->count;
		return;
	}
	if (flow->sent < flow->ready || flow->told < flow->sent || flow->ready == flow->count)
		return;
	conformance_unpin(flow);
	flow->ready = list_end(flow);
	rc = conformance_pin(flow, flow->copies + from, flow->ready - from);
	if (rc == 0)
		check_pinned(flow, from);
	else if (flow->run->poor)
		copy_instead(flow);
	else
		wrong(flow, "pin() of %zu copies gave %d", flow->ready - from, rc);
}

/* ---------------------------------------------------------------- submit and reap */

int conformance_submit(struct conformance_flow *flow, size_t most)
{
	size_t left, in_flight;
	int took;

	make_ready(flow);
	left = flow->ready - flow->sent;
	if (flow->wrong[0] || left == 0)
		return -EAGAIN;
	most = most < left ? most : left;
	conformance_hot();
	took = flow->run->backend->submit(flow->channel, flow->copies + flow->sent, most);
	check_hot(flow, "submit()");
	if (flow->run->poor && took < 0 && took > -4096 && took != -EAGAIN && took != -EINVAL)
		copy_instead(flow);
	else if (took != -EAGAIN && (took < 1 || (size_t)took > most))
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
	size_t before = flow->told;
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
	return any || flow->told != before;
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
	conformance_unpin(flow);
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
