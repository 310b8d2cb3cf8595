/* SPDX-License-Identifier: MIT */
/*
 * dsa_records.c - records as no device should write them: libFuzzer chooses what
 * they say and when they come, and in which order the backend dsa is called.
 *
 * - A tag is told once at most, and only of a copy that was taken.
 * - What is told to be done was said to be done by records, and is there.
 * - No byte is written that the device did not write.
 * - Descriptors name only copies of this input, and memory of the backend.
 * - Given up, and the device stopped, all ends, and nothing is left.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dsa/dsa.h"
#include "dsa_device.h"

#define BLOCKS 64u
#define STEPS  3000

static struct {
	struct bm_copy copies[FUZZ_COPIES];
	unsigned char told[FUZZ_COPIES];
	size_t count, sent;
} list;

static struct {
	unsigned char *at;
	size_t size;
} blocks[BLOCKS];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---------------------------------------------------------------- memory */

int fuzz_is_backends(uint64_t at, size_t length)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		uint64_t start = (uint64_t)(uintptr_t)blocks[i].at;

		if (blocks[i].at && at >= start && at - start <= blocks[i].size &&
		    length <= blocks[i].size - (at - start))
			return 1;
	}
	return 0;
}

static size_t mapped(size_t size)
{
	return ((size + FUZZ_PAGE - 1) & ~(size_t)(FUZZ_PAGE - 1)) + FUZZ_PAGE;
}

/* With a page behind it that cannot be used. */
static void *memory(const struct bm_sys *sys, size_t size)
{
	size_t length = mapped(size), i = 0;
	unsigned char *start =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)sys;
	fuzz_demand(start != MAP_FAILED, "there is memory");
	mprotect(start + length - FUZZ_PAGE, FUZZ_PAGE, PROT_NONE);
	while (i < BLOCKS && blocks[i].at)
		i++;
	fuzz_demand(i < BLOCKS, "few blocks of memory");
	blocks[i].at = start;
	blocks[i].size = size;
	return start;
}

static void memory_end(const struct bm_sys *sys, void *start, size_t size)
{
	size_t i = 0;

	(void)sys;
	while (i < BLOCKS && blocks[i].at != start)
		i++;
	fuzz_demand(i < BLOCKS && blocks[i].size == size, "what is given back was given");
	munmap(start, mapped(size));
	blocks[i].at = NULL;
}

/* ---------------------------------------------------------------- calls */

static size_t at_of(const struct bm_copy *copy)
{
	return (size_t)((unsigned char *)copy->to - fuzz_to);
}

static void submit(struct bm_channel *channel, size_t most)
{
	int took;

	most = most < list.count - list.sent ? most : list.count - list.sent;
	if (most == 0)
		return;
	took = bm_backend_dsa.submit(channel, list.copies + list.sent, most);
	fuzz_demand(took < 0 || (took > 0 && (size_t)took <= most), "submit() takes 1 to count");
	list.sent += took > 0 ? (size_t)took : 0;
}

static void hear(const struct bm_copied *copied)
{
	size_t index = copied->tag - 77;
	const struct bm_copy *copy;

	fuzz_demand(index < list.sent && !list.told[index], "a tag is told once");
	list.told[index] = 1;
	copy = &list.copies[index];
	fuzz_demand(copied->error <= 0 && copied->done <= copy->length,
		    "done is within the length");
	fuzz_demand(copied->error ||
			    memcmp(device.said + at_of(copy), copy->from, copied->done) == 0,
		    "what is done was said to be done");
}

static void reap(struct bm_channel *channel, size_t most)
{
	struct bm_copied copied[64];
	int got = bm_backend_dsa.reap(channel, copied, most);

	fuzz_demand(got < 0 || (size_t)got <= most, "reap() tells of no more than is asked");
	for (int i = 0; i < got; i++)
		hear(&copied[i]);
}

static void step(struct bm_channel *channel)
{
	unsigned int kind = fuzz_byte() % 8;

	if (kind < 2)
		submit(channel, 1 + fuzz_byte() % FUZZ_COPIES);
	else if (kind < 4)
		reap(channel, fuzz_byte() % 64);
	else if (kind == 4)
		bm_backend_dsa.wait(channel);
	else if (kind == 5)
		bm_backend_dsa.aim(channel, (int)(fuzz_byte() % 4) - 1);
	else if (device.waiting > 0)
		fuzz_device_answer(fuzz_byte() % device.waiting);
}

/* ---------------------------------------------------------------- an input */

/* No two pages are the same. */
static void fill_source(void)
{
	for (size_t i = 0; i < FUZZ_ARENA && !fuzz_from[FUZZ_ARENA - 64]; i += 64)
		fuzz_from[i] = (unsigned char)(1 + (i / 64 + i / FUZZ_PAGE * 31) % 127);
}

static void make_list(void)
{
	memset(&list, 0, sizeof(list));
	list.count = 1 + fuzz_byte() % FUZZ_COPIES;
	for (uint32_t i = 0; i < list.count; i++)
		list.copies[i] = (struct bm_copy){
			.to = fuzz_to + (size_t)i * FUZZ_SLOT * FUZZ_PAGE,
			.from = fuzz_from + (size_t)(i * 5 % FUZZ_COPIES) * FUZZ_SLOT * FUZZ_PAGE,
			.length = (1 + fuzz_byte() % (FUZZ_SLOT - 1)) * FUZZ_PAGE,
			.tag = i + 77};
}

static void compare(void)
{
	fuzz_demand(memcmp(fuzz_to, device.said, FUZZ_ARENA) == 0, "only the device writes");
}

/* Nobody waits any more, and the device has stopped. */
static void end(struct bm_engine *engine, struct bm_channel *channel)
{
	int tries = 0;

	reap(channel, 64);
	compare();
	device.halted = 1;
	while (bm_backend_dsa.settle(channel) != 1)
		fuzz_demand(tries++ < 10, "settle() ends once the device has stopped");
	bm_backend_dsa.chan_close(channel);
	bm_backend_dsa.close(engine);
	for (size_t i = 0; i < BLOCKS; i++)
		fuzz_demand(!blocks[i].at, "all memory is given back");
}

static void no_line(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bm_sys sys;
	struct bm_log log = {.hook = no_line};
	struct bm_backend_env env = {.sys = &sys,
				     .log = &log,
				     .dsa_wqs = "wq0.0",
				     .page_size = FUZZ_PAGE,
				     .huge_size = 2u << 20,
				     .memory = memory,
				     .memory_end = memory_end};
	struct bm_engine *engine;
	struct bm_channel *channel;
	unsigned int how;

	fuzz_device_reset();
	fuzz_begin(data, size);
	how = fuzz_byte();
	device.shared = how & 1;
	device.by_write = how >> 1 & 1;
	device.busy = how >> 2 & 1;
	env.batch = how >> 3 & 1 ? 1 + fuzz_byte() % 8 : 0;
	fuzz_device_use(&sys);
	fill_source();
	make_list();
	fuzz_demand(bm_backend_dsa.open(&env, &engine) == 0, "the engine opens");
	fuzz_demand(bm_backend_dsa.chan_open(engine, -1, &channel) == 0, "a channel opens");
	for (int steps = 0; fuzz_left() > 0 && steps < STEPS; steps++)
		step(channel);
	end(engine, channel);
	return 0;
}
