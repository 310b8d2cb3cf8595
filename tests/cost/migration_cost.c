/* SPDX-License-Identifier: MIT */
/*
 * migration_cost.c - CPU time of whole migrations on one node (BM_REPLACE): the
 * backend cpu against dsa with a device that says at once that all is copied,
 * and copies nothing. What is left is what the library and the kernel do.
 *
 * One thread; rounds of both in turn.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "batchmig.h"
#include "context.h"
#include "dsa/abi.h"
#include "models/dsa.h"
#include "models/dsa_sys.h"

#define HUGE   (2ul << 20)
#define BYTES  (512ul << 20)
#define ROUNDS 15
#define MOST   (BYTES / 4096)

static void write_record(uint64_t at)
{
	struct bm_dsa_fields *record = (struct bm_dsa_fields *)(uintptr_t)at;

	atomic_store_explicit(&record->status, BM_DSA_SUCCESS, memory_order_release);
}

/* In place of the instruction: the device is done before it returns. */
static void complete(uint64_t portal, const void *descriptor)
{
	const struct bm_dsa_desc *desc = descriptor;
	const struct bm_dsa_desc *list = (const void *)(uintptr_t)desc->from;

	(void)portal;
	for (uint32_t k = 0; desc->command >> 24 == BM_DSA_BATCH && k < desc->size; k++)
		write_record(list[k].record);
	write_record(desc->record);
}

static struct {
	char *start;
	void *pages[MOST];
	int nodes[MOST], status[MOST];
	size_t count; /* of a huge page one is named */
} area;

static void area_new(int huge)
{
	char *at = mmap(NULL, BYTES + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

	if (at == MAP_FAILED)
		abort();
	area.start = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	madvise(area.start, BYTES, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(area.start, 1, BYTES);
	area.count = huge ? BYTES / HUGE : MOST;
	for (size_t i = 0; i < area.count; i++)
		area.pages[i] = area.start + i * (BYTES / area.count);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* CPU time for each 4 KiB, ns; all must have been swapped. */
static double migrate(struct bm_context *context)
{
	struct bm_request request;
	struct bm_report report;
	struct bm_batch *batch;
	double begin = cpu_ns(), took;

	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | BM_REPLACE;
	request.mover = "swap";
	request.count = area.count;
	request.pages = area.pages;
	request.nodes = area.nodes;
	request.status = area.status;
	if (bm_submit(context, &request, &batch) < 0 || bm_batch_wait(batch, BM_FOREVER) < 0)
		abort();
	took = cpu_ns() - begin;
	bm_batch_report(batch, &report, sizeof(report));
	bm_batch_free(batch);
	if (report.bytes_swapped != BYTES)
		fprintf(stderr, "only %llu MiB were swapped\n",
			(unsigned long long)report.bytes_swapped >> 20);
	return took / MOST;
}

static struct bm_context *context_of(const struct bm_sys *sys, const char *backend)
{
	struct bm_context *context;
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.backend = backend;
	options.threads = 1;
	options.engine_wait = "poll";
	options.dsa_wqs = dsa_sys_names();
	options.log_level = "warn";
	if (bm_context_create(sys, &options, &context) < 0)
		exit(1);
	return context;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void race(const struct bm_sys *sys, int huge)
{
	struct bm_context *cpu = context_of(sys, "cpu"), *dsa = context_of(sys, "dsa");
	double ns[2][ROUNDS], ratio[ROUNDS];

	area_new(huge);
	for (int round = -2; round < ROUNDS; round++) {
		double by_cpu = migrate(cpu), by_dsa = migrate(dsa);

		if (round < 0)
			continue;
		ns[0][round] = by_cpu;
		ns[1][round] = by_dsa;
		ratio[round] = by_dsa / by_cpu;
	}
	qsort(ns[0], ROUNDS, sizeof(double), compare);
	qsort(ns[1], ROUNDS, sizeof(double), compare);
	qsort(ratio, ROUNDS, sizeof(double), compare);
	printf("| %-5s | %6.0f | %6.0f | %.2f (%.2f to %.2f) |\n", huge ? "2 MiB" : "4 KiB",
	       ns[0][ROUNDS / 2], ns[1][ROUNDS / 2], ratio[ROUNDS / 2], ratio[0],
	       ratio[ROUNDS - 1]);
	bm_context_free(cpu);
	bm_context_free(dsa);
	munmap(area.start, BYTES);
}

int main(void)
{
	struct dsa_queue_config config = {.size = 64, .max_transfer = 2u << 20, .max_batch = 32};
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B};
	struct bm_sys sys = bm_sys_linux;

	dsa_sys_use(&sys, dsa_new(&config, 1, DSA_WHEN_RUN, 1), &how);
	sys.movdir64b = complete;
	printf("| pages | cpu, ns for 4 KiB | instant engine | ratio (least to most) |\n"
	       "| ----- | ----------------: | -------------: | --------------------- |\n");
	race(&sys, 0);
	race(&sys, 1);
	return 0;
}
