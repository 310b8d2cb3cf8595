/* SPDX-License-Identifier: MIT */
/* offload.c - times engine and cpu on memory of their own. */
#include "offload.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 5u
#define SIZES  5u
/*
 * Without a measurement: what the README of DTO gives to Intel DSA. Published
 * measurements of one device (LightDSA, EuroSys 2026, figure 3): 28.5 GB/s for
 * copies of 4 KiB in batches of 32, a core 7.8; alone a copy waits for its answer.
 */
#define PUBLISHED_BYTES (16u << 10)
/* Mapping a run for a device and freeing it again: some 2 us, in which a core copies this. */
#define PUBLISHED_RUN_BYTES (16u << 10)
/* Sharing keeps a core busy: it has to gain a tenth. */
#define SHARED_GAINS(both, alone) ((both) < (alone) / 10 * 9)

/* Two buffers, and a channel of each. */
struct trial {
	struct bm_copier copier;
	char *from, *to;
	size_t size;      /* of a buffer */
	size_t page_size; /* of a copy: pages from anywhere are the usual case */
};

/* Each page, or each `step`-th, of so many bytes. */
static uint64_t time_once(struct trial *trial, size_t size, size_t step)
{
	struct bm_copy copies[BM_COPIES_MOST];
	unsigned char ends[BM_COPIES_MOST];
	size_t count = 0;
	uint64_t begin;

	/* From the end, so that neighbours are not merged on their way. */
	for (size_t at = size; at > 0 && count < BM_COPIES_MOST; at -= step * trial->page_size)
		copies[count++] = (struct bm_copy){.to = trial->to + at - trial->page_size,
						   .from = trial->from + at - trial->page_size,
						   .length = trial->page_size};
	begin = trial->copier.sys->now_ns();
	bm_copy_all(&trial->copier, copies, count, ends);
	return trial->copier.sys->now_ns() - begin;
}

/* The least of some rounds. */
static uint64_t time_size(struct trial *trial, size_t size, size_t step)
{
	uint64_t best = UINT64_MAX;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t took = time_once(trial, size, step);

		best = took < best ? took : best;
	}
	return best;
}

size_t bm_offload_least(const size_t *sizes, const uint64_t *engine_ns, const uint64_t *cpu_ns,
			size_t count)
{
	size_t least = SIZE_MAX;

	while (count-- > 0 && engine_ns[count] <= cpu_ns[count])
		least = sizes[count];
	return least;
}

/* Otherwise it was the cpu that was timed. */
static int has_copied(const struct trial *trial)
{
	return !trial->copier.silent && !trial->copier.has_failed;
}

/* How many copies are one batch: the least number that is hardly slower than a larger one. */
static void choose_batch(struct trial *trial, struct bm_engine_slot *slot)
{
	static const uint32_t sizes[] = {64, 32, 16, 8};
	uint64_t best = UINT64_MAX;
	uint32_t chosen = 0;

	if (!slot->backend->batch || !slot->backend->batch(slot->engine, 0))
		return;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t took;

		slot->backend->batch(slot->engine, sizes[i]);
		took = time_size(trial, trial->size, 1);
		if (took > best + best / 32)
			continue;
		best = took < best ? took : best;
		chosen = sizes[i];
	}
	if (!has_copied(trial))
		chosen = 0;
	slot->backend->batch(slot->engine, chosen);
	slot->batch = chosen;
}

/*
 * What the cpu copies in the time that one more run of pages costs: as many
 * pages once together, and once with others between them.
 */
static size_t measure_run(struct trial *trial, uint64_t cpu_ns)
{
	uint64_t together = time_size(trial, trial->size / 2, 1);
	uint64_t apart = time_size(trial, trial->size, 2);
	uint64_t more = 2 * (trial->size / 2 / trial->page_size - 1);

	return apart > together && cpu_ns ? (apart - together) * trial->size / cpu_ns / more : 0;
}

static void measure(struct trial *trial, struct bm_engine_slot *slot, const struct bm_engines *all)
{
	uint64_t engine_ns[SIZES], cpu_ns[SIZES], both_ns;
	size_t sizes[SIZES];

	trial->copier.least = 0;
	choose_batch(trial, slot);
	for (size_t i = 0; i < SIZES; i++) {
		sizes[i] = trial->size >> 2 * (SIZES - 1 - i);
		trial->copier.least = SIZE_MAX;
		cpu_ns[i] = time_size(trial, sizes[i], 1);
		trial->copier.least = 0;
		engine_ns[i] = time_size(trial, sizes[i], 1);
	}
	if (slot->run_bytes)
		slot->run_bytes = measure_run(trial, cpu_ns[SIZES - 1]);
	trial->copier.shares = 1;
	both_ns = time_size(trial, sizes[SIZES - 1], 1);
	if (!has_copied(trial))
		return;
	slot->is_measured = 1;
	if (all->least == 0)
		slot->least = bm_offload_least(sizes, engine_ns, cpu_ns, SIZES);
	if (all->share == BM_SHARE_AUTO)
		slot->shares = SHARED_GAINS(both_ns, engine_ns[SIZES - 1]);
}

static int open_channels(struct bm_engines *engines, const struct bm_use *use, struct trial *trial)
{
	const struct bm_engine_slot *main = &engines->slots[use->main];
	const struct bm_engine_slot *cpu = &engines->slots[use->cpu];

	trial->copier = (struct bm_copier){.sys = engines->env.sys,
					   .backend = main->backend,
					   .cpu = cpu->backend,
					   .node = -1,
					   .patience_ns = engines->patience_ns};
	if (main->backend->chan_open(main->engine, -1, &trial->copier.channel) < 0)
		return -1;
	if (cpu->backend->chan_open(cpu->engine, -1, &trial->copier.cpu_channel) == 0)
		return 0;
	main->backend->chan_close(trial->copier.channel);
	return -1;
}

/* 1 when one that did not answer is known to write no more. */
static int is_settled(struct bm_copier *copier)
{
	return copier->backend->settle && copier->backend->settle(copier->channel) == 1;
}

/* One that is silent may still write: its channel and the memory are left to it. */
static void run_trial(struct bm_engines *engines, const struct bm_use *use)
{
	const struct bm_backend_env *env = &engines->env;
	struct bm_engine_slot *slot = &engines->slots[use->main];
	struct trial trial = {.page_size = env->page_size};

	trial.size = BM_COPIES_MOST * trial.page_size;
	trial.from = env->memory(env->sys, 2 * trial.size);
	if (!trial.from)
		return;
	trial.to = trial.from + trial.size;
	memset(trial.from, 1, 2 * trial.size);
	if (open_channels(engines, use, &trial) == 0) {
		measure(&trial, slot, engines);
		trial.copier.cpu->chan_close(trial.copier.cpu_channel);
		slot->is_silent = trial.copier.silent && !is_settled(&trial.copier);
		if (!slot->is_silent)
			trial.copier.backend->chan_close(trial.copier.channel);
	}
	if (!slot->is_silent)
		env->memory_end(env->sys, trial.from, 2 * trial.size);
}

static void tell(const struct bm_engines *engines, const struct bm_engine_slot *slot)
{
	const struct bm_log *log = engines->env.log;
	const char *name = slot->backend->name;
	char batch[32] = "";

	if (slot->batch)
		snprintf(batch, sizeof(batch), ", %u in a batch", slot->batch);
	if (slot->is_silent)
		bm_log(log, BM_LOG_WARN, "backend %s did not answer within %llu ms: the cpu copies",
		       name, (unsigned long long)engines->patience_ns / 1000000);
	else if (slot->least == SIZE_MAX)
		bm_log(log, BM_LOG_INFO, "backend %s is slower than the cpu: not used", name);
	else
		bm_log(log, BM_LOG_INFO, "backend %s copies chunks from %zu KiB on (%s)%s%s", name,
		       slot->least >> 10,
		       engines->least      ? "as asked for"
		       : slot->is_measured ? "measured"
					   : "published, not measured",
		       batch, slot->shares ? ", the cpu a part of them" : "");
}

static size_t published(const struct bm_engine_slot *slot)
{
	return slot->backend->published ? slot->backend->published(slot->engine) : PUBLISHED_BYTES;
}

void bm_offload_decide(struct bm_engines *engines, const struct bm_use *use)
{
	struct bm_engine_slot *slot = &engines->slots[use->main];

	if (slot->least)
		return;
	slot->least = engines->least ? engines->least : published(slot);
	slot->run_bytes = engines->least || !slot->backend->pin ? 0 : PUBLISHED_RUN_BYTES;
	slot->shares = engines->share == BM_SHARE_ON;
	if (engines->least == 0 || engines->share == BM_SHARE_AUTO)
		run_trial(engines, use);
	tell(engines, slot);
}
