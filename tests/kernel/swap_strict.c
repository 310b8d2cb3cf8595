/* SPDX-License-Identifier: MIT */
/*
 * swap_strict.c - the strict promise without privilege: the kernel does not
 * wait for pages that are out of reach. The library's own calls must.
 */
#include "swap_load.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>

#define COUNT     600
#define HEAP_SIZE (4u << 20)
#define HEAP_SEED 7
#define NOBODY    65534

static struct {
	char *start;
	size_t length;
	atomic_int stop;
	long worst; /* result of a batch */
	uint64_t bytes_swapped;
} heap;

static struct bm_context *strict_context(void)
{
	struct bm_context *context;
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.quiet = "strict";
	ck_assert_int_eq(bm_context_new(&options, &context), 0);
	return context;
}

static void *move_heap(void *arg)
{
	struct bm_context *context = strict_context();
	struct bm_stats stats;

	(void)arg;
	for (int round = 0; !atomic_load(&heap.stop); round++) {
		struct bm_range range = {
			.addr = heap.start, .length = heap.length, .node = node_of_round(round)};
		long rc = bm_migrate_ranges(context, 1, &range, sizeof(range), BM_REPLACE);

		heap.worst = rc < heap.worst ? rc : heap.worst;
	}
	ck_assert_int_eq(bm_stats_get(context, &stats, sizeof(stats)), 0);
	heap.bytes_swapped = stats.bytes_swapped;
	bm_context_free(context);
	return NULL;
}

/* It may be more than one mapping. */
static void find_heap(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	ck_assert_ptr_nonnull(maps);
	heap.start = NULL;
	while (fgets(line, sizeof(line), maps)) {
		char *end, *start = (char *)(uintptr_t)strtoull(line, &end, 16);

		if (!strstr(line, "[heap]"))
			continue;
		if (!heap.start)
			heap.start = start;
		heap.length = strtoull(end + 1, NULL, 16) - (uintptr_t)heap.start;
	}
	fclose(maps);
}

/* Where pages are, and to another node: what the library asks is on the heap. */
static void move_area(struct bm_context *context, struct area *area)
{
	uint64_t end = now_ns() + 1500000000;

	for (int round = 0; now_ns() < end; round++) {
		area_target(area, node_of_round(round));
		ck_assert_int_eq(bm_migrate_batch(context, area->count, area->pages, area->targets,
						  area->status, 0),
				 0);
		for (size_t i = 0; i < area->count; i++)
			ck_assert_int_eq(area->status[i], node_of_round(round));
	}
}

static int heap_moves(void *arg)
{
	struct area area;
	struct bm_context *context;
	pthread_t mover;
	char *filled;

	(void)arg;
	limit_child(60);
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	/* Everything on the one heap. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	filled = malloc(HEAP_SIZE);
	fill(filled, HEAP_SIZE, HEAP_SEED);
	find_heap();
	ck_assert_uint_ge(heap.length, HEAP_SIZE);
	area_new(&area, COUNT, nodes[0]);
	context = strict_context();
	ck_assert_int_eq(pthread_create(&mover, NULL, move_heap, NULL), 0);
	move_area(context, &area);
	atomic_store(&heap.stop, 1);
	pthread_join(mover, NULL);
	bm_context_free(context);
	ck_assert_int_ge(heap.worst, 0);
	ck_assert_uint_gt(heap.bytes_swapped, HEAP_SIZE);
	ck_assert_uint_eq(wrong_words(filled, HEAP_SIZE, HEAP_SEED), 0);
	free(filled);
	return 0;
}

START_TEST(heap_of_the_library)
{
	if (!swap_usable())
		skip_test("swap is not usable here");
	if (geteuid() != 0)
		skip_test("only root can give its rights away");
	ck_assert_int_eq(in_asserting_child(heap_moves, NULL), 0);
}
END_TEST

static const TTest *const *const tests[] = {&heap_of_the_library, NULL};
const struct report_group swap_strict_group = {"swap_strict", tests};
