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

/* Check gives the kernel memory of the heap: while that moves nothing is asserted. */
static struct {
	struct bm_context *context;
	char *start;
	size_t length;
	atomic_int stop;
	long worst; /* result of a batch */
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
	(void)arg;
	for (int round = 0; !atomic_load(&heap.stop); round++) {
		struct bm_range range = {
			.addr = heap.start, .length = heap.length, .node = node_of_round(round)};
		long rc = bm_migrate_ranges(heap.context, 1, &range, sizeof(range), BM_REPLACE);

		heap.worst = rc < heap.worst ? rc : heap.worst;
	}
	return NULL;
}

/* Not on the heap: who waits for those finds the heap where it was. */
static struct {
	void *pages[COUNT];
	int targets[COUNT], status[COUNT];
} arrays;

static void move_arrays(struct area *area)
{
	memcpy(arrays.pages, area->pages, sizeof(arrays.pages));
	area->pages = arrays.pages;
	area->targets = arrays.targets;
	area->status = arrays.status;
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

/*
 * Where pages are, and to another node: what the library asks is on the heap.
 * The worst result, and how many pages did not get there.
 */
static long move_area(struct bm_context *context, struct area *area, size_t *wrong)
{
	uint64_t end = now_ns() + UINT64_C(4000000000);
	long worst = 0;

	for (int round = 0; now_ns() < end; round++) {
		long rc;

		area_target(area, node_of_round(round));
		rc = bm_migrate_batch(context, area->count, area->pages, area->targets,
				      area->status, round % 2 ? BM_REPLACE : 0);
		worst = rc < worst ? rc : worst;
		for (size_t i = 0; i < area->count; i++)
			*wrong += area->status[i] != node_of_round(round);
	}
	return worst;
}

static void use_one_heap(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
}

static void give_rights_away(void)
{
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

static int heap_moves(void *arg)
{
	struct bm_context *context;
	struct bm_stats stats;
	struct area area;
	pthread_t mover;
	size_t wrong = 0;
	char *filled;
	long worst;

	(void)arg;
	limit_child(60);
	give_rights_away();
	use_one_heap();
	filled = malloc(HEAP_SIZE);
	fill(filled, HEAP_SIZE, HEAP_SEED);
	area_new(&area, COUNT, nodes[0]);
	move_arrays(&area);
	context = strict_context();
	heap.context = strict_context();
	/* What a batch works with is kept for the next one. */
	area_target(&area, nodes[0]);
	ck_assert_int_eq(
		bm_migrate_batch(context, area.count, area.pages, area.targets, area.status, 0), 0);
	find_heap();
	ck_assert_uint_ge(heap.length, HEAP_SIZE);
	ck_assert_int_eq(pthread_create(&mover, NULL, move_heap, NULL), 0);
	worst = move_area(context, &area, &wrong);
	atomic_store(&heap.stop, 1);
	pthread_join(mover, NULL);
	ck_assert_int_eq(worst, 0);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_ge(heap.worst, 0);
	ck_assert_int_eq(bm_stats_get(heap.context, &stats, sizeof(stats)), 0);
	ck_assert_uint_gt(stats.bytes_swapped, HEAP_SIZE);
	ck_assert_uint_eq(wrong_words(filled, HEAP_SIZE, HEAP_SEED), 0);
	bm_context_free(context);
	bm_context_free(heap.context);
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
