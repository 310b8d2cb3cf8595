/* SPDX-License-Identifier: MIT */
/* dsa_scene.c - a device, its queues, and copies to it. */
#include "dsa_scene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define IDLE_TURNS 200
/* Of 50 us: a device that is a thread may be kept from a CPU for long. */
#define IDLE_NAPS 100000

struct dsa_scene dsa;
size_t dsa_pages = PAGES;

static size_t arena_bytes(void)
{
	return dsa.pages * PAGE;
}

static void *scene_memory(const struct bm_sys *sys, size_t size)
{
	size_t i = 0;

	(void)sys;
	if (dsa.fail_at && --dsa.fail_at == 0)
		return NULL;
	while (dsa.blocks[i])
		i++;
	ck_assert_uint_lt(i, 64);
	size = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
	dsa.sizes[i] = size;
	dsa.blocks[i] =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (dsa.device)
		dsa_allow(dsa.device, dsa.blocks[i], size);
	return dsa.blocks[i];
}

static void scene_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	(void)size;
	for (size_t i = 0; i < 64; i++) {
		if (dsa.blocks[i] != memory)
			continue;
		munmap(memory, dsa.sizes[i]);
		dsa.blocks[i] = NULL;
		return;
	}
	ck_abort_msg("memory that was not given");
}

static void keep_line(void *user, int level, const char *line)
{
	size_t used = strlen(dsa.lines);

	(void)user;
	(void)level;
	snprintf(dsa.lines + used, sizeof(dsa.lines) - used, "%s\n", line);
}

static uint64_t scene_now(void)
{
	return __atomic_add_fetch(&dsa.clock, 100, __ATOMIC_RELAXED);
}

/* Where the device is not a thread it gets on while the library sleeps. */
static void scene_sleep(uint64_t us)
{
	__atomic_add_fetch(&dsa.clock, us * 1000, __ATOMIC_RELAXED);
	if (dsa.pace != DSA_BY_THREAD)
		dsa_run(dsa.device, 4);
	else
		bm_sys_linux.sleep_us(us);
}

static void fill(unsigned char *memory)
{
	for (size_t i = 0; i < arena_bytes(); i += sizeof(uint32_t)) {
		uint32_t value = rnd();

		memcpy(memory + i, &value, sizeof(value));
	}
}

static void make_arenas(void)
{
	dsa.from = scene_memory(NULL, arena_bytes());
	dsa.to = scene_memory(NULL, arena_bytes());
	dsa.expected = mmap(NULL, arena_bytes(), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(dsa.from);
	memset(dsa.to, STALE_BYTE, arena_bytes());
	memset(dsa.expected, STALE_BYTE, arena_bytes());
}

void dsa_begin_with(const struct dsa_queue_config *configs, size_t count, enum dsa_pace pace,
		    const struct dsa_sys_how *how)
{
	memset(&dsa, 0, sizeof(dsa));
	rnd_seed(31);
	dsa.pages = dsa_pages;
	dsa.pace = pace;
	dsa.how = *how;
	dsa.device = dsa_new(configs, count, pace, 7);
	dsa.sys = bm_sys_linux;
	dsa_sys_use(&dsa.sys, dsa.device, how);
	dsa.sys.now_ns = scene_now;
	dsa.sys.sleep_us = scene_sleep;
	dsa.log = (struct bm_log){.hook = keep_line, .level = BM_LOG_DEBUG};
	dsa.env = (struct bm_backend_env){.sys = &dsa.sys,
					  .log = &dsa.log,
					  .dsa_wqs = dsa_sys_names(),
					  .page_size = PAGE,
					  .huge_size = 2u << 20,
					  .memory = scene_memory,
					  .memory_end = scene_memory_end};
	make_arenas();
}

void dsa_begin(enum dsa_way way, unsigned int queues, unsigned int size, enum dsa_pace pace)
{
	struct dsa_queue_config configs[DSA_QUEUES_MOST] = {{0}};
	struct dsa_sys_how how = {.pin_error = -EPERM};

	for (unsigned int i = 0; i < queues; i++) {
		configs[i].shared =
			way == PORTAL_SHARED || way == WRITE_SHARED || way == WRITE_BATCH;
		configs[i].size = size;
		configs[i].max_transfer = 2u << 20;
		configs[i].max_batch = 32;
		configs[i].batch_by_write = way == WRITE_BATCH;
	}
	how.hides_files = way == WRITE_BLIND;
	how.cpu_facts = BM_CPU_MOVDIR64B | BM_CPU_ENQCMD;
	if (way != PORTAL_DEDICATED && way != PORTAL_SHARED)
		how.map_error = way == WRITE_SHARED ? -EPERM : -ENODEV;
	dsa_begin_with(configs, queues, pace, &how);
}

void dsa_open_all(int channels)
{
	ck_assert_int_eq(bm_backend_dsa.open(&dsa.env, &dsa.engine), 0);
	for (int i = 0; i < channels; i++)
		ck_assert_int_eq(bm_backend_dsa.chan_open(dsa.engine, -1, &dsa.channels[i]), 0);
}

struct dsa_counts dsa_counted(void)
{
	struct dsa_counts counts;

	dsa_count(dsa.device, &counts);
	return counts;
}

static void end_device(void)
{
	struct dsa_counts counts = dsa_counted();

	dsa_free(dsa.device);
	dsa.device = NULL;
	scene_memory_end(NULL, dsa.from, 0);
	scene_memory_end(NULL, dsa.to, 0);
	munmap(dsa.expected, arena_bytes());
	ck_assert_uint_eq(counts.foreign, 0);
	ck_assert(counts.dropped == 0 || dsa.halts);
	/* Nothing that the device would call wrong was ever submitted. */
	ck_assert_uint_eq(counts.refused, 0);
}

void dsa_end(void)
{
	for (int i = 0; i < CHANNELS; i++)
		if (dsa.channels[i])
			bm_backend_dsa.chan_close(dsa.channels[i]);
	if (dsa.engine)
		bm_backend_dsa.close(dsa.engine);
	end_device();
	for (size_t i = 0; i < 64; i++)
		ck_assert_ptr_null(dsa.blocks[i]);
}

void dsa_end_stuck(void)
{
	bm_backend_dsa.close(dsa.engine);
	end_device();
	for (size_t i = 0; i < 64; i++)
		if (dsa.blocks[i])
			scene_memory_end(NULL, dsa.blocks[i], 0);
}

void dsa_add_copy(size_t to, size_t from, size_t pages)
{
	struct dsa_work *work = &dsa.work;
	struct bm_copy *copy = &work->copies[work->count];

	ck_assert_uint_lt(work->count, COPIES);
	*copy = (struct bm_copy){.to = dsa.to + to * PAGE,
				 .from = dsa.from + from * PAGE,
				 .length = pages * PAGE,
				 .tag = (uint32_t)work->count};
	memcpy(dsa.expected + to * PAGE, copy->from, copy->length);
	work->count++;
}

void dsa_add_copies(size_t count, size_t most)
{
	size_t at = 0;

	for (size_t i = 0; i < count && at < dsa.pages; i++) {
		size_t pages = 1 + rnd() % most;

		if (pages > dsa.pages - at)
			pages = dsa.pages - at;
		dsa_add_copy(at, rnd() % (dsa.pages - pages + 1), pages);
		at += pages + rnd() % 2;
	}
}

static void hear(struct dsa_work *work, const struct bm_copied *copied)
{
	const struct bm_copy *copy;

	ck_assert_uint_lt(copied->tag, work->taken);
	ck_assert_msg(work->told[copied->tag] == IN_FLIGHT, "tag %u is told twice", copied->tag);
	copy = &work->copies[copied->tag];
	ck_assert_uint_le(copied->done, copy->length);
	work->told[copied->tag] = TOLD;
	work->ended++;
	if (copied->done == copy->length && !copied->error)
		return;
	work->left++;
	/* What was told to be copied is checked by not being copied again. */
	if (copied->error)
		memcpy(copy->to, copy->from, copy->length);
	else
		memcpy((char *)copy->to + copied->done, (const char *)copy->from + copied->done,
		       copy->length - copied->done);
}

int dsa_turn(struct bm_channel *channel, struct dsa_work *work)
{
	struct bm_copied copied[24];
	int took = 0, got;

	if (work->taken < work->count && !work->end) {
		took = bm_backend_dsa.submit(channel, work->copies + work->taken,
					     work->count - work->taken);
		ck_assert_int_ne(took, 0);
		ck_assert_int_le(took, (int)(work->count - work->taken));
		if (took < 0 && took != -EAGAIN)
			work->end = took;
	}
	for (int i = 0; i < took; i++)
		work->told[work->taken++] = IN_FLIGHT;
	got = bm_backend_dsa.reap(channel, copied, 1 + rnd() % 24);
	ck_assert_int_ge(got, 0);
	for (int i = 0; i < got; i++)
		hear(work, &copied[i]);
	if (dsa.pace != DSA_BY_THREAD)
		dsa_run(dsa.device, 1 + rnd() % 8);
	return took > 0 || got > 0;
}

size_t dsa_drive(struct bm_channel *channel, struct dsa_work *work)
{
	int most = dsa.pace == DSA_BY_THREAD && !dsa.halts ? IDLE_NAPS : IDLE_TURNS;

	for (int idle = 0; work->ended < work->count && idle < most; idle++) {
		if (dsa_turn(channel, work))
			idle = 0;
		else
			bm_backend_dsa.wait(channel);
		if (work->end && work->ended == work->taken)
			break;
		if (dsa.pace == DSA_BY_THREAD && idle > 20)
			bm_sys_linux.sleep_us(50);
	}
	return work->taken - work->ended;
}

void dsa_verify(const char *what)
{
	struct dsa_work *work = &dsa.work;
	size_t at = 0;

	for (size_t i = 0; i < work->count; i++)
		if (work->told[i] != TOLD)
			memcpy(work->copies[i].to, work->copies[i].from, work->copies[i].length);
	if (memcmp(dsa.to, dsa.expected, arena_bytes()) == 0)
		return;
	while (dsa.to[at] == dsa.expected[at])
		at++;
	ck_abort_msg("%s: byte %zu of page %zu is wrong", what, at % PAGE, at / PAGE);
}
