/* SPDX-License-Identifier: MIT */
/*
 * dsa_cost.c - what it costs the CPU to submit and reap copies of 4 KiB.
 *
 * The queue is a dedicated one of the software device, but its portal is a
 * page of memory that gets 64 bytes, and a loop writes the records, as the
 * device would, while nothing is measured. What hardware adds is not in it: a
 * store to the device, and records in a cache farther away. They are written
 * by the same CPU, or, with --flush, are in no cache when they are reaped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "dsa/abi.h"
#include "dsa/dsa.h"
#include "models/dsa.h"
#include "models/dsa_sys.h"

#define COPIES 512u
#define PAGE   4096u
#define ROUNDS 4001u
#define STORES 1024u

static struct {
	_Alignas(64) struct bm_dsa_desc portal[PAGE / 64];
	struct bm_dsa_desc stored[STORES];
	size_t count;
} device;

static int flushes;

/* Both: the page that the CPU writes to, and what the loop below needs of it. */
static void store(uint64_t portal, const void *descriptor)
{
	const struct bm_dsa_desc *desc = descriptor;

	memcpy(&device.portal[portal % PAGE / 64], desc, sizeof(*desc));
	device.stored[device.count++ % STORES] = *desc;
}

static void write_record(uint64_t at)
{
	struct bm_dsa_fields *record = (struct bm_dsa_fields *)(uintptr_t)at;

	atomic_store_explicit(&record->status, BM_DSA_SUCCESS, memory_order_release);
#ifdef __x86_64__
	if (flushes)
		__builtin_ia32_clflush(record);
#endif
}

static void complete(void)
{
	for (size_t i = 0; i < device.count; i++) {
		const struct bm_dsa_desc *desc = &device.stored[i];
		const struct bm_dsa_desc *list = (const void *)(uintptr_t)desc->from;

		for (uint32_t k = 0; desc->command >> 24 == BM_DSA_BATCH && k < desc->size; k++)
			write_record(list[k].record);
		write_record(desc->record);
	}
	device.count = 0;
}

/* As lib/copy.c reaps: some at a time. */
static int run(struct bm_channel *channel, const struct bm_copy *copies)
{
	static double submits[ROUNDS], reaps[ROUNDS], both[ROUNDS];

	for (size_t round = 0; round < ROUNDS; round++) {
		struct bm_copied copied[32];
		size_t back = 0;
		double begin = cost_now(), middle;
		int got = bm_backend_dsa.submit(channel, copies, COPIES);

		submits[round] = (cost_now() - begin) / COPIES;
		if (got != (int)COPIES)
			return -1;
		complete();
		middle = cost_now();
		while (back < COPIES && got > 0) {
			got = bm_backend_dsa.reap(channel, copied, 32);
			back += (size_t)got;
		}
		reaps[round] = (cost_now() - middle) / COPIES;
		both[round] = submits[round] + reaps[round];
		if (back != COPIES)
			return -1;
	}
	printf("| ns         |  least |   10 %% |   50 %% |   90 %% |\n"
	       "| ---------- | -----: | -----: | -----: | -----: |\n");
	cost_print("submit", submits, ROUNDS);
	cost_print("reap", reaps, ROUNDS);
	cost_print("both", both, ROUNDS);
	return 0;
}

int main(int argc, char **argv)
{
	struct dsa_queue_config config = {.size = 64, .max_transfer = 2u << 20, .max_batch = 32};
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B};
	struct dsa *model = dsa_new(&config, 1, DSA_WHEN_RUN, 1);
	struct bm_log log = {.level = BM_LOG_WARN};
	struct bm_sys sys = bm_sys_linux;
	struct bm_backend_env env = {.sys = &sys,
				     .log = &log,
				     .page_size = PAGE,
				     .memory = cost_memory,
				     .memory_end = cost_memory_end};
	static struct bm_copy copies[COPIES];
	struct bm_channel *channel;
	struct bm_engine *engine;
	char *arena = cost_memory(&sys, 2 * (size_t)COPIES * PAGE);
	int rc;

	flushes = argc > 1 && strcmp(argv[1], "--flush") == 0;
	dsa_sys_use(&sys, model, &how);
	sys.movdir64b = store;
	env.dsa_wqs = dsa_sys_names();
	if (!arena || bm_backend_dsa.open(&env, &engine) < 0 ||
	    bm_backend_dsa.chan_open(engine, -1, &channel) < 0)
		return 1;
	for (uint32_t i = 0; i < COPIES; i++)
		copies[i] = (struct bm_copy){arena + (size_t)i * PAGE,
					     arena + (size_t)(COPIES + i) * PAGE, PAGE, i};
	rc = run(channel, copies);
	bm_backend_dsa.chan_close(channel);
	bm_backend_dsa.close(engine);
	dsa_free(model);
	return rc < 0;
}
