/* SPDX-License-Identifier: MIT */
/* ptdma_scene.c - software functions, arenas, and a caller of the backend ptdma. */
#include "ptdma_scene.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define BYTES  ((size_t)PT_PAGES * PT_PAGE)
#define HUGE   ((size_t)2 << 20)
#define STALE  0xa5
#define OWN    0x3c /* what its owner writes to a page that he has again */
#define SETTLE 20

struct pt_scene pt;

/* The same for all scenes: their pages are there. */
static unsigned char arenas[4][BYTES] __attribute__((aligned(2 << 20)));

void pt_fail(int line, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ck_abort_msg("%s: line %d: %s; logged: %s", pt.what, line, text, pt.lines);
}

/* ---------------------------------------------------------------- begin and end */

static void *scene_memory(const struct bm_sys *sys, size_t size)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)sys;
	ck_assert_ptr_ne(start, MAP_FAILED);
	__atomic_add_fetch(&pt.blocks, 1, __ATOMIC_RELAXED);
	return start;
}

static void scene_memory_end(const struct bm_sys *sys, void *memory, size_t size)
{
	(void)sys;
	munmap(memory, size);
	__atomic_sub_fetch(&pt.blocks, 1, __ATOMIC_RELAXED);
}

static void keep_line(void *user, int level, const char *line)
{
	size_t used = strlen(pt.lines);

	(void)user;
	pt.errors += level == BM_LOG_ERROR;
	snprintf(pt.lines + used, sizeof(pt.lines) - used, "%s\n", line);
}

static void fill_arenas(void)
{
	static int filled;

	pt.from = arenas[0];
	pt.to = arenas[1];
	pt.expected = arenas[2];
	memset(pt.to, STALE, BYTES);
	memset(pt.expected, STALE, BYTES);
	for (size_t i = 0; !filled && i < BYTES; i += sizeof(uint32_t)) {
		uint32_t value = rnd();

		memcpy(pt.from + i, &value, sizeof(value));
		memcpy(arenas[3] + i, &value, sizeof(value));
	}
	filled = 1;
}

void pt_begin(const struct ptdma_config *functions, size_t count, const struct ptdma_sys_how *how,
	      uint32_t ring)
{
	char what[sizeof(pt.what)];

	pt_end();
	memcpy(what, pt.what, sizeof(what));
	memset(&pt, 0, sizeof(pt));
	memcpy(pt.what, what, sizeof(what));
	pt.sys = bm_sys_linux;
	pt.functions = ptdma_sys_use(&pt.sys, functions, count, how, 31);
	ck_assert_ptr_nonnull(pt.functions);
	pt.log = (struct bm_log){.hook = keep_line, .level = BM_LOG_DEBUG};
	pt.env = (struct bm_backend_env){.sys = &pt.sys,
					 .log = &pt.log,
					 .ptdma_access = how->driver == PTDMA_UIO_PCI ? "uio-unsafe"
										      : "vfio",
					 .ptdma_ring = ring,
					 .page_size = PT_PAGE,
					 .huge_size = HUGE,
					 .memory = scene_memory,
					 .memory_end = scene_memory_end};
	fill_arenas();
}

void pt_open_channel(void)
{
	struct bm_limits limits = {0};
	int rc = bm_backend_ptdma.chan_open(pt.engine, -1, &pt.channels[0]);

	pt_assert(rc == 0, "chan_open() gave %d", rc);
	pt.channel = pt.channels[0];
	bm_backend_ptdma.limits(pt.channel, &limits);
	pt.piece = limits.piece ? limits.piece / PT_PAGE : PT_PAGES;
	pt_assert(pt.piece > 0, "pieces of %zu bytes", limits.piece);
}

void pt_open(void)
{
	int rc = bm_backend_ptdma.open(&pt.env, &pt.engine);

	pt_assert(rc == 0, "open() gave %d", rc);
	pt_open_channel();
}

void pt_end(void)
{
	if (pt.functions)
		ptdma_sys_end();
	pt.functions = NULL;
}

void pt_close(void)
{
	struct ptdma_sys_held held;

	for (size_t i = 0; i < PT_CHANNELS; i++)
		if (pt.channels[i])
			bm_backend_ptdma.chan_close(pt.channels[i]);
	if (pt.engine)
		bm_backend_ptdma.close(pt.engine);
	held = pt_held();
	pt_assert(held.files == 0, "%u files are open", held.files);
	pt_assert(held.mappings == 0, "%u mappings are left", held.mappings);
	pt_assert(held.pinned_pages == 0, "%u pages are pinned", held.pinned_pages);
	pt_assert(held.bus_masters == 0, "%u bus masters are left", held.bus_masters);
	pt_assert(held.locks == 0, "%u locks are left", held.locks);
	pt_assert(pt.blocks == 0, "%d blocks of memory are left", pt.blocks);
	ptdma_release(pt.functions);
	ptdma_pause(pt.functions);
	pt_compare("at the end");
	pt_end();
}

/* ---------------------------------------------------------------- lists */

void pt_clear(void)
{
	memset(pt.states, PT_WAITING, sizeof(pt.states));
	pt.count = pt.taken = pt.ended = 0;
	pt.end = 0;
}

void pt_add(size_t to, size_t from, size_t pages)
{
	ck_assert_uint_lt(pt.count, PT_COPIES);
	ck_assert(to + pages <= PT_PAGES && from + pages <= PT_PAGES);
	pt.copies[pt.count] = (struct bm_copy){.to = pt.to + to * PT_PAGE,
					       .from = pt.from + from * PT_PAGE,
					       .length = pages * PT_PAGE,
					       .tag = (uint32_t)pt.count};
	pt.count++;
}

void pt_add_apart(size_t count, size_t most)
{
	size_t slot = most + 1, longest = most < pt.piece ? most : pt.piece;

	for (size_t i = 0; i < count; i++)
		pt_add(i * slot, (count - 1 - i) * slot, 1 + rnd() % longest);
}

/* ---------------------------------------------------------------- bytes */

static size_t at_of(const struct bm_copy *copy)
{
	return (size_t)((unsigned char *)copy->to - pt.to);
}

static void own(const struct bm_copy *copy)
{
	memset(copy->to, OWN, copy->length);
	memset(pt.expected + at_of(copy), OWN, copy->length);
}

/* Pages of copies that are not over: they may be anything, and may be written just now. */
static void find_open(unsigned char *is_open)
{
	memset(is_open, 0, PT_PAGES);
	for (size_t i = 0; i < pt.count; i++)
		if (pt.states[i] == PT_LOST || pt.states[i] == PT_FLYING)
			memset(is_open + at_of(&pt.copies[i]) / PT_PAGE, 1,
			       pt.copies[i].length / PT_PAGE);
}

static void compare_page(size_t page, const char *when)
{
	const unsigned char *is = pt.to + page * PT_PAGE;
	const unsigned char *expected = pt.expected + page * PT_PAGE;
	size_t at = 0;

	if (memcmp(is, expected, PT_PAGE) == 0)
		return;
	while (is[at] == expected[at])
		at++;
	pt_assert(0, "%s: byte %zu of page %zu of the targets is %#x, not %#x", when, at, page,
		  is[at], expected[at]);
}

void pt_compare(const char *when)
{
	unsigned char is_open[PT_PAGES];

	find_open(is_open);
	for (size_t page = 0; page < PT_PAGES; page++)
		if (!is_open[page])
			compare_page(page, when);
	pt_assert(memcmp(pt.from, arenas[3], BYTES) == 0, "%s: a source was written", when);
}

/* ---------------------------------------------------------------- pins */

static int is_pinned(const void *start, size_t length)
{
	return ptdma_sys_pinned(start, length);
}

int pt_pin(void)
{
	int rc = bm_backend_ptdma.pin(pt.channel, pt.copies, pt.count);

	for (size_t i = 0; i < pt.count; i++) {
		const struct bm_copy *copy = &pt.copies[i];
		const char *end = (const char *)copy->from + copy->length - PT_PAGE;
		int from = is_pinned(copy->from, PT_PAGE) && is_pinned(end, PT_PAGE);

		pt_assert(from == (rc == 0) && is_pinned(copy->to, PT_PAGE) == (rc == 0),
			  "pin() gave %d, and copy %zu is not so", rc, i);
	}
	return rc;
}

void pt_unpin(void)
{
	int rc = bm_backend_ptdma.unpin(pt.channel), given_up = 0;

	for (size_t i = 0; i < pt.count; i++)
		given_up |= pt.states[i] == PT_FLYING || pt.states[i] == PT_LOST;
	pt_assert(rc == 0 || (rc == 1 && given_up), "unpin() gave %d", rc);
	for (size_t i = 0; i < pt.count; i++) {
		const struct bm_copy *copy = &pt.copies[i];

		pt_assert(!is_pinned(copy->from, copy->length), "source %zu is pinned", i);
		pt_assert(rc == 1 || !is_pinned(copy->to, copy->length),
			  "target %zu is pinned, in state %d", i, pt.states[i]);
	}
}

/* ---------------------------------------------------------------- copies */

static void hear(const struct bm_copied *copied)
{
	const struct bm_copy *copy;

	pt_assert(copied->tag < pt.taken, "tag %u was not submitted", copied->tag);
	pt_assert(pt.states[copied->tag] == PT_FLYING, "tag %u is told twice", copied->tag);
	copy = &pt.copies[copied->tag];
	pt_assert(copied->done <= copy->length, "%zu bytes of %zu", copied->done, copy->length);
	pt_assert(copied->error <= 0 && copied->error > -4096, "error %d", copied->error);
	pt_assert(memcmp(copy->to, copy->from, copied->error ? 0 : copied->done) == 0,
		  "copy %u is told, and its bytes are not there", copied->tag);
	pt.states[copied->tag] = PT_TOLD;
	pt.ended++;
	if (copied->error || copied->done < copy->length) {
		pt.failed++;
		own(copy);
		return;
	}
	pt.done++;
	memcpy(pt.expected + at_of(copy), copy->from, copy->length);
}

/* 1: anything was taken or told. */
static int turn(void)
{
	struct bm_copied copied[24];
	int took = 0, got;

	if (pt.taken < pt.count && pt.end == 0) {
		took = bm_backend_ptdma.submit(pt.channel, pt.copies + pt.taken,
					       pt.count - pt.taken);
		pt_assert(took && took <= (int)(pt.count - pt.taken), "submit() gave %d", took);
		pt.end = took < 0 && took != -EAGAIN ? took : 0;
	}
	for (int i = 0; i < took; i++)
		pt.states[pt.taken++] = PT_FLYING;
	got = bm_backend_ptdma.reap(pt.channel, copied, 1 + rnd() % 24);
	pt_assert(got <= 24, "reap() gave %d", got);
	for (int i = 0; i < got; i++)
		hear(&copied[i]);
	if (got < 0)
		pt.end = got;
	return took > 0 || got > 0;
}

static uint64_t now_ms(void)
{
	return bm_sys_linux.now_ns() / 1000000;
}

size_t pt_drive(unsigned int patience_ms)
{
	uint64_t heard = now_ms(), start = heard;

	while (pt.ended < pt.count && now_ms() - heard <= patience_ms) {
		if (turn())
			heard = now_ms();
		else
			bm_backend_ptdma.wait(pt.channel);
		if (pt.end && pt.ended == pt.taken)
			break;
		pt_assert(now_ms() - start < 3 * PT_EVER, "there is no end of it");
	}
	return pt.taken - pt.ended;
}

void pt_give_up(void)
{
	for (size_t i = 0; i < pt.count; i++) {
		if (pt.states[i] == PT_FLYING)
			pt.states[i] = PT_LOST;
	}
}

int pt_settle(void)
{
	int rc = 0;

	for (int tries = 0; rc == 0 && tries < SETTLE; tries++) {
		rc = bm_backend_ptdma.settle(pt.channel);
		if (rc == 0)
			bm_sys_linux.sleep_us(1000);
	}
	pt_assert(rc == 0 || rc == 1, "settle() gave %d", rc);
	for (size_t i = 0; rc && i < pt.count; i++) {
		pt_assert(!is_pinned(pt.copies[i].to, pt.copies[i].length),
			  "target %zu is pinned, and all is settled", i);
		if (pt.states[i] == PT_LOST)
			own(&pt.copies[i]);
		pt.states[i] = PT_TOLD;
	}
	return rc;
}

struct ptdma_counts pt_counted(void)
{
	struct ptdma_counts counts;

	ptdma_count(pt.functions, &counts);
	return counts;
}

struct ptdma_sys_held pt_held(void)
{
	struct ptdma_sys_held held;

	ptdma_sys_count(&held);
	return held;
}
