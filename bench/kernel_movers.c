/* SPDX-License-Identifier: MIT */
/*
 * kernel_movers.c - what the kernel movers cost beside a plain move_pages(2) loop.
 *
 * For each case the same pages go from the first to the second node by one
 * plain call and by bm_migrate_batch(), in alternating rounds. Under the
 * instruction-counting clock of the rig (tests/vm/run --icount) one nanosecond
 * is one instruction; elsewhere the times are times. With --interrupts it
 * counts instead by how many interrupts TLBs were flushed while another
 * thread of the process runs: what a flush costs does not show in instructions.
 * With --call-pages it compares lengths of a kernel call instead. A word, as
 * in "kernel_movers hole", chooses the cases that have it in their name.
 */
#include <batchmig.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <numa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "interrupts.h"

#define ROUNDS              3
#define SMALL_ROUNDS        21 /* of batches so short that a timer interrupt shows */
#define SMALL               512
#define INTERRUPT_PAGES_MAX 70000u
#define HUGE                (2ul << 20)

#define SPARSE_EVERY 64 /* of so many entries in a row */
#define SPARSE_PAGES 8  /* so many exist */

enum layout { BASE_PAGES, HUGE_PAGES, INTERLEAVED, HOLES, SPARSE, LOCAL_HALF };

struct scenario {
	const char *name;
	enum layout layout;
	size_t pages;   /* entries */
	int every_page; /* HUGE_PAGES: 512 entries for each instead of one */
};

static const struct scenario scenarios[] = {
	{"1 page", BASE_PAGES, 1, 0},
	{"16 pages", BASE_PAGES, 16, 0},
	{"512 pages", BASE_PAGES, 512, 0},
	{"4096 pages", BASE_PAGES, 4096, 0},
	{"262144 pages", BASE_PAGES, 262144, 0},
	{"64 THPs, one entry each", HUGE_PAGES, 64, 0},
	{"64 THPs, all their pages", HUGE_PAGES, 64 * 512, 1},
	{"16384 pages, targets alternate", INTERLEAVED, 16384, 0},
	{"16384 entries, every other a hole", HOLES, 16384, 0},
	{"65536 entries, 8 of 64 exist", SPARSE, 65536, 0},
	{"16384 pages, every other there", LOCAL_HALF, 16384, 0},
};

struct batch {
	char *memory;
	size_t length;
	size_t count;
	void **pages;
	int *nodes;
	int *status;
};

static int near_node, far_node;
static size_t page_size;
static double (*measure)(void);
static struct bm_context *context; /* NULL: the default one */

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long plain(size_t count, void **pages, const int *nodes, int *status)
{
	return syscall(SYS_move_pages, 0, count, pages, nodes, status, MPOL_MF_MOVE);
}

static int exists(const struct scenario *scenario, size_t i)
{
	if (scenario->layout == HOLES)
		return i % 2 == 0;
	return scenario->layout != SPARSE || i % SPARSE_EVERY < SPARSE_PAGES;
}

/* Fresh memory on the near node; what a scenario wants elsewhere is put there. */
static void build(const struct scenario *scenario, struct batch *batch)
{
	int huge = scenario->layout == HUGE_PAGES;
	size_t step = huge && !scenario->every_page ? HUGE : page_size;

	batch->count = scenario->pages;
	batch->length = scenario->pages * step + HUGE;
	batch->memory = mmap(NULL, batch->length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	batch->pages = malloc(batch->count * sizeof(*batch->pages));
	batch->nodes = malloc(batch->count * sizeof(*batch->nodes));
	batch->status = malloc(batch->count * sizeof(*batch->status));
	if (batch->memory == MAP_FAILED || !batch->pages || !batch->nodes || !batch->status)
		die("memory");
	madvise(batch->memory, batch->length, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < batch->count; i++) {
		char *start = (char *)(((uintptr_t)batch->memory + HUGE - 1) & ~(HUGE - 1));

		batch->pages[i] = start + i * step;
		batch->nodes[i] = far_node;
		if (scenario->layout == INTERLEAVED && i % 2)
			batch->nodes[i] = near_node;
		if (exists(scenario, i))
			*(char *)batch->pages[i] = 1;
		batch->status[i] = 0;
	}
}

/* Interleaved: every other page starts on the far node and goes to the near one. */
static void place(const struct scenario *scenario, struct batch *batch)
{
	void **pages = malloc(batch->count * sizeof(*pages));
	size_t some = 0;

	for (size_t i = 1; i < batch->count; i += 2)
		pages[some++] = batch->pages[i];
	for (size_t i = 0; i < some; i++)
		batch->status[i] = far_node;
	if (scenario->layout == INTERLEAVED || scenario->layout == LOCAL_HALF)
		plain(some, pages, batch->status, batch->status);
	free(pages);
}

static void release(struct batch *batch)
{
	munmap(batch->memory, batch->length);
	free(batch->pages);
	free(batch->nodes);
	free(batch->status);
}

static void *spin(void *stop)
{
	while (!atomic_load((atomic_int *)stop))
		continue;
	return NULL;
}

static double round_of(const struct scenario *scenario, int ours)
{
	struct batch batch;
	double start, end;
	long rc;

	build(scenario, &batch);
	place(scenario, &batch);
	start = measure();
	rc = ours ? bm_migrate_batch(context, batch.count, batch.pages, batch.nodes, batch.status,
				     0)
		  : plain(batch.count, batch.pages, batch.nodes, batch.status);
	end = measure();
	if (rc < 0)
		die(ours ? "bm_migrate_batch" : "move_pages");
	release(&batch);
	return end - start;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void compare(const struct scenario *scenario, double scale)
{
	int rounds =
		scenario->pages <= SMALL && scenario->layout == BASE_PAGES ? SMALL_ROUNDS : ROUNDS;
	double time[2][SMALL_ROUNDS];

	for (int round = 0; round < rounds; round++) {
		time[0][round] = round_of(scenario, 0);
		time[1][round] = round_of(scenario, 1);
	}
	qsort(time[0], (size_t)rounds, sizeof(double), by_value);
	qsort(time[1], (size_t)rounds, sizeof(double), by_value);
	printf("| %-34s | %9.0f | %9.0f | %5.2f | %5.2f-%5.2f |\n", scenario->name,
	       scale * time[0][rounds / 2] / (double)scenario->pages,
	       scale * time[1][rounds / 2] / (double)scenario->pages,
	       time[1][rounds / 2] / time[0][rounds / 2],
	       time[1][rounds / 10] / time[0][rounds - 1 - rounds / 10],
	       time[1][rounds - 1 - rounds / 10] / time[0][rounds / 10]);
	fflush(stdout);
}

/* The same pages, so many in a call of the kernel. */
static void compare_call_pages(void)
{
	static const char *const lengths[] = {"64", "256", "1024", "4096", "16384", "65536"};
	const struct scenario scenario = {"", BASE_PAGES, 65536, 0};

	printf("| pages in a call | ns (with --icount: instructions) per page |\n| --- | --- |\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct bm_options options;
		double time[ROUNDS];

		bm_options_init(&options, sizeof(options));
		options.call_pages = atoi(lengths[i]);
		options.threads = 1;
		if (bm_context_new(&options, &context) < 0)
			die("bm_context_new");
		for (int round = 0; round < ROUNDS; round++)
			time[round] = round_of(&scenario, 1);
		bm_context_free(context);
		context = NULL;
		qsort(time, ROUNDS, sizeof(double), by_value);
		printf("| %s | %.0f |\n", lengths[i], time[ROUNDS / 2] / (double)scenario.pages);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const struct scenario warm_up = {"warm-up", BASE_PAGES, 1, 0};
	int interrupts = argc > 1 && strcmp(argv[1], "--interrupts") == 0;
	const char *word = argc > 1 && argv[argc - 1][0] != '-' ? argv[argc - 1] : "";
	atomic_int stop = 0;
	pthread_t sibling;

	if (numa_available() < 0 || numa_max_node() < 1) {
		fprintf(stderr, "this machine has one node: tests/vm/run --icount -- %s\n",
			argv[0]);
		return 2;
	}
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	near_node = 0;
	far_node = 1;
	numa_set_preferred(near_node);
	measure = interrupts ? bench_tlb_interrupts : now_ns;
	if (interrupts && pthread_create(&sibling, NULL, spin, &stop) != 0)
		die("thread");
	round_of(&warm_up, 0);
	round_of(&warm_up, 1);
	if (argc > 1 && strcmp(argv[1], "--call-pages") == 0) {
		compare_call_pages();
		return 0;
	}
	printf("| %s | plain | batchmig | ratio | spread |\n",
	       interrupts ? "TLB interrupts per 1000 entries, a sibling thread runs"
			  : "ns (with --icount: instructions) per entry");
	printf("| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		/* Emulated, a spinning thread makes everything slow: not the longest ones. */
		if (!strstr(scenarios[i].name, word))
			continue;
		if (!interrupts || (scenarios[i].pages <= INTERRUPT_PAGES_MAX &&
				    scenarios[i].layout != HUGE_PAGES))
			compare(&scenarios[i], interrupts ? 1000 : 1);
	}
	atomic_store(&stop, 1);
	if (interrupts)
		pthread_join(sibling, NULL);
	return 0;
}
