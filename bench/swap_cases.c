/* SPDX-License-Identifier: MIT */
/* swap_cases.c - the cases that are about throughput: base, huge, oneway, sizes, sparse. */
#include "swap.h"

#include <stdio.h>

/* Room for all that moves, and some for what is under way. */
int64_t pool_mb(const struct setup *setup)
{
	return (int64_t)setup->mb + 64;
}

static void open_mover(struct mover *mover, const struct setup *setup, const char *name,
		       int threads)
{
	const struct mover_options options = {
		.name = name, .threads = threads, .pool_mb = pool_mb(setup)};

	mover_open(mover, &options);
}

static void close_mover(struct mover *mover)
{
	mover_close(mover);
	bm_quiesce();
}

/* The library, plain copies and the kernel, for each number of threads. */
static void compare(const char *name, const char *detail, struct stage *stage)
{
	const struct setup *setup = stage->setup;
	struct contest contest;
	struct mover mover;

	for (int i = 0; i < setup->thread_counts; i++) {
		stage->threads = setup->threads[i];
		open_mover(&mover, setup, setup->mover, stage->threads);
		contest_begin(&contest, name, stage);
		snprintf(contest.detail, sizeof(contest.detail), "%s", detail);
		contest_mover(&contest, setup->mover, &mover);
		contest_copy(&contest, "plain nt", copy_plain);
		contest_copy(&contest, "memcpy", copy_memcpy);
		contest_move_pages(&contest);
		contest_run(&contest);
		close_mover(&mover);
	}
}

void case_base(const struct setup *setup)
{
	static const char *const details[] = {"contiguous frames", "scattered frames"};
	struct stage stage;

	for (int i = 0; i < 2; i++) {
		stage_open(&stage, setup, i ? FRAMES_SCATTERED : FRAMES_IN_ORDER);
		compare("base", details[i], &stage);
		stage_close(&stage);
	}
}

static int no_huge_pages(const struct setup *setup)
{
	if (setup->huge_size && setup->huge_size <= setup->mb << 20)
		return 0;
	fprintf(stderr, "huge: no huge pages here, or none fits into --mb\n");
	return 1;
}

void case_huge(const struct setup *setup)
{
	struct stage stage;

	if (no_huge_pages(setup))
		return;
	stage_open(&stage, setup, FRAMES_HUGE);
	compare("huge", "every page named", &stage);
	stage_entries(&stage, setup->huge_size / setup->page_size, setup->huge_size,
		      stage.live.length / setup->huge_size);
	compare("huge", "one entry each", &stage);
	stage_close(&stage);
}

/*
 * With one node even an empty pool fills within a batch, by what the batch
 * itself replaces: there the second entrant keeps nothing at all.
 */
static void oneway(const char *detail, struct stage *stage)
{
	const struct setup *setup = stage->setup;
	struct mover_options options = {.name = setup->mover};
	struct mover mover, none;
	struct contest contest;
	char name[40];

	snprintf(name, sizeof(name), "%s, pool_mb 0", setup->mover);
	for (int i = 0; i < setup->thread_counts; i++) {
		stage->threads = options.threads = setup->threads[i];
		options.pool_mb = pool_mb(setup);
		mover_open(&mover, &options);
		options.pool_mb = 0;
		mover_open(&none, &options);
		contest_begin(&contest, "oneway", stage);
		snprintf(contest.detail, sizeof(contest.detail), "%s", detail);
		contest_mover(&contest, setup->mover, &mover)->quiesce = 1;
		contest_mover(&contest, name, &none)->quiesce = 1;
		contest_copy(&contest, "plain nt", copy_plain);
		contest_copy(&contest, "populate + nt", copy_populate);
		contest_move_pages(&contest);
		contest_run(&contest);
		mover_close(&none);
		close_mover(&mover);
	}
}

void case_oneway(const struct setup *setup)
{
	struct stage stage;

	stage_open(&stage, setup, FRAMES_IN_ORDER);
	oneway("base pages", &stage);
	stage_close(&stage);
	if (no_huge_pages(setup))
		return;
	stage_open(&stage, setup, FRAMES_HUGE);
	oneway("huge pages", &stage);
	stage_close(&stage);
}

/* Short batches: so many in a round that it lasts, each of pages of its own. */
#define LASTING      1024
#define THREAD_PAGES 4096 /* fewer are one thread's work */

static void compare_size(struct stage *stage, size_t pages)
{
	const struct setup *setup = stage->setup;
	size_t all = stage->live.length / setup->page_size;
	struct contest contest;
	struct mover mover;

	for (int i = 0; i < setup->thread_counts; i++) {
		if (pages > all || (setup->threads[i] > 1 && pages < THREAD_PAGES))
			continue;
		stage->threads = setup->threads[i];
		stage_entries(stage, 1, setup->page_size, pages);
		stage->repeats = pages < LASTING ? LASTING / pages : 1;
		if (stage->repeats * pages > all)
			stage->repeats = all / pages;
		open_mover(&mover, setup, setup->mover, stage->threads);
		contest_begin(&contest, "sizes", stage);
		snprintf(contest.detail, sizeof(contest.detail), "%zu pages", pages);
		contest_mover(&contest, setup->mover, &mover);
		contest_copy(&contest, "plain nt", copy_plain);
		contest_copy(&contest, "memcpy", copy_memcpy);
		contest_move_pages(&contest);
		contest_run(&contest);
		close_mover(&mover);
	}
}

void case_sizes(const struct setup *setup)
{
	static const size_t sizes[] = {1, 8, 64, 512, 4096, 65536};
	struct stage stage;

	stage_open(&stage, setup, FRAMES_IN_ORDER);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		compare_size(&stage, sizes[i]);
	stage_close(&stage);
}

static void compare_sparse(struct stage *stage, size_t stride)
{
	const struct setup *setup = stage->setup;
	struct mover mover, chooser;
	struct contest contest;

	for (int i = 0; i < setup->thread_counts; i++) {
		stage->threads = setup->threads[i];
		stage_entries(stage, stride, setup->page_size,
			      stage->live.length / setup->page_size / stride);
		open_mover(&mover, setup, setup->mover, stage->threads);
		open_mover(&chooser, setup, "auto", stage->threads);
		contest_begin(&contest, "sparse", stage);
		snprintf(contest.detail, sizeof(contest.detail), "one page of %zu", stride);
		contest_mover(&contest, setup->mover, &mover);
		contest_mover(&contest, "auto", &chooser);
		contest_copy(&contest, "plain nt", copy_plain);
		contest_move_pages(&contest);
		contest_run(&contest);
		mover_close(&chooser);
		close_mover(&mover);
	}
}

void case_sparse(const struct setup *setup)
{
	struct stage stage;

	stage_open(&stage, setup, FRAMES_IN_ORDER);
	compare_sparse(&stage, 2);
	compare_sparse(&stage, 8);
	stage_close(&stage);
}
