/* SPDX-License-Identifier: MIT */
/*
 * ptdma_heads.c - functions as they should not be: libFuzzer chooses what HEAD,
 * read_idx, STATUS, CONTROL and what is written back say, and in which order the
 * backend ptdma is called.
 *
 * - A tag is told once at most, and only of a copy that was taken.
 * - What is told to be done was done.
 * - No byte is written that the device did not write, nor to what is not in flight.
 * - No call takes for ever.
 * - Given up, all ends, and nothing is left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ptdma/ptdma.h"
#include "ptdma_device.h"

#define STEPS 3000
#define TAG   77u

static struct {
	struct bm_copy copies[FUZZ_COPIES];
	unsigned char told[FUZZ_COPIES];
	size_t count, sent;
	int pinned, lost;
} list;

static int blocks;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *memory(const struct bm_sys *sys, size_t size)
{
	void *start = aligned_alloc(FUZZ_PAGE, (size + FUZZ_PAGE - 1) & ~(size_t)(FUZZ_PAGE - 1));

	(void)sys;
	fuzz_demand(start != NULL, "there is memory");
	blocks++;
	return memset(start, 0, size);
}

static void memory_end(const struct bm_sys *sys, void *start, size_t size)
{
	(void)sys;
	(void)size;
	blocks--;
	free(start);
}

static void no_line(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

/* ---------------------------------------------------------------- a list */

static size_t at_of(const struct bm_copy *copy)
{
	return (size_t)((unsigned char *)copy->to - fuzz_to);
}

/* No two pages are the same. */
static void fill_source(void)
{
	for (size_t i = 0; i < FUZZ_ARENA && !fuzz_from[FUZZ_ARENA - 64]; i += 64)
		fuzz_from[i] = (unsigned char)(1 + (i / 64 + i / FUZZ_PAGE * 31) % 127);
}

static void compare(void)
{
	fuzz_demand(memcmp(fuzz_to, device.said, FUZZ_ARENA) == 0, "only the device writes");
}

static void own(size_t index)
{
	const struct bm_copy *copy = &list.copies[index];

	memset(copy->to, 0x3c, copy->length);
	memset(device.said + at_of(copy), 0x3c, copy->length);
}

static void make_list(void)
{
	memset(&list, 0, sizeof(list));
	memset(device.flying, 0, sizeof(device.flying));
	memset(fuzz_to, FUZZ_STALE, FUZZ_ARENA);
	memset(device.said, FUZZ_STALE, FUZZ_ARENA);
	list.count = 1 + fuzz_byte() % FUZZ_COPIES;
	for (uint32_t i = 0; i < list.count; i++)
		list.copies[i] = (struct bm_copy){
			.to = fuzz_to + (size_t)i * FUZZ_SLOT * FUZZ_PAGE,
			.from = fuzz_from + (size_t)(i * 5 % FUZZ_COPIES) * FUZZ_SLOT * FUZZ_PAGE,
			.length = (1 + fuzz_byte() % (FUZZ_SLOT - 1)) * FUZZ_PAGE,
			.tag = i + TAG};
}

static void pin(struct bm_channel *channel)
{
	int rc = bm_backend_ptdma.pin(channel, list.copies, list.count);

	fuzz_demand(rc <= 0 && rc > -4096, "pin() gives 0 or an error");
	list.pinned = rc == 0;
}

static void submit(struct bm_channel *channel, size_t most)
{
	int took;

	most = most < list.count - list.sent ? most : list.count - list.sent;
	if (most == 0)
		return;
	/* It may be done before submit() returns. */
	memset(device.flying + list.sent, 1, most);
	took = bm_backend_ptdma.submit(channel, list.copies + list.sent, most);
	fuzz_demand(took < 0 || (took > 0 && (size_t)took <= most), "submit() takes 1 to count");
	took = took > 0 ? took : 0;
	memset(device.flying + list.sent + took, 0, most - (size_t)took);
	list.sent += (size_t)took;
}

static void hear(const struct bm_copied *copied)
{
	size_t index = copied->tag - TAG;
	const struct bm_copy *copy;

	fuzz_demand(index < list.sent && !list.told[index], "a tag is told once");
	list.told[index] = 1;
	device.flying[index] = 0;
	copy = &list.copies[index];
	fuzz_demand(copied->error <= 0 && copied->done <= copy->length,
		    "done is within the length");
	fuzz_demand(copied->error ||
			    memcmp(device.said + at_of(copy), copy->from, copied->done) == 0,
		    "what is told to be done was done");
	/* The caller copies it, and the device has no business there. */
	if (copied->error || copied->done < copy->length)
		own(index);
}

static void reap(struct bm_channel *channel, size_t most)
{
	struct bm_copied copied[64];
	int got = bm_backend_ptdma.reap(channel, copied, most);

	fuzz_demand(got < 0 || (size_t)got <= most, "reap() tells of no more than is asked");
	for (int i = 0; i < got; i++)
		hear(&copied[i]);
}

/* 1: nothing of the list is written any more. */
static int settle(struct bm_channel *channel)
{
	int rc = bm_backend_ptdma.settle(channel);

	fuzz_demand(rc == 0 || rc == 1, "settle() gives 0 or 1");
	if (rc) {
		memset(device.flying, 0, sizeof(device.flying));
		for (size_t i = 0; i < list.sent; i++)
			if (!list.told[i])
				own(i);
	}
	return rc;
}

/* Not all targets are free: something was given up. */
static void unpin(struct bm_channel *channel)
{
	int rc = bm_backend_ptdma.unpin(channel), untold = 0;

	for (size_t i = 0; i < list.sent; i++)
		untold |= !list.told[i];
	fuzz_demand(rc == 0 || (rc == 1 && untold), "unpin() gives 0, or 1 where some are lost");
}

/* Some may be lost: then there is no other list before it is settled. */
static void end_window(struct bm_channel *channel)
{
	if (list.pinned)
		unpin(channel);
	list.pinned = 0;
	list.lost = 0;
	for (size_t i = 0; i < list.sent; i++)
		list.lost |= !list.told[i];
	if (list.lost)
		list.lost = !settle(channel);
	compare();
	if (!list.lost)
		make_list();
}

/* ---------------------------------------------------------------- an input */

static void step(struct bm_channel *channel)
{
	unsigned int kind = fuzz_byte() % 16;

	device.looks = 0;
	if (kind == 0)
		end_window(channel);
	else if (kind < 6)
		fuzz_device_event(&device.functions[fuzz_byte() % FUZZ_FUNCTIONS]);
	else if (!list.pinned && !list.lost)
		pin(channel);
	else if (!list.pinned)
		return;
	else if (kind < 10)
		submit(channel, 1 + fuzz_byte() % FUZZ_COPIES);
	else if (kind < 15)
		reap(channel, fuzz_byte() % 64);
	else
		bm_backend_ptdma.wait(channel);
}

/* From here on it does as it should. */
static void end(struct bm_engine *engine, struct bm_channel *channel)
{
	int tries = 0;

	device.looks = 0;
	if (list.pinned)
		reap(channel, 64);
	compare();
	device.plain = 1;
	if (list.pinned)
		unpin(channel);
	while (!settle(channel)) {
		device.looks = 0;
		fuzz_demand(tries++ < 10, "settle() ends once the device is quiet");
	}
	compare();
	device.looks = 0;
	bm_backend_ptdma.chan_close(channel);
	bm_backend_ptdma.close(engine);
	fuzz_access_end();
	fuzz_demand(blocks == 0, "all memory is given back");
}

static void begin(const uint8_t *data, size_t size)
{
	unsigned int how;

	memset(&device, 0, sizeof(device));
	fuzz_begin(data, size);
	how = fuzz_byte();
	device.present = 1 + how % 3;
	device.guards = how >> 2 & 1;
	device.scattered = how >> 3 & 1;
	device.no_resets = how >> 4 & 1;
	device.functions[1].ae4 = 1;
	fuzz_device_reset(&device.functions[1]);
	device.plain = 1;
	memset(&list, 0, sizeof(list));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bm_sys sys;
	struct bm_log log = {.hook = no_line};
	struct bm_backend_env env = {.sys = &sys,
				     .log = &log,
				     .page_size = FUZZ_PAGE,
				     .huge_size = 2u << 20,
				     .memory = memory,
				     .memory_end = memory_end};
	struct bm_engine *engine;
	struct bm_channel *channel;

	begin(data, size);
	env.ptdma_ring = 2u << fuzz_byte() % 5;
	fuzz_access_use(&sys);
	fill_source();
	fuzz_demand(bm_backend_ptdma.open(&env, &engine) == 0, "the engine opens");
	fuzz_demand(bm_backend_ptdma.chan_open(engine, -1, &channel) == 0, "a channel opens");
	make_list();
	device.plain = 0;
	for (int steps = 0; fuzz_left() > 0 && steps < STEPS; steps++)
		step(channel);
	end(engine, channel);
	return 0;
}
