/* SPDX-License-Identifier: MIT */
/* turns.c - order of submission, priorities, and what overlaps. */
#include "turns.h"

#define PRIORITIES (BM_PRIORITY_HIGH - BM_PRIORITY_LOW + 1)

static int runs(const struct bm_task *task)
{
	return atomic_load_explicit(&task->state, memory_order_relaxed) == BM_TASK_RUNS;
}

static int meet(const struct bm_task *a, const struct bm_task *b)
{
	return bm_footprint_meet(&a->footprint, &b->footprint);
}

/*
 * Whoever the task waits for, directly or not, gets its priority: otherwise
 * a batch in between would hold up the highest one.
 */
static void lift(struct bm_queue *queue, struct bm_task *task)
{
	task->lift = ++queue->lifts;
	for (struct bm_task *below = task->earlier; below; below = below->earlier) {
		if (below->priority >= task->priority)
			continue;
		for (const struct bm_task *above = below->later; above; above = above->later) {
			if (above->lift != task->lift || !meet(below, above))
				continue;
			below->priority = task->priority;
			below->lift = task->lift;
			break;
		}
	}
}

void bm_turns_enter(struct bm_queue *queue, struct bm_task *task)
{
	int lower = 0;

	task->number = queue->submitted;
	task->own_priority = task->priority;
	task->later = NULL;
	task->earlier = queue->last;
	*(queue->last ? &queue->last->later : &queue->first) = task;
	queue->last = task;
	task->blockers = 0;
	for (const struct bm_task *other = task->earlier; other; other = other->earlier) {
		if (!meet(task, other))
			continue;
		task->blockers++;
		lower |= other->priority < task->priority;
	}
	/* One that is as high may itself wait for a lower one: then that was lifted with it. */
	if (!lower)
		return;
	lift(queue, task);
	bm_turns_hold(queue);
}

/* Who was lifted by the one that leaves falls back to what others need. */
static void lift_anew(struct bm_queue *queue)
{
	for (struct bm_task *task = queue->first; task; task = task->later)
		task->priority = task->own_priority;
	for (struct bm_task *task = queue->last; task; task = task->earlier) {
		if (task->blockers)
			lift(queue, task);
	}
}

void bm_turns_leave(struct bm_queue *queue, struct bm_task *task)
{
	*(task->earlier ? &task->earlier->later : &queue->first) = task->later;
	*(task->later ? &task->later->earlier : &queue->last) = task->earlier;
	for (struct bm_task *other = task->later; other; other = other->later)
		other->blockers -= meet(task, other) != 0;
	for (struct bm_task *other = queue->first; other; other = other->later) {
		if (other->priority == other->own_priority)
			continue;
		lift_anew(queue);
		break;
	}
}

struct bm_task *bm_turns_next(const struct bm_queue *queue)
{
	unsigned int running[PRIORITIES] = {0};
	struct bm_task *next = NULL;

	for (struct bm_task *task = queue->first; task; task = task->later) {
		if (runs(task))
			running[task->priority - BM_PRIORITY_LOW]++;
		else if (bm_pace_canceled(task->pace))
			return task;
	}
	for (struct bm_task *task = queue->first; task; task = task->later) {
		if (runs(task) || task->blockers || (next && next->priority >= task->priority))
			continue;
		if (running[task->priority - BM_PRIORITY_LOW] < BM_TURNS_AT_ONCE)
			next = task;
	}
	return next;
}

void bm_turns_hold(struct bm_queue *queue)
{
	int top = BM_PRIORITY_LOW;

	for (const struct bm_task *task = queue->first; task; task = task->later) {
		if (runs(task) && task->priority > top)
			top = task->priority;
	}
	for (struct bm_task *task = queue->first; task; task = task->later) {
		if (runs(task))
			bm_pace_hold(task->pace, task->priority < top);
	}
}

int bm_turns_meets(const struct bm_queue *queue, const struct bm_footprint *footprint,
		   uint64_t last)
{
	for (const struct bm_task *task = queue->first; task; task = task->later) {
		if (task->number <= last && bm_footprint_meet(&task->footprint, footprint))
			return 1;
	}
	return 0;
}
