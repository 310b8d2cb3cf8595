/* SPDX-License-Identifier: MIT */
/* swap_detail.c - the cases that look inside: chunks and windows, interrupts, phases. */
#include "histogram.h"
#include "interrupts.h"
#include "swap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_KB_MIN 64
#define CHUNK_KB_MAX 2048
#define CHUNKS       6

/* ----------------------------------------------------------------- chunks */

static void contest_chunks(struct stage *stage, struct mover *movers, int with_accessor)
{
	struct histogram *histograms[CHUNKS] = {NULL};
	struct contest contest;
	char name[40];

	contest_begin(&contest, "chunks", stage);
	snprintf(contest.detail, sizeof(contest.detail), "%s",
		 with_accessor ? "a thread touches the pages" : "undisturbed");
	if (with_accessor)
		stage->accessor = accessor_start(&stage->live);
	for (int i = 0; i < CHUNKS; i++) {
		struct entrant *entrant;

		snprintf(name, sizeof(name), "%s, %d KiB", stage->setup->mover, CHUNK_KB_MIN << i);
		entrant = contest_mover(&contest, name, &movers[i]);
		if (with_accessor)
			entrant->histogram = histograms[i] = histogram_new();
	}
	contest_copy(&contest, "plain nt", copy_plain);
	contest_run(&contest);
	if (with_accessor)
		accessor_stop(stage->accessor);
	stage->accessor = NULL;
	for (int i = 0; i < CHUNKS; i++)
		free(histograms[i]);
}

static void chunks_of(const struct setup *setup, enum frames frames)
{
	struct mover movers[CHUNKS];
	struct stage stage;

	stage_open(&stage, setup, frames);
	for (int i = 0; i < setup->thread_counts; i++) {
		/* The thread that touches them wants a CPU of its own. */
		int room = setup->threads[i] < setup->cpus;

		stage.threads = setup->threads[i];
		for (int k = 0; k < CHUNKS; k++) {
			const struct mover_options options = {.name = setup->mover,
							      .threads = stage.threads,
							      .chunk_kb = CHUNK_KB_MIN << k,
							      .pool_mb = pool_mb(setup)};

			mover_open(&movers[k], &options);
		}
		contest_chunks(&stage, movers, 0);
		if (room)
			contest_chunks(&stage, movers, 1);
		for (int k = 0; k < CHUNKS; k++)
			mover_close(&movers[k]);
		bm_quiesce();
	}
	stage_close(&stage);
}

/* Between two nodes each of the movers has a pool for all that moves: less of it then. */
void case_chunks(const struct setup *setup)
{
	struct setup less = *setup;

	_Static_assert(CHUNK_KB_MIN << (CHUNKS - 1) == CHUNK_KB_MAX, "CHUNKS of them");
	if (setup->two_nodes)
		less.mb = setup->mb >= 16 ? setup->mb / 4 : setup->mb;
	chunks_of(&less, FRAMES_IN_ORDER);
}

/* ------------------------------------------------------------- interrupts */

static void *spin(void *stop)
{
	while (!atomic_load_explicit((atomic_int *)stop, memory_order_relaxed))
		;
	return NULL;
}

static void count_interrupts(struct entrant *entrant, const char *detail)
{
	struct stage *stage = entrant->stage;
	const struct setup *setup = stage->setup;
	struct result result = {.name = "interrupts",
				.detail = detail,
				.competitor = entrant->name,
				.unit = "TLB interrupts/2 MiB",
				.threads = stage->threads,
				.less_is_better = 1};
	double *counts = malloc((size_t)setup->rounds * sizeof(*counts));
	double units = (double)stage_bytes(stage) / (2 << 20);

	if (!counts)
		die("memory for the counts");
	entrant->run(entrant);
	if (entrant->mover)
		mover_reset(entrant->mover);
	for (int i = 0; i < setup->rounds; i++) {
		double before = bench_tlb_interrupts();

		entrant->run(entrant);
		counts[i] = (bench_tlb_interrupts() - before) / units;
	}
	result_numbers(&result, counts, setup->rounds);
	if (entrant->mover)
		result_mover(&result, entrant->mover, stage);
	stage_check(stage, "interrupts", 0);
	free(counts);
	output_add(setup, &result);
}

static void interrupts_of(const struct setup *setup, enum frames frames, const char *detail)
{
	struct entrant library = {.run = run_mover}, kernel = {.run = run_move_pages};
	struct mover_options options = {.name = setup->mover, .pool_mb = pool_mb(setup)};
	struct mover mover;
	struct stage stage;

	stage_open(&stage, setup, frames);
	library.stage = kernel.stage = &stage;
	library.mover = &mover;
	snprintf(library.name, sizeof(library.name), "%s", setup->mover);
	snprintf(kernel.name, sizeof(kernel.name), "move_pages");
	for (int i = 0; i < setup->thread_counts; i++) {
		stage.threads = options.threads = setup->threads[i];
		mover_open(&mover, &options);
		count_interrupts(&library, detail);
		if (setup->two_nodes)
			count_interrupts(&kernel, detail);
		mover_close(&mover);
		bm_quiesce();
	}
	stage_close(&stage);
}

/* A CPU that runs no thread of the process needs no interrupt: all others are kept busy. */
void case_interrupts(const struct setup *setup)
{
	int siblings = setup->cpus > 1 ? setup->cpus - 1 : 1;
	pthread_t threads[THREADS_MAX];
	atomic_int stop = 0;

	if (bench_tlb_interrupts() < 0) {
		fprintf(stderr, "interrupts: no line TLB in /proc/interrupts here\n");
		return;
	}
	if (siblings > THREADS_MAX)
		siblings = THREADS_MAX;
	for (int i = 0; i < siblings; i++)
		if (pthread_create(&threads[i], NULL, spin, &stop) != 0)
			die("thread");
	interrupts_of(setup, FRAMES_IN_ORDER, "base pages");
	if (setup->huge_size)
		interrupts_of(setup, FRAMES_HUGE, "huge pages");
	atomic_store(&stop, 1);
	for (int i = 0; i < siblings; i++)
		pthread_join(threads[i], NULL);
}

/* ----------------------------------------------------------------- phases */

#define PHASES 5

static void measure_phases(struct entrant *entrant)
{
	static const char *const names[PHASES] = {"plan", "classify", "move", "verify", "whole"};
	struct stage *stage = entrant->stage;
	const struct setup *setup = stage->setup;
	double *times = calloc((size_t)setup->rounds * PHASES, sizeof(*times));

	if (!times)
		die("memory for the times");
	entrant->run(entrant);
	mover_reset(entrant->mover);
	for (int round = 0; round < setup->rounds; round++) {
		double count = (double)stage->count;

		times[4 * setup->rounds + round] =
			entrant->run(entrant) / count / (setup->two_nodes ? 2 : 1);
		for (int i = 0; i < 4; i++)
			times[i * setup->rounds + round] =
				(double)entrant->mover->ns_phase[i] / count;
	}
	for (int i = 0; i < PHASES; i++) {
		struct result result = {.name = "phases",
					.detail = names[i],
					.competitor = entrant->name,
					.unit = "ns/page",
					.threads = stage->threads,
					.less_is_better = 1};

		result_numbers(&result, times + i * setup->rounds, setup->rounds);
		if (i == 4)
			result_mover(&result, entrant->mover, stage);
		output_add(setup, &result);
	}
	stage_check(stage, "phases", 0);
	free(times);
}

void case_phases(const struct setup *setup)
{
	struct mover_options options = {.name = setup->mover, .pool_mb = pool_mb(setup)};
	struct entrant entrant = {.run = run_mover};
	struct mover mover;
	struct stage stage;

	stage_open(&stage, setup, FRAMES_IN_ORDER);
	entrant.stage = &stage;
	entrant.mover = &mover;
	snprintf(entrant.name, sizeof(entrant.name), "%s", setup->mover);
	for (int i = 0; i < setup->thread_counts; i++) {
		stage.threads = options.threads = setup->threads[i];
		mover_open(&mover, &options);
		measure_phases(&entrant);
		mover_close(&mover);
		bm_quiesce();
	}
	stage_close(&stage);
}
