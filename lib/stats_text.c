/* SPDX-License-Identifier: MIT */
/* stats_text.c - formats sums: one line for each thing, aligned. */
#include "stats_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "least.h"

#define LABEL "batchmig:   %-9s "
#define COUNT "%12llu"

typedef unsigned long long count_t;

struct text {
	char *start;
	size_t used, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->start + text->used, room, format, args);
	va_end(args);
	if (length > 0 && room > 0)
		text->used += bm_least((size_t)length, room - 1);
}

/* ---------------------------------------------------------------- units */

struct amount {
	char text[24];
};

/* Three digits tell enough; `step` of a unit are one of the next. */
static struct amount scaled(double value, double step, const char *const *units)
{
	struct amount amount;

	while (value >= step && units[1]) {
		value /= step;
		units++;
	}
	snprintf(amount.text, sizeof(amount.text), "%.*f %s",
		 value >= 100 || value == (double)(uint64_t)value ? 0 : 1, value, *units);
	return amount;
}

static struct amount bytes(uint64_t value)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", NULL};

	return scaled((double)value, 1024, units);
}

static struct amount duration(uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s", NULL};

	return scaled((double)ns, 1000, units);
}

/* ---------------------------------------------------------------- lines */

static void add_pages(struct text *text, const struct bm_tally *tally)
{
	add(text,
	    LABEL COUNT " moved, %llu already there, %llu not; %llu asked for, %llu retried\n",
	    "pages", (count_t)tally->moved, (count_t)tally->already, (count_t)tally->failed,
	    (count_t)tally->pages, (count_t)tally->retried);
	for (size_t i = 0; i < BM_ERRNO_SLOTS && tally->by_errno[i].pages; i++) {
		const struct bm_errno_count *slot = &tally->by_errno[i];

		add(text, LABEL COUNT " errno %d: %s\n", "not moved", (count_t)slot->pages,
		    slot->error, slot->error ? bm_error_text(slot->error) : "on another node");
	}
}

/* Bytes in a nanosecond are gigabytes in a second. */
static void add_bytes(struct text *text, const struct bm_stats *stats)
{
	add(text, LABEL "%s moved", "bytes", bytes(stats->bytes_moved).text);
	if (stats->ns_move)
		add(text, " at %.2f GB/s", (double)stats->bytes_moved / (double)stats->ns_move);
	add(text, ", %s of them by swap", bytes(stats->bytes_swapped).text);
	if (stats->bytes_offloaded)
		add(text, ", %s copied by a device", bytes(stats->bytes_offloaded).text);
	add(text, "; %s asked for\n", bytes(stats->bytes_asked).text);
}

static void add_times(struct text *text, const struct bm_stats *stats)
{
	add(text, LABEL "%s to move, %s to plan, %s to look before, %s after\n", "time",
	    duration(stats->ns_move).text, duration(stats->ns_plan).text,
	    duration(stats->ns_classify).text, duration(stats->ns_verify).text);
	add(text, LABEL COUNT " of the kernel that move", "calls", (count_t)stats->kernel_calls);
	if (stats->ns_call_max)
		add(text, ", the longest %s", duration(stats->ns_call_max).text);
	add(text, "\n");
}

static void add_windows(struct text *text, const struct bm_stats *stats)
{
	if (stats->windows == 0)
		return;
	add(text, LABEL COUNT " out of reach, %s each", "windows", (count_t)stats->windows,
	    duration(stats->ns_window / stats->windows).text);
	if (stats->ns_window_p50)
		add(text, ", 50 %% within %s, 99 %% %s, 99.9 %% %s",
		    duration(stats->ns_window_p50).text, duration(stats->ns_window_p99).text,
		    duration(stats->ns_window_p999).text);
	add(text, ", the longest %s; %llu late, %llu preempted\n",
	    duration(stats->ns_window_max).text, (count_t)stats->windows_late,
	    (count_t)stats->windows_preempted);
}

static void add_reasons(struct text *text, const struct bm_stats *stats)
{
	for (int i = 0; i < BM_REASON_COUNT; i++) {
		if (stats->reasons[i])
			add(text, LABEL COUNT " %s: %s\n", "reason", (count_t)stats->reasons[i],
			    bm_reason_name(i), bm_reason_text(i));
	}
}

static void add_pool(struct text *text, const struct bm_pool_stats *pool)
{
	add(text, LABEL "node %d: %s in base pages, %s in huge ones, at most %s;", "pool",
	    pool->node, bytes(pool->base_bytes).text, bytes(pool->huge_bytes).text,
	    bytes(pool->most_bytes).text);
	add(text, " %s recycled, %s populated, %s released\n", bytes(pool->recycled).text,
	    bytes(pool->populated).text, bytes(pool->released).text);
}

size_t bm_stats_text(const struct bm_stats_view *view, char *buffer, size_t size)
{
	struct text text = {.start = buffer, .size = size};

	add(&text, "batchmig: process %d: %llu %s\n", (int)view->pid, (count_t)view->stats.calls,
	    view->stats.calls == 1 ? "batch" : "batches");
	add_pages(&text, &view->stats.tally);
	add_bytes(&text, &view->stats);
	add_times(&text, &view->stats);
	add_windows(&text, &view->stats);
	add_reasons(&text, &view->stats);
	for (size_t i = 0; i < view->pool_count; i++)
		add_pool(&text, &view->pools[i]);
	return text.used;
}

void bm_stats_path(const char *name, pid_t pid, char *buffer, size_t size)
{
	struct text text = {.start = buffer, .size = size};
	const char *found;

	buffer[0] = '\0';
	while ((found = strstr(name, "%p"))) {
		add(&text, "%.*s%d", (int)(found - name), name, (int)pid);
		name = found + 2;
	}
	add(&text, "%s", name);
}
