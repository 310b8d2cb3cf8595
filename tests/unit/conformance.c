/* SPDX-License-Identifier: MIT */
/* conformance.c - runs a subject with every case: arenas, memory, what is left. */
#include "conformance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failing.h"
#include "scene.h"

#define BYTES  ((size_t)CONFORMANCE_ARENA * CONFORMANCE_PAGE)
#define CANARY 0x6b

/* ---------------------------------------------------------------- memory of the backend */

static atomic_long blocks;

long conformance_blocks(void)
{
	return atomic_load(&blocks);
}

static size_t whole(size_t size)
{
	return (size + CONFORMANCE_PAGE - 1) & ~(size_t)(CONFORMANCE_PAGE - 1);
}

/* A page with its size, the memory, what is left of its last page, a page that cannot be used. */
static void *memory(const struct bm_sys *sys, size_t size)
{
	size_t length = whole(size) + 2 * CONFORMANCE_PAGE;
	unsigned char *start;

	(void)sys;
	if (conformance_fails("env.memory()"))
		return NULL;
	start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(start, MAP_FAILED);
	mprotect(start + length - CONFORMANCE_PAGE, CONFORMANCE_PAGE, PROT_NONE);
	memcpy(start, &size, sizeof(size));
	start += CONFORMANCE_PAGE;
	memset(start + size, CANARY, whole(size) - size);
	atomic_fetch_add(&blocks, 1);
	return start;
}

static void memory_end(const struct bm_sys *sys, void *given, size_t size)
{
	unsigned char *start = given;
	size_t was, at = size;

	(void)sys;
	conformance_saw("env.memory_end()");
	memcpy(&was, start - CONFORMANCE_PAGE, sizeof(was));
	ck_assert_uint_eq(was, size);
	while (at < whole(size) && start[at] == CANARY)
		at++;
	ck_assert_uint_eq(at, whole(size));
	munmap(start - CONFORMANCE_PAGE, whole(size) + 2 * CONFORMANCE_PAGE);
	atomic_fetch_sub(&blocks, 1);
}

static void keep_line(void *user, int level, const char *line)
{
	struct conformance *run = user;

	conformance_saw("the log");
	memcpy(run->lines[0], run->lines[1], sizeof(run->lines[0]));
	snprintf(run->lines[1], sizeof(run->lines[1]), "%s", line);
	if (level == BM_LOG_ERROR)
		atomic_fetch_add(&run->errors, 1);
}

/* ---------------------------------------------------------------- a case */

/* The same for all cases: their pages are there. */
static unsigned char arenas[4][BYTES] __attribute__((aligned(2 << 20)));

static void fill_arenas(struct conformance *run)
{
	run->from = arenas[0];
	run->kept = arenas[1];
	run->to = arenas[2];
	run->expected = arenas[3];
	memset(arenas, CONFORMANCE_STALE, sizeof(arenas));
	for (size_t i = 0; i < BYTES; i += sizeof(uint32_t)) {
		uint32_t value = rnd();

		memcpy(run->from + i, &value, sizeof(value));
	}
	memcpy(run->kept, run->from, BYTES);
}

static void prepare(struct conformance *run, const struct conformance_case *which)
{
	memset(run, 0, sizeof(*run));
	rnd_seed(24);
	conformance_disarm();
	atomic_store(&blocks, 0); /* what a test that failed has left */
	run->which = which;
	run->backend = which->backend;
	run->queues = -1;
	run->sys = bm_sys_linux;
	run->log = (struct bm_log){.hook = keep_line, .user = run, .level = BM_LOG_DEBUG};
	run->env = (struct bm_backend_env){.sys = &run->sys,
					   .log = &run->log,
					   .page_size = CONFORMANCE_PAGE,
					   .huge_size = 2u << 20,
					   .memory = memory,
					   .memory_end = memory_end};
}

void conformance_fail(const struct conformance *run, int line, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ck_abort_msg("%s: line %d: %s%s%s", run->which->name, line, run->what,
		     run->what[0] ? ": " : "", text);
}

void conformance_open(struct conformance *run)
{
	int rc = run->backend->open(&run->env, &run->engine);

	conformance_assert(run, rc == 0, "open() gave %d: %s; %s", rc, run->lines[0],
			   run->lines[1]);
}

void conformance_close(struct conformance *run)
{
	run->backend->close(run->engine);
	run->engine = NULL;
}

static void check_left(const struct conformance *run, const struct failing_held *before)
{
	struct failing_held now = failing_held();

	/* One that was joined may be there for a moment. */
	for (int tries = 0; now.threads > before->threads && tries < 2000; tries++) {
		usleep(1000);
		now = failing_held();
	}
	conformance_assert(run, conformance_blocks() == 0, "%ld blocks of memory are left",
			   conformance_blocks());
	conformance_assert(run, now.fds == before->fds, "%ld descriptors are left",
			   now.fds - before->fds);
	conformance_assert(run, now.threads <= before->threads, "%ld threads are left",
			   now.threads - before->threads);
}

static void run_case(const struct conformance_case *which, void (*subject)(struct conformance *run),
		     int opened)
{
	struct conformance run;
	struct failing_held before;

	prepare(&run, which);
	if (which->set_up(&run))
		return;
	conformance_watch(&run.sys);
	before = failing_held();
	fill_arenas(&run);
	if (opened)
		conformance_open(&run);
	subject(&run);
	if (opened)
		conformance_close(&run);
	check_left(&run, &before);
	if (which->tear_down)
		which->tear_down(&run);
}

static void each(void (*subject)(struct conformance *run), int opened)
{
	const char *wanted = getenv("BM_TEST_CONFORMANCE");
	const struct conformance_case *which;

	for (size_t i = 0; (which = conformance_case_at(i)); i++) {
		if (!wanted || strstr(which->name, wanted))
			run_case(which, subject, opened);
	}
}

void conformance_each(void (*subject)(struct conformance *run))
{
	each(subject, 1);
}

void conformance_each_closed(void (*subject)(struct conformance *run))
{
	each(subject, 0);
}
