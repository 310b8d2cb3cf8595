/* SPDX-License-Identifier: MIT */
/*
 * load_trial.c - one trial: the set migrates, other threads touch it.
 *
 * Each trial has a context of its own, as a program with this bound would, and
 * begins with an empty pool, which turns that do not count fill.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "team.h"

#define AWAKE_US 100000 /* then the threads have begun, and the CPUs are no longer asleep */

/* CPU time so far, nanoseconds, and when that was. */
struct used {
	double now, touch, library;
};

/*
 * The library's is what the process used and the threads that touch did not.
 * Linux adds up the CPU time of a process as of each thread's last tick; to ask for
 * that of a thread brings it up to date: hence first the threads, then the process.
 */
static struct used used_now(const struct touchers *touchers)
{
	struct used used = {.now = now_ns(), .touch = touchers_cpu_ns(touchers)};
	struct timespec process;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process) < 0)
		die("the clock of the process");
	used.library = (double)process.tv_sec * 1e9 + (double)process.tv_nsec - used.touch;
	return used;
}

static struct used begin(struct touchers *touchers)
{
	touchers_count(touchers, 1);
	return used_now(touchers);
}

static void end(struct touchers *touchers, struct used before, struct observed *observed)
{
	struct used after = used_now(touchers);

	touchers_count(touchers, 0);
	observed->ns = after.now - before.now;
	observed->touch_cpu_ns = after.touch - before.touch;
	observed->library_cpu_ns = after.library - before.library;
}

static void move(const struct load *load, struct mover *mover, const struct region *region,
		 int node, int64_t max_stall_us)
{
	struct bm_range range = {.addr = region->start, .length = region->length, .node = node};
	struct bm_request request;

	request_begin(&request, &load->setup);
	if (load->wish)
		request.flags |= BM_BOUND_WISH;
	request.count = 1;
	request.ranges = &range;
	request.range_size = sizeof(range);
	request.max_stall_us = max_stall_us;
	mover_run(mover, &request, region->length);
}

/* To the other node and back, or to other memory of the only one. */
static void turn(const struct load *load, struct mover *mover, const struct region *region)
{
	move(load, mover, region, load->setup.far, 0);
	if (load->setup.two_nodes)
		move(load, mover, region, load->setup.near, 0);
}

static void migrate(const struct load *load, const struct trial *trial, struct touchers *touchers,
		    struct observed *observed)
{
	const struct mover_options options = {.name = trial->mover,
					      .threads = load->library_threads,
					      .pool_mb = pool_mb_of(&load->setup),
					      .max_stall_us = trial->bound_us};
	const struct region *region = &load->regions[trial->huge];
	struct mover mover;
	struct used before;

	mover_open(&mover, &options);
	for (int i = 0; i < load->warmup; i++)
		turn(load, &mover, region);
	bm_stats_reset(mover.context);
	before = begin(touchers);
	do
		turn(load, &mover, region);
	while (now_ns() - before.now < load->seconds * 1e9);
	end(touchers, before, observed);
	bm_stats_get(mover.context, &observed->stats, sizeof(observed->stats));
	/* What the bound left over there is not the next trial's. */
	if (load->setup.two_nodes && trial->bound_us)
		move(load, &mover, region, load->setup.near, BM_UNBOUNDED);
	mover_close(&mover);
}

static void wait_only(const struct load *load, struct touchers *touchers, struct observed *observed)
{
	struct used before = begin(touchers);

	sleep((unsigned int)load->seconds);
	end(touchers, before, observed);
}

void trial_run(const struct load *load, const struct trial *trial, struct observed *observed)
{
	const struct region *region = &load->regions[trial->huge];
	const struct touch_options options = {.region = region,
					      .count = load->touchers,
					      .cpus = load->setup.cpus,
					      .slow_ns = load->slow_ns,
					      .bound_ns = (uint64_t)trial->bound_us * 1000};
	struct touchers *touchers = touchers_start(&options);

	memset(observed, 0, sizeof(*observed));
	usleep(AWAKE_US);
	if (trial->mover)
		migrate(load, trial, touchers, observed);
	else
		wait_only(load, touchers, observed);
	touchers_stop(touchers, &observed->touches);
	observed->huge_share = region_huge_share(region);
}
