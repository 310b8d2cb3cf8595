/* SPDX-License-Identifier: MIT */
/* device_flow.c - lists of copies through the backend dsa, every byte compared. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device_support.h"

#define BYTES   (FLOW_PAGES * PAGE)
#define STALE   0xa5
#define EVER_MS 60000u

static void *memory(const struct bm_sys *sys, size_t size)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)sys;
	return start == MAP_FAILED ? NULL : start;
}

static void memory_end(const struct bm_sys *sys, void *start, size_t size)
{
	(void)sys;
	munmap(start, size);
}

static void keep_line(void *user, int level, const char *line)
{
	struct flow *flow = user;

	(void)line;
	flow->warnings += level <= BM_LOG_WARN;
}

static uint32_t chance(struct flow *flow, size_t below)
{
	flow->random = flow->random * 1664525u + 1013904223u;
	return (uint32_t)((flow->random >> 8) % below);
}

static void make_buffers(struct flow *flow)
{
	flow->random = 7;
	flow->from = memory(NULL, 3 * BYTES);
	ck_assert_ptr_nonnull(flow->from);
	flow->to = flow->from + BYTES;
	flow->expected = flow->to + BYTES;
	for (size_t i = 0; i < BYTES; i += 4) {
		uint32_t word = chance(flow, 1u << 24) * 2654435761u;

		memcpy(flow->from + i, &word, sizeof(word));
	}
}

void flow_open(struct flow *flow, const char *queues, uint32_t batch)
{
	memset(flow, 0, sizeof(*flow));
	flow->sys = bm_sys_linux;
	flow->log = (struct bm_log){.hook = keep_line, .user = flow, .level = BM_LOG_DEBUG};
	flow->env = (struct bm_backend_env){.sys = &flow->sys,
					    .log = &flow->log,
					    .dsa_wqs = queues,
					    .batch = batch,
					    .page_size = PAGE,
					    .memory = memory,
					    .memory_end = memory_end};
	flow->owns_engine = 1;
	make_buffers(flow);
	ck_assert_int_eq(bm_backend_dsa.open(&flow->env, &flow->engine), 0);
	ck_assert_int_eq(bm_backend_dsa.chan_open(flow->engine, 0, &flow->channel), 0);
}

void flow_open_beside(struct flow *flow, const struct flow *other)
{
	memset(flow, 0, sizeof(*flow));
	make_buffers(flow);
	flow->engine = other->engine;
	ck_assert_int_eq(bm_backend_dsa.chan_open(flow->engine, 0, &flow->channel), 0);
}

void flow_close(struct flow *flow)
{
	bm_backend_dsa.chan_close(flow->channel);
	if (flow->owns_engine)
		bm_backend_dsa.close(flow->engine);
	munmap(flow->from, 3 * BYTES);
}

static void shuffle(struct flow *flow)
{
	for (size_t i = flow->count; i-- > 1;) {
		size_t other = chance(flow, i + 1);
		struct bm_copy copy = flow->copies[i];

		flow->copies[i] = flow->copies[other];
		flow->copies[other] = copy;
	}
}

void flow_make(struct flow *flow, size_t count, size_t longest)
{
	size_t at = 0;

	flow->count = flow->sent = flow->ended = flow->partial = 0;
	flow->submit_error = 0;
	memset(flow->told, 0, sizeof(flow->told));
	memset(flow->to, STALE, 2 * BYTES);
	while (flow->count < count && at + longest < FLOW_PAGES) {
		size_t pages = 1 + chance(flow, longest);
		size_t from = chance(flow, FLOW_PAGES - pages);

		flow->copies[flow->count++] = (struct bm_copy){.to = flow->to + at * PAGE,
							       .from = flow->from + from * PAGE,
							       .length = pages * PAGE};
		memcpy(flow->expected + at * PAGE, flow->from + from * PAGE, pages * PAGE);
		/* With gaps. */
		at += pages + chance(flow, 2);
	}
	shuffle(flow);
	for (size_t i = 0; i < flow->count; i++)
		flow->copies[i].tag = (uint32_t)i;
}

static void note(struct flow *flow, const struct bm_copied *copied)
{
	struct bm_copy *copy;

	ck_assert_uint_lt(copied->tag, flow->count);
	ck_assert_msg(!flow->told[copied->tag]++, "copy %u is told twice", copied->tag);
	copy = &flow->copies[copied->tag];
	ck_assert_uint_le(copied->done, copy->length);
	flow->ended++;
	if (copied->done < copy->length || copied->error) {
		flow->partial++;
		ck_assert_int_eq(memcmp(copy->to, copy->from, copied->done), 0);
		memcpy(copy->to, copy->from, copy->length);
	}
}

void flow_step(struct flow *flow)
{
	struct bm_copied copied[16];
	int count;

	if (flow->sent < flow->count && !flow->submit_error) {
		count = bm_backend_dsa.submit(flow->channel, flow->copies + flow->sent,
					      flow->count - flow->sent);
		if (count > 0)
			flow->sent += (size_t)count;
		else if (count != -EAGAIN)
			flow->submit_error = count;
	}
	count = bm_backend_dsa.reap(flow->channel, copied, 16);
	ck_assert_int_le(count, 16);
	for (int i = 0; i < count; i++)
		note(flow, &copied[i]);
	if (count <= 0)
		bm_backend_dsa.wait(flow->channel);
}

static size_t left(const struct flow *flow)
{
	return (flow->submit_error ? flow->sent : flow->count) - flow->ended;
}

int flow_run(struct flow *flow, unsigned int patience_ms)
{
	uint64_t heard = now_ms();
	size_t before = flow->ended;

	while (left(flow)) {
		flow_step(flow);
		if (flow->ended != before)
			heard = now_ms();
		else if (now_ms() - heard > patience_ms)
			return 0;
		before = flow->ended;
	}
	return !flow->submit_error;
}

int flow_settles(struct flow *flow, unsigned int patience_ms)
{
	uint64_t limit = now_ms() + patience_ms;

	while (bm_backend_dsa.settle(flow->channel) != 1)
		if (now_ms() > limit)
			return 0;
	return 1;
}

void flow_finish(struct flow *flow)
{
	for (size_t i = 0; i < flow->count; i++)
		if (!flow->told[i])
			memcpy(flow->copies[i].to, flow->copies[i].from, flow->copies[i].length);
}

size_t flow_wrong(const struct flow *flow)
{
	size_t wrong = 0;

	for (size_t i = 0; i < BYTES; i++)
		wrong += flow->to[i] != flow->expected[i];
	return wrong;
}

void flow_check(struct flow *flow, size_t count, size_t longest)
{
	flow_make(flow, count, longest);
	ck_assert_int_eq(flow_run(flow, EVER_MS), 1);
	ck_assert_uint_eq(flow->ended, flow->count);
	ck_assert_uint_eq(flow_wrong(flow), 0);
}
