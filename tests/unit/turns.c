/* SPDX-License-Identifier: MIT */
/* turns.c - whose turn it is among batches in flight, and what overlaps. */
#include "turns.h"

#include <string.h>

#include "fake.h"
#include "unit.h"

#define REGION UINT64_C(0x200000)
#define TASKS  12

static struct bm_queue queue;
static struct bm_task tasks[TASKS];
static struct bm_pace paces[TASKS];

static void begin(void)
{
	memset(&queue, 0, sizeof(queue));
	memset(tasks, 0, sizeof(tasks));
	memset(paces, 0, sizeof(paces));
	queue.sys = &bm_sys_linux;
}

/* A batch of one page in this region of 2 MiB. */
static struct bm_task *enter(size_t number, uint64_t region, int priority)
{
	void *page = (void *)(uintptr_t)(region * REGION + 4096 * number);
	struct bm_request request = {.count = 1, .pages = &page};
	struct bm_task *task = &tasks[number];

	paces[number].sys = &bm_sys_linux;
	task->pace = &paces[number];
	task->priority = priority;
	bm_footprint_take(&task->footprint, &request, REGION);
	queue.submitted++;
	bm_turns_enter(&queue, task);
	return task;
}

static void run(struct bm_task *task)
{
	ck_assert_ptr_eq(bm_turns_next(&queue), task);
	task->state = BM_TASK_RUNS;
	bm_turns_hold(&queue);
}

static void end(struct bm_task *task)
{
	bm_turns_leave(&queue, task);
	task->state = BM_TASK_ENDED;
	bm_turns_hold(&queue);
}

START_TEST(overlapping_ones_in_order)
{
	struct bm_task *first, *second, *third, *other;

	begin();
	first = enter(0, 7, BM_PRIORITY_NORMAL);
	second = enter(1, 7, BM_PRIORITY_NORMAL);
	third = enter(2, 7, BM_PRIORITY_NORMAL);
	other = enter(3, 8, BM_PRIORITY_NORMAL);
	run(first);
	run(other);
	ck_assert_ptr_null(bm_turns_next(&queue));
	end(first);
	run(second);
	ck_assert_ptr_null(bm_turns_next(&queue));
	end(other);
	end(second);
	run(third);
	end(third);
	ck_assert_ptr_null(queue.first);
	ck_assert_ptr_null(queue.last);
}
END_TEST

START_TEST(priorities_and_pauses)
{
	struct bm_task *low, *normal, *high;

	begin();
	low = enter(0, 1, BM_PRIORITY_LOW);
	run(low);
	ck_assert(!paces[0].held);
	normal = enter(1, 2, BM_PRIORITY_NORMAL);
	high = enter(2, 3, BM_PRIORITY_HIGH);
	run(high);
	ck_assert(paces[0].held && !paces[2].held);
	run(normal);
	ck_assert(paces[0].held && paces[1].held);
	end(high);
	ck_assert(paces[0].held && !paces[1].held);
	end(normal);
	ck_assert(!paces[0].held);
	end(low);
}
END_TEST

/* low <- normal <- high wait for each other: all of them are high then. */
START_TEST(who_is_waited_for_is_lifted)
{
	struct bm_task *low, *normal, *high, *between;
	void *pages[2];
	struct bm_request request = {.count = 2, .pages = pages};

	begin();
	low = enter(0, 1, BM_PRIORITY_LOW);
	run(low);
	pages[0] = (void *)(uintptr_t)(1 * REGION);
	pages[1] = (void *)(uintptr_t)(2 * REGION);
	normal = &tasks[1];
	normal->pace = &paces[1];
	paces[1].sys = &bm_sys_linux;
	normal->priority = BM_PRIORITY_NORMAL;
	bm_footprint_take(&normal->footprint, &request, REGION);
	bm_turns_enter(&queue, normal);
	ck_assert_int_eq(low->priority, BM_PRIORITY_NORMAL);
	high = enter(2, 2, BM_PRIORITY_HIGH);
	ck_assert_int_eq(normal->priority, BM_PRIORITY_HIGH);
	ck_assert_int_eq(low->priority, BM_PRIORITY_HIGH);
	between = enter(3, 9, BM_PRIORITY_NORMAL);
	run(between);
	ck_assert(!paces[0].held && paces[3].held);
	end(low);
	run(normal);
	end(normal);
	run(high);
	end(high);
	ck_assert(!paces[3].held);
	end(between);
}
END_TEST

/* The one that lifted it has been cancelled: it is low again. */
START_TEST(a_lift_ends_with_its_cause)
{
	struct bm_task *low, *normal;

	begin();
	low = enter(0, 1, BM_PRIORITY_LOW);
	run(low);
	enter(1, 1, BM_PRIORITY_HIGH);
	ck_assert_int_eq(low->priority, BM_PRIORITY_HIGH);
	bm_pace_cancel(&paces[1]);
	run(&tasks[1]);
	end(&tasks[1]);
	ck_assert_int_eq(low->priority, BM_PRIORITY_LOW);
	normal = enter(2, 3, BM_PRIORITY_NORMAL);
	run(normal);
	ck_assert(paces[0].held && !paces[2].held);
}
END_TEST

START_TEST(so_many_at_once)
{
	begin();
	for (size_t i = 0; i < 6; i++)
		enter(i, i, BM_PRIORITY_NORMAL);
	for (size_t i = 0; i < BM_TURNS_AT_ONCE; i++)
		run(&tasks[i]);
	ck_assert_ptr_null(bm_turns_next(&queue));
	/* Each priority has places of its own. */
	run(enter(6, 6, BM_PRIORITY_LOW));
	run(enter(7, 7, BM_PRIORITY_HIGH));
	end(&tasks[2]);
	run(&tasks[4]);
	ck_assert_ptr_null(bm_turns_next(&queue));
}
END_TEST

/* It need not wait: it touches nothing any more. */
START_TEST(cancelled_ones_go_first)
{
	begin();
	run(enter(0, 1, BM_PRIORITY_HIGH));
	enter(1, 1, BM_PRIORITY_LOW);
	enter(2, 1, BM_PRIORITY_NORMAL);
	ck_assert_ptr_null(bm_turns_next(&queue));
	bm_pace_cancel(&paces[1]);
	run(&tasks[1]);
	end(&tasks[1]);
	ck_assert_ptr_null(bm_turns_next(&queue));
	end(&tasks[0]);
	run(&tasks[2]);
}
END_TEST

START_TEST(only_those_before_are_waited_for)
{
	struct bm_footprint footprint;
	void *page = (void *)(uintptr_t)(5 * REGION);
	struct bm_request request = {.count = 1, .pages = &page};

	begin();
	bm_footprint_take(&footprint, &request, REGION);
	enter(0, 4, 0);
	ck_assert(!bm_turns_meets(&queue, &footprint, queue.submitted));
	enter(1, 5, 0);
	ck_assert(!bm_turns_meets(&queue, &footprint, 1));
	ck_assert(bm_turns_meets(&queue, &footprint, 2));
	bm_turns_leave(&queue, &tasks[1]);
	ck_assert(!bm_turns_meets(&queue, &footprint, 2));
}
END_TEST

/* ---------------------------------------------------------------- footprints */

static struct bm_footprint of_range(uint64_t addr, uint64_t length, pid_t pid)
{
	struct bm_range range = {.addr = (void *)(uintptr_t)addr, .length = length};
	struct bm_request request = {
		.count = 1, .ranges = &range, .range_size = sizeof(range), .pid = pid};
	struct bm_footprint footprint;

	bm_footprint_take(&footprint, &request, REGION);
	return footprint;
}

static int meet(struct bm_footprint a, struct bm_footprint b)
{
	ck_assert_int_eq(bm_footprint_meet(&a, &b), bm_footprint_meet(&b, &a));
	return bm_footprint_meet(&a, &b);
}

START_TEST(footprints)
{
	const uint64_t far = BM_FOOTPRINT_BITS * REGION;

	/* One byte of the same huge page. */
	ck_assert(meet(of_range(REGION - 1, 1, 0), of_range(0, 1, 0)));
	ck_assert(!meet(of_range(REGION - 1, 1, 0), of_range(REGION, 1, 0)));
	ck_assert(meet(of_range(REGION - 1, 2, 0), of_range(REGION, 1, 0)));
	/* Other processes have other memory. */
	ck_assert(!meet(of_range(0, REGION, 0), of_range(0, REGION, 17)));
	/* Nothing, and what wraps around. */
	ck_assert(!meet(of_range(0, 0, 0), of_range(0, REGION, 0)));
	ck_assert(!meet(of_range(UINT64_MAX, 10, 0), of_range(0, REGION, 0)));
	/* The same bits, elsewhere: the extent tells. */
	ck_assert(!meet(of_range(REGION, 1, 0), of_range(REGION + far, 1, 0)));
	/* All bits. */
	ck_assert(meet(of_range(0, 2 * far, 0), of_range(far + 77 * REGION, 1, 0)));
	ck_assert(!meet(of_range(0, 2 * far, 0), of_range(2 * far, 1, 0)));
}
END_TEST

/* Against what a list of regions says: never "no" where two share one. */
START_TEST(footprints_miss_nothing)
{
	uint64_t state = 88172645463325252u;
	void *pages[2][20];

	for (int round = 0; round < 20000; round++) {
		struct bm_footprint prints[2];
		int share = 0;

		for (int side = 0; side < 2; side++) {
			struct bm_request request = {.count = 20, .pages = pages[side]};

			for (int i = 0; i < 20; i++) {
				state ^= state << 13;
				state ^= state >> 7;
				state ^= state << 17;
				pages[side][i] = (void *)(uintptr_t)(state % (400 * REGION));
			}
			bm_footprint_take(&prints[side], &request, REGION);
		}
		for (int i = 0; i < 400; i++)
			share |= (uintptr_t)pages[0][i / 20] / REGION ==
				 (uintptr_t)pages[1][i % 20] / REGION;
		/* 400 regions have a bit each: exact. */
		ck_assert_int_eq(bm_footprint_meet(&prints[0], &prints[1]), share);
	}
}
END_TEST

static const TTest *const *const tests[] = {&overlapping_ones_in_order,
					    &priorities_and_pauses,
					    &who_is_waited_for_is_lifted,
					    &a_lift_ends_with_its_cause,
					    &so_many_at_once,
					    &cancelled_ones_go_first,
					    &only_those_before_are_waited_for,
					    &footprints,
					    &footprints_miss_nothing,
					    NULL};
const struct report_group turns_group = {"turns", tests};
