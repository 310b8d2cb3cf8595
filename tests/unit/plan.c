/* SPDX-License-Identifier: MIT */
/* plan.c - sorting, merging and cutting: lib/plan.c against plain references. */
#include "plan.h"

#include "scene.h"
#include "unit.h"

#define MOST 5000

struct sorted {
	void *pages[MOST];
	struct bm_item items[MOST], spare[MOST], reference[MOST];
};

static struct sorted *sorted_new(void)
{
	struct sorted *sorted = calloc(1, sizeof(*sorted));

	ck_assert_ptr_nonnull(sorted);
	return sorted;
}

static int by_addr(const void *a, const void *b)
{
	const struct bm_item *left = a, *right = b;

	if (left->addr != right->addr)
		return left->addr < right->addr ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

static void compare(struct sorted *sorted, size_t count, uint64_t page_size)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t addr = (uint64_t)(uintptr_t)sorted->pages[i];

		sorted->reference[i] = (struct bm_item){addr & ~(page_size - 1), i};
	}
	qsort(sorted->reference, count, sizeof(sorted->reference[0]), by_addr);
	bm_plan_items(sorted->pages, count, page_size, sorted->items);
	bm_plan_sort(sorted->items, sorted->spare, count, page_size);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(sorted->items[i].addr, sorted->reference[i].addr);
		ck_assert_uint_eq(sorted->items[i].index, sorted->reference[i].index);
	}
}

/* Of 48 and of 57 bits, close and far, with many of the same page; 4 and 64 KiB pages. */
START_TEST(sorts_like_qsort)
{
	static const size_t counts[] = {1, 2, 3, 63, 64, 65, 66, 200, 1000, MOST};
	struct sorted *sorted = sorted_new();

	rnd_seed(7);
	for (unsigned int round = 0; round < 60; round++) {
		size_t count = counts[round % 10];
		uint64_t mask = (UINT64_C(1) << (16 + rnd() % 42)) - 1;

		for (size_t i = 0; i < count; i++) {
			uint64_t addr = ((uint64_t)rnd() << 32 | rnd()) & mask;

			sorted->pages[i] = (void *)(uintptr_t)addr;
		}
		compare(sorted, count, round % 3 ? 4096 : 65536);
	}
	free(sorted);
}
END_TEST

START_TEST(already_sorted_is_seen)
{
	void *pages[] = {(void *)8, (void *)8, (void *)4096, (void *)8192};
	struct bm_item items[4];

	ck_assert_int_eq(bm_plan_items(pages, 0, 4096, items), 1);
	ck_assert_int_eq(bm_plan_items(pages, 4, 4096, items), 1);
	pages[3] = (void *)4095;
	ck_assert_int_eq(bm_plan_items(pages, 4, 4096, items), 0);
	ck_assert_int_eq(bm_plan_items(pages, 3, 4096, items), 1);
	/* The order within a page is that of the caller. */
	pages[0] = (void *)9;
	ck_assert_int_eq(bm_plan_items(pages, 3, 4096, items), 1);
	/* The upper half of the address space is above the lower one. */
	pages[3] = (void *)(uintptr_t)UINT64_C(0xff00000000000000);
	ck_assert_int_eq(bm_plan_items(pages, 4, 4096, items), 1);
}
END_TEST

START_TEST(sorted_pages_need_no_spare)
{
	void *pages[] = {(void *)0x1001, (void *)0x1fff, (void *)0x2000};
	struct bm_item items[3];

	ck_assert_int_eq(bm_plan_items(pages, 3, 4096, items), 1);
	ck_assert_uint_eq(items[0].addr, 0x1000);
	ck_assert_uint_eq(items[1].addr, 0x1000);
	ck_assert_uint_eq(items[1].index, 1);
	ck_assert_uint_eq(items[2].addr, 0x2000);
}
END_TEST

START_TEST(units_merge_the_same_page)
{
	struct bm_item items[] = {{0x1000, 0}, {0x1000, 2}, {0x3000, 1}, {0x4000, 3}};
	const int nodes[] = {0, 1, 2, 3};
	struct bm_unit units[4];
	struct bm_plan plan = {items, 4, 0, nodes, 4096, 4096, 0};

	ck_assert_uint_eq(bm_plan_units(&plan, units, 4), 3);
	ck_assert_uint_eq(plan.next, 4);
	ck_assert_uint_eq(units[0].items, 2);
	ck_assert_int_eq(units[0].node, 2);
	ck_assert_uint_eq(units[0].end, 0x2000);
	ck_assert_int_eq(units[0].status, BM_NOT_ASKED);
	ck_assert_uint_eq(units[1].first, 2);
	ck_assert_int_eq(units[1].node, 1);
	ck_assert_int_eq(units[2].node, 3);
	ck_assert_int_eq(plan.mixed, 1);
}
END_TEST

/* Also where only an entry that is overruled has another target. */
START_TEST(one_target_is_seen)
{
	struct bm_item items[] = {{0x1000, 0}, {0x1000, 1}, {0x2000, 2}, {0x3000, 3}};
	struct bm_unit units[4];

	for (int odd = 0; odd < 5; odd++) {
		int nodes[5] = {7, 7, 7, 7, 7};
		struct bm_plan plan = {items, 4, 0, nodes, 4096, 4096, 0};

		nodes[odd] = -1;
		bm_plan_units(&plan, units, 4);
		ck_assert_int_eq(plan.mixed, odd < 4);
	}
}
END_TEST

/* A slice ends at a region, so that no huge page is cut by it. */
START_TEST(slices_end_at_regions)
{
	struct bm_item items[64];
	struct bm_unit units[64];
	int nodes[64] = {0};
	struct bm_plan plan = {items, 64, 0, nodes, 4096, 8 * 4096, 0};
	size_t sum = 0;

	for (size_t i = 0; i < 64; i++)
		items[i] = (struct bm_item){0x10000 + i * 4096, i};
	while (plan.next < 64) {
		size_t made = bm_plan_units(&plan, units, 5);

		ck_assert_uint_eq(made, 8);
		ck_assert_uint_eq(units[0].addr % (8 * 4096), 0);
		sum += made;
	}
	ck_assert_uint_eq(sum, 64);
}
END_TEST

START_TEST(join_takes_the_highest_index)
{
	struct bm_item items[] = {{0x200000, 5}, {0x201000, 9}, {0x201000, 11}, {0x3ff000, 7}};
	int nodes[12] = {0};
	struct bm_unit units[4];
	struct bm_plan plan = {items, 4, 0, nodes, 4096, 2 << 20, 0};

	nodes[11] = 3;
	ck_assert_uint_eq(bm_plan_units(&plan, units, 4), 3);
	ck_assert_uint_eq(bm_plan_region_end(units, 3, 0, 2 << 20), 3);
	ck_assert_uint_eq(bm_plan_region_end(units, 3, 0, 4096), 1);
	bm_plan_join(units, 0, 3, items, nodes, 2 << 20);
	ck_assert_uint_eq(units[0].items, 4);
	ck_assert_int_eq(units[0].node, 3);
	ck_assert_uint_eq(units[0].end, 0x400000);
	ck_assert_int_eq(units[0].huge, 1);
}
END_TEST

START_TEST(order_groups_by_node)
{
	struct bm_unit units[200];
	uint32_t order[200];
	size_t todo = 0, made;

	rnd_seed(3);
	for (size_t i = 0; i < 200; i++) {
		units[i] = (struct bm_unit){.addr = i * 4096,
					    .end = (i + 1) * 4096,
					    .node = i == 7 ? BM_NODES_MAX - 1 : (int)(rnd() % 5),
					    .state = one_in(4) ? BM_UNIT_ABSENT : BM_UNIT_TODO};
		todo += units[i].state == BM_UNIT_TODO;
	}
	made = bm_plan_order(units, 200, order);
	ck_assert_uint_eq(made, todo);
	for (size_t i = 1; i < made; i++) {
		const struct bm_unit *last = &units[order[i - 1]], *unit = &units[order[i]];

		ck_assert_int_eq(unit->state, BM_UNIT_TODO);
		ck_assert(unit->node > last->node ||
			  (unit->node == last->node && unit->addr > last->addr));
	}
	for (size_t i = 0; i < 200; i++)
		units[i].node = 2;
	ck_assert_uint_eq(bm_plan_order(units, 200, order), todo);
	for (size_t i = 0; i < 200; i++)
		units[i].state = BM_UNIT_LEFT;
	ck_assert_uint_eq(bm_plan_order(units, 200, order), 0);
}
END_TEST

START_TEST(calls_are_cut)
{
	struct bm_unit units[10];
	uint32_t order[10];
	const struct bm_call_size most = {3 * 4096, 2 << 20};
	struct bm_call calls[10];
	size_t made, sum = 0;

	for (uint32_t i = 0; i < 10; i++) {
		units[i] = (struct bm_unit){
			.addr = i * 4096, .end = (i + 1) * 4096, .node = i < 7 ? 0 : 1};
		order[i] = i;
	}
	made = bm_plan_calls(units, order, 10, &most, calls);
	ck_assert_uint_eq(made, 4);
	for (size_t i = 0; i < made; i++) {
		ck_assert_uint_eq(calls[i].first, sum);
		ck_assert_uint_le(calls[i].count, 3);
		sum += calls[i].count;
	}
	ck_assert_uint_eq(sum, 10);
	ck_assert_uint_eq(calls[2].count, 1);
	/* A huge page that is larger than a call goes alone. */
	units[4].huge = 1;
	units[4].end = units[4].addr + 4096; /* its last page was named */
	made = bm_plan_calls(units, order, 10, &most, calls);
	ck_assert_uint_eq(made, 5);
	ck_assert_uint_eq(calls[2].first, 4);
	ck_assert_uint_eq(calls[2].count, 1);
}
END_TEST

START_TEST(runs_are_counted)
{
	struct bm_item items[] = {{0x1000, 0}, {0x2000, 1}, {0x2000, 4}, {0x3000, 2}, {0x5000, 3}};
	int nodes[] = {1, 0, 1, 1, 1};

	ck_assert_uint_eq(bm_plan_runs(items, 0, nodes, 4096), 0);
	ck_assert_uint_eq(bm_plan_runs(items, 1, nodes, 4096), 1);
	ck_assert_uint_ge(bm_plan_runs(items, 5, nodes, 4096), 2);
	nodes[1] = 1;
	ck_assert_uint_eq(bm_plan_runs(items, 5, nodes, 4096), 2);
	nodes[3] = 0;
	nodes[2] = 0;
	ck_assert_uint_eq(bm_plan_runs(items, 5, nodes, 4096), 3);
}
END_TEST

/* Pages named twice, first and last entry with other targets. */
START_TEST(the_last_entry_makes_the_run)
{
	struct bm_item items[200];
	int alternate[200], alike[200];

	for (size_t i = 0; i < 200; i++) {
		items[i] = (struct bm_item){0x1000 + i / 2 * 4096, i};
		alternate[i] = (i / 2 + i % 2) % 2;
		alike[i] = i % 2 ? 1 : (int)(i / 2 % 2);
	}
	ck_assert_uint_eq(bm_plan_runs(items, 200, alternate, 4096), 100);
	ck_assert_uint_eq(bm_plan_runs(items, 200, alike, 4096), 1);
}
END_TEST

START_TEST(impossible_nodes)
{
	ck_assert_int_eq(bm_node_possible(-1), 0);
	ck_assert_int_eq(bm_node_possible(0), 1);
	ck_assert_int_eq(bm_node_possible(BM_NODES_MAX - 1), 1);
	ck_assert_int_eq(bm_node_possible(BM_NODES_MAX), 0);
}
END_TEST

static const TTest *const *const tests[] = {&sorts_like_qsort,
					    &already_sorted_is_seen,
					    &sorted_pages_need_no_spare,
					    &units_merge_the_same_page,
					    &one_target_is_seen,
					    &slices_end_at_regions,
					    &join_takes_the_highest_index,
					    &order_groups_by_node,
					    &calls_are_cut,
					    &runs_are_counted,
					    &the_last_entry_makes_the_run,
					    &impossible_nodes,
					    NULL};
const struct report_group plan_group = {"plan", tests};
