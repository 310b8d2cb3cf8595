/* SPDX-License-Identifier: MIT */
/*
 * dsa_work.c - a step of the device: one descriptor, or the end of a batch.
 *
 * The lock is let go while bytes are copied, not while the status is written:
 * who sees that finds the entry free.
 */
#include "dsa_device.h"

/* How much later the rest comes than the status, where a rule does not tell. */
#define AFTER_STATUS_STEPS 1
#define AFTER_STATUS_US    50

void dsa_vacate(struct dsa *dsa, struct dsa_item *item)
{
	item->queue->occupied--;
	dsa->counts.in_flight--;
}

static int is_taken(const struct dsa_item *item)
{
	return item->state != DSA_FREE && item->stage != DSA_BODY;
}

static int is_first(const struct dsa_queue *queue, const struct dsa_item *drain)
{
	for (size_t i = 0; i < queue->slots; i++)
		if (is_taken(&queue->items[i]) && queue->items[i].sequence < drain->sequence)
			return 0;
	return 1;
}

static void wake_drains(struct dsa *dsa, struct dsa_queue *queue)
{
	for (size_t i = 0; queue->drains && i < queue->slots; i++) {
		struct dsa_item *item = &queue->items[i];

		if (item->state != DSA_WAITS || !is_first(queue, item))
			continue;
		queue->drains--;
		dsa_make_ready(dsa, item);
	}
}

/*
 * Children go on in the order of the list up to a fence, which waits for all
 * before it; after a failure there is nothing beyond a fence.
 */
static void issue(struct dsa *dsa, struct dsa_item *batch)
{
	while (batch->issued < batch->count) {
		struct dsa_item *child = &batch->children[batch->issued];

		if (dsa_flags(&child->descriptor) & DSA_FENCE) {
			if (batch->done < batch->issued)
				return;
			if (batch->failed) {
				batch->count = batch->issued;
				break;
			}
		}
		batch->issued++;
		dsa_arrive(dsa, child);
	}
	if (batch->done < batch->count)
		return;
	batch->stage = DSA_END;
	dsa_make_ready(dsa, batch);
}

static void child_done(struct dsa *dsa, struct dsa_item *child, uint8_t status)
{
	struct dsa_item *batch = child->parent;

	child->state = DSA_FREE;
	batch->done++;
	batch->failed += status != DSA_SUCCESS;
	issue(dsa, batch);
}

/* What is told of a success beyond that it is one is undefined: nobody may rely on it. */
static void complete(struct dsa *dsa, struct dsa_item *item, struct dsa_outcome *outcome)
{
	struct dsa_item told;
	uint8_t status = outcome->record.status;

	dsa->counts.bytes += outcome->bytes;
	dsa->counts.refused += (uint64_t)outcome->refused;
	if (status == DSA_SUCCESS)
		outcome->record.completed = dsa_random(dsa, UINT32_MAX);
	dsa_record_body(dsa, item, outcome);
	told = *item;
	if (!item->parent) {
		if (item->stage != DSA_BODY)
			dsa_vacate(dsa, item);
		item->state = DSA_FREE;
		wake_drains(dsa, item->queue);
	}
	if (told.stage != DSA_BODY)
		dsa_record_status(dsa, &told, status);
	if (item->parent)
		child_done(dsa, item, status);
}

static void perform(struct dsa *dsa, struct dsa_item *item, struct dsa_outcome *outcome)
{
	struct dsa_record *record = &outcome->record;

	record->status = dsa_check(item, &record->invalid_flags);
	if (record->status) {
		outcome->refused = 1;
		return;
	}
	record->status = item->fate.status;
	if (record->status)
		return;
	if (dsa_opcode(&item->descriptor) == DSA_MEMMOVE)
		dsa_copy(dsa, item, outcome);
	else if (dsa_opcode(&item->descriptor) == DSA_BATCH)
		dsa_fetch(dsa, item);
	else
		record->status = DSA_SUCCESS;
}

static void end_batch(const struct dsa_item *batch, struct dsa_outcome *outcome)
{
	struct dsa_record *record = &outcome->record;

	record->status = batch->cut ? DSA_BATCH_FAULT : DSA_SUCCESS;
	if (batch->failed && !batch->cut)
		record->status = DSA_BATCH_FAILED;
	record->fault = batch->cut ? batch->list_fault : 0;
	record->completed = batch->done;
}

/* The status that it will have, if no page is missing that no rule has taken. */
static uint8_t foreseen(const struct dsa_item *item)
{
	const struct dsa_fate *fate = &item->fate;
	uint32_t flags;
	uint8_t status = dsa_check(item, &flags);

	if (status || fate->status)
		return status ? status : fate->status;
	if (fate->read_fault == DSA_NEVER && fate->write_fault == DSA_NEVER)
		return DSA_SUCCESS;
	return DSA_PAGE_FAULT | (fate->write_fault < fate->read_fault ? DSA_OF_WRITE : 0);
}

static void status_first(struct dsa *dsa, struct dsa_item *item)
{
	item->stage = DSA_BODY;
	dsa_delay(dsa, item, dsa->pace == DSA_BY_THREAD ? AFTER_STATUS_US : AFTER_STATUS_STEPS);
	if (!item->parent) {
		dsa_vacate(dsa, item);
		wake_drains(dsa, item->queue);
	}
	dsa_record_status(dsa, item, foreseen(item));
}

/* 1: a rule has it, and nothing is done now. */
static int is_kept(struct dsa *dsa, struct dsa_item *item)
{
	uint64_t delay = item->fate.delay;

	if (item->fate.lost) {
		item->state = DSA_GONE;
	} else if (item->fate.late) {
		item->state = DSA_HELD;
	} else if (delay) {
		item->fate.delay = 0;
		dsa_delay(dsa, item, delay);
	} else if (item->fate.status_first && item->stage == DSA_BEGIN) {
		status_first(dsa, item);
	} else {
		return 0;
	}
	return 1;
}

void dsa_work_on(struct dsa *dsa, struct dsa_item *item)
{
	struct dsa_outcome outcome = {0};
	struct dsa_queue *queue = item->queue;

	item->state = DSA_WORKS;
	if (item->stage == DSA_END) {
		end_batch(item, &outcome);
		complete(dsa, item, &outcome);
		return;
	}
	queue->working++;
	pthread_mutex_unlock(&dsa->lock);
	perform(dsa, item, &outcome);
	pthread_mutex_lock(&dsa->lock);
	queue->working--;
	if (outcome.record.status) {
		complete(dsa, item, &outcome);
		return;
	}
	item->state = DSA_OPEN;
	issue(dsa, item);
}

int dsa_work(struct dsa *dsa, const struct dsa_queue *queue)
{
	struct dsa_item *item;

	if (dsa->halted)
		return 0;
	item = dsa_pick(dsa, queue);
	if (!item)
		return 0;
	if (item->fate.halt) {
		dsa->halted = 1;
		dsa_make_ready(dsa, item);
		return 0;
	}
	if (!is_kept(dsa, item))
		dsa_work_on(dsa, item);
	return 1;
}
