/* SPDX-License-Identifier: MIT */
/* progress.c - prints to standard error, not more often than one can read. */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR         30
#define TERMINAL_NS 100000000u
#define LINE_NS     2000000000u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_start(struct progress *progress, int shown, uint64_t total)
{
	/* With nothing to move there is nothing to show. */
	*progress = (struct progress){.shown = shown && total,
				      .is_terminal = isatty(STDERR_FILENO),
				      .total = total,
				      .start_ns = now_ns()};
	progress->last_ns = progress->start_ns;
}

static void print(const struct progress *progress, uint64_t done, uint64_t now)
{
	static const char full[BAR + 1] = "##############################";
	double share = (double)done / (double)progress->total;
	double seconds = (double)(now - progress->start_ns) / 1e9;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	double left = rate > 0 ? (double)(progress->total - done) / rate : 0;

	share = share > 1 ? 1 : share;
	if (progress->is_terminal)
		fprintf(stderr, "\r[%-*.*s] %3.0f %%  %7.1f MB/s  %4.0f s left ", BAR,
			(int)(share * BAR), full, share * 100, rate / 1e6, left);
	else
		fprintf(stderr, "%.0f %% of %.1f MiB, %.1f MB/s, %.0f s left\n", share * 100,
			(double)progress->total / 1048576, rate / 1e6, left);
}

void progress_show(struct progress *progress, uint64_t done)
{
	uint64_t now = now_ns();

	if (!progress->shown ||
	    now - progress->last_ns < (progress->is_terminal ? TERMINAL_NS : LINE_NS))
		return;
	progress->last_ns = now;
	print(progress, done < progress->total ? done : progress->total, now);
}

double progress_end(struct progress *progress, uint64_t done)
{
	uint64_t now = now_ns();

	if (progress->shown)
		print(progress, done < progress->total ? done : progress->total, now);
	if (progress->shown && progress->is_terminal)
		fputc('\n', stderr);
	return (double)(now - progress->start_ns) / 1e9;
}
