/* SPDX-License-Identifier: MIT */
/* exit_report.c - which contexts are to be reported at exit, and the reports. */
#include "exit_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool_stats.h"
#include "stats_text.h"

#define SLOTS      64
#define TEXT_BYTES 16384
#define PATH_BYTES 1536 /* of 255 characters, half of them "%p" */
#define TRIES      100
#define PAUSE_US   1000

/*
 * The contexts that are reported at exit: nobody hands them to a function that
 * exit(3) calls. No lock, which a fork could leave taken in the child. 0 is a
 * free slot; an odd number is the process, doubled, whose exit reads a context
 * that was here. Who finds none free is reported when freed only.
 */
static atomic_uintptr_t slots[SLOTS];
/* exit(3) will call us. */
static atomic_int armed;

struct report {
	struct bm_stats_view view;
	int complete; /* no lock was in the way */
	char name[BM_LIST_MAX];
	char text[TEXT_BYTES];
};

static uintptr_t tag_of_process(const struct bm_sys *sys)
{
	return (uintptr_t)sys->getpid() << 1 | 1;
}

/* ---------------------------------------------------------------- reading */

/* At exit other threads go on, and one may have ended with a lock. */
static int try_lock(const struct bm_sys *sys, pthread_mutex_t *lock)
{
	for (int i = 0; i < TRIES; i++) {
		if (pthread_mutex_trylock(lock) == 0)
			return 1;
		sys->sleep_us(PAUSE_US);
	}
	return 0;
}

static int read_sums(struct bm_context *context, struct bm_stats *stats)
{
	if (!try_lock(context->sys, &context->sums.lock))
		return 0;
	bm_sums_read(&context->sums, stats);
	pthread_mutex_unlock(&context->sums.lock);
	return 1;
}

static int read_pool(struct bm_context *context, struct bm_stats_view *view)
{
	struct bm_pool *pool = context->swap ? &context->swap->pool : NULL;
	uint64_t signals;
	int locked, node = 0;

	if (!pool)
		return 1;
	/* As bm_pool_lock() says. */
	context->sys->signals_block(&signals);
	locked = try_lock(context->sys, &pool->lock);
	if (locked) {
		view->pool_count = bm_pool_stats(pool, &node, view->pools, BM_STATS_POOLS);
		pthread_mutex_unlock(&pool->lock);
	}
	context->sys->signals_restore(&signals);
	return locked;
}

static struct report *report_of(struct bm_context *context)
{
	struct report *report = context->sys->alloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->view.pid = context->sys->getpid();
	memcpy(report->name, context->config.stats_file, sizeof(report->name));
	report->complete = read_sums(context, &report->view.stats);
	if (try_lock(context->sys, &context->swap_lock)) {
		report->complete &= read_pool(context, &report->view);
		pthread_mutex_unlock(&context->swap_lock);
	} else {
		report->complete = 0;
	}
	return report;
}

/* ---------------------------------------------------------------- writing */

static void write_all(const struct bm_sys *sys, int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = sys->write(fd, text, length);

		if (done <= 0 && done != -EINTR)
			return;
		text += done > 0 ? done : 0;
		length -= done > 0 ? (size_t)done : 0;
	}
}

/* Standard error where there is no other file, or it cannot be had. */
static int open_file(const struct bm_sys *sys, const struct report *report)
{
	char path[PATH_BYTES], line[PATH_BYTES + 64];
	int fd;

	if (!*report->name)
		return STDERR_FILENO;
	bm_stats_path(report->name, report->view.pid, path, sizeof(path));
	fd = sys->open(path, O_WRONLY | O_CREAT | O_APPEND);
	if (fd >= 0)
		return fd;
	snprintf(line, sizeof(line), "batchmig: the report cannot be added to %s: errno %d\n", path,
		 -fd);
	write_all(sys, STDERR_FILENO, line, strlen(line));
	return STDERR_FILENO;
}

/* In one write, so that the reports of several processes do not mingle. */
static void give_out(const struct bm_sys *sys, struct report *report)
{
	static const char cut[] = "batchmig:   what is still in use by other threads is left out\n";
	size_t length;
	int fd;

	if (report && (report->view.stats.calls || !report->complete)) {
		length = bm_stats_text(&report->view, report->text, TEXT_BYTES - sizeof(cut));
		if (!report->complete) {
			memcpy(report->text + length, cut, sizeof(cut));
			length += sizeof(cut) - 1;
		}
		fd = open_file(sys, report);
		write_all(sys, fd, report->text, length);
		if (fd != STDERR_FILENO)
			sys->close(fd);
	}
	free(report);
}

/* ---------------------------------------------------------------- when */

/* The slot keeps it from being freed only as long as it is read. */
static void report_slot(atomic_uintptr_t *slot)
{
	uintptr_t seen = atomic_load(slot), tag = tag_of_process(&bm_sys_linux);
	struct bm_context *context = (struct bm_context *)seen;
	struct report *report = NULL;
	const struct bm_sys *sys;

	if (!seen || seen & 1 || !atomic_compare_exchange_strong(slot, &seen, tag))
		return;
	sys = context->sys;
	/* The parent reports its own. */
	if (*context->marker)
		report = report_of(context);
	context->reported = 1;
	atomic_store(slot, 0);
	give_out(sys, report);
}

static void report_all(void)
{
	/* What is made from here on, by others whom exit(3) calls, is for another call. */
	atomic_store(&armed, 0);
	for (size_t i = 0; i < SLOTS; i++)
		report_slot(&slots[i]);
}

void bm_exit_report_begin(struct bm_context *context)
{
	if (!context->config.value[BM_OPTION_STATS])
		return;
	/* Two threads may do this at once: the second call finds nothing to do. */
	if (!atomic_load(&armed) && context->sys->at_exit(report_all) == 0)
		atomic_store(&armed, 1);
	for (size_t i = 0; i < SLOTS; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&slots[i], &none, (uintptr_t)context))
			return;
	}
}

/* 1: it was in a slot; 0: in none; -1: it may be the one that is being read. */
static int take_from_slot(const struct bm_context *context)
{
	uintptr_t tag = tag_of_process(&bm_sys_linux);
	int found = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		uintptr_t seen = (uintptr_t)context;

		if (atomic_compare_exchange_strong(&slots[i], &seen, 0))
			return 1;
		found = seen == tag ? -1 : found;
	}
	return found;
}

void bm_exit_report_end(struct bm_context *context)
{
	int found;

	if (!context->config.value[BM_OPTION_STATS])
		return;
	while ((found = take_from_slot(context)) < 0)
		context->sys->sleep_us(PAUSE_US);
	if (*context->marker && !context->reported)
		give_out(context->sys, report_of(context));
}
