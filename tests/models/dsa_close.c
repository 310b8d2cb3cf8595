/* SPDX-License-Identifier: MIT */
/* dsa_close.c - what was held back is done, at a word of the test or because a queue is closed. */
#include "dsa_device.h"

#include <sched.h>

typedef void each_item(struct dsa *dsa, struct dsa_item *item);

/* Lock held, which the function may let go. */
static void for_each(struct dsa *dsa, struct dsa_queue *queue, each_item *call)
{
	for (size_t i = 0; i < queue->slots; i++) {
		struct dsa_item *item = &queue->items[i];

		call(dsa, item);
		for (uint32_t child = 0; item->state == DSA_OPEN && child < item->issued; child++)
			call(dsa, &item->children[child]);
	}
}

static void do_held(struct dsa *dsa, struct dsa_item *item)
{
	if (item->state != DSA_HELD)
		return;
	item->fate.late = 0;
	dsa_work_on(dsa, item);
}

/* The ends of their batches come with the last of them, or with the next step. */
void dsa_release(struct dsa *dsa)
{
	dsa_enter(dsa);
	for (size_t i = 0; i < dsa->queues_count && !dsa->halted; i++)
		for_each(dsa, &dsa->queues[i], do_held);
	dsa_leave(dsa);
}

static void hurry(struct dsa *dsa, struct dsa_item *item)
{
	item->fate.delay = 0;
	item->fate.late = 0;
	if (item->state == DSA_DELAYED)
		item->due = 0;
	else if (item->state == DSA_HELD)
		dsa_make_ready(dsa, item);
}

static void drop(struct dsa_list *list, const struct dsa_queue *queue)
{
	for (size_t i = list->count; i-- > 0;)
		if (list->items[i]->queue == queue)
			list->items[i] = list->items[--list->count];
}

/* What is lost, or waits for it, or came to a device that has stopped. */
static void discard(struct dsa *dsa, struct dsa_queue *queue)
{
	drop(&dsa->ready, queue);
	drop(&dsa->delayed, queue);
	dsa->counts.in_flight -= queue->occupied;
	queue->occupied = 0;
	queue->drains = 0;
	for (size_t i = 0; i < queue->slots; i++)
		queue->items[i].state = DSA_FREE;
}

/*
 * The driver drains the queue: nothing is written any more once it is closed.
 * With a descriptor that is lost the driver would wait for ever; here it is
 * forgotten, as by a reset.
 */
void dsa_close(struct dsa *dsa, unsigned int index)
{
	struct dsa_queue *queue = &dsa->queues[index];
	int more;

	pthread_mutex_lock(&dsa->lock);
	do {
		for_each(dsa, queue, hurry);
		dsa_promote(dsa);
		more = dsa_work(dsa, queue);
		if (!more && queue->working) {
			pthread_mutex_unlock(&dsa->lock);
			sched_yield();
			pthread_mutex_lock(&dsa->lock);
			more = 1;
		}
	} while (more);
	discard(dsa, queue);
	pthread_mutex_unlock(&dsa->lock);
}
