/* SPDX-License-Identifier: MIT */
/* dsa_lists.c - what may be worked on now, what later, and which is next: that is chance. */
#include "dsa_device.h"

#include <time.h>

/* With a thread one in so many is delayed a little, that more than one is there to choose from. */
#define LINGER_ONE_IN 4
#define LINGER_US     40

uint32_t dsa_random(struct dsa *dsa, size_t below)
{
	dsa->random ^= dsa->random << 13;
	dsa->random ^= dsa->random >> 17;
	dsa->random ^= dsa->random << 5;
	return (uint32_t)(dsa->random % below);
}

uint64_t dsa_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct dsa_item *take(struct dsa_list *list, size_t index)
{
	struct dsa_item *item = list->items[index];

	list->items[index] = list->items[--list->count];
	return item;
}

void dsa_make_ready(struct dsa *dsa, struct dsa_item *item)
{
	item->state = DSA_READY;
	dsa->ready.items[dsa->ready.count++] = item;
	if (dsa->pace == DSA_BY_THREAD)
		pthread_cond_signal(&dsa->arrived);
}

void dsa_delay(struct dsa *dsa, struct dsa_item *item, uint64_t by)
{
	item->state = DSA_DELAYED;
	item->due = by + (dsa->pace == DSA_BY_THREAD ? dsa_now_us() : dsa->steps);
	dsa->delayed.items[dsa->delayed.count++] = item;
	if (dsa->pace == DSA_BY_THREAD)
		pthread_cond_signal(&dsa->arrived);
}

void dsa_arrive(struct dsa *dsa, struct dsa_item *item)
{
	item->stage = DSA_BEGIN;
	item->sequence = ++dsa->sequence;
	dsa_fate_of(dsa, item);
	if (dsa_opcode(&item->descriptor) == DSA_DRAIN && !item->parent &&
	    item->queue->occupied > 1) {
		item->state = DSA_WAITS;
		item->queue->drains++;
	} else if (dsa->pace == DSA_BY_THREAD && !dsa_random(dsa, LINGER_ONE_IN)) {
		dsa_delay(dsa, item, dsa_random(dsa, LINGER_US));
	} else {
		dsa_make_ready(dsa, item);
	}
}

/* By a second pass where only one queue is meant: that is for closing it. */
struct dsa_item *dsa_pick(struct dsa *dsa, const struct dsa_queue *queue)
{
	size_t found = dsa->ready.count, seen = 0;

	if (!found)
		return NULL;
	if (!queue)
		return take(&dsa->ready, dsa_random(dsa, found));
	for (size_t i = 0; i < dsa->ready.count; i++)
		if (dsa->ready.items[i]->queue == queue && !dsa_random(dsa, ++seen))
			found = i;
	return found < dsa->ready.count ? take(&dsa->ready, found) : NULL;
}

void dsa_promote(struct dsa *dsa)
{
	uint64_t now;

	if (!dsa->delayed.count)
		return;
	now = dsa->pace == DSA_BY_THREAD ? dsa_now_us() : dsa->steps;
	for (size_t i = dsa->delayed.count; i-- > 0;)
		if (dsa->delayed.items[i]->due <= now)
			dsa_make_ready(dsa, take(&dsa->delayed, i));
}
