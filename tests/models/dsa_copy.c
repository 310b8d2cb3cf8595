/* SPDX-License-Identifier: MIT */
/* dsa_copy.c - copies, piece by piece, and reads the lists of batches. */
#include "dsa_device.h"

#include <string.h>

/* A copy under way. */
struct copy {
	uint64_t from, to, size, done;
	int backwards;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The next piece lies within one page of the source and one of the destination. */
static size_t piece_forward(const struct copy *copy)
{
	uint64_t from = copy->from + copy->done, to = copy->to + copy->done;
	size_t length = least(DSA_PAGE - from % DSA_PAGE, DSA_PAGE - to % DSA_PAGE);

	return least(length, copy->size - copy->done);
}

static size_t up_to_page(uint64_t end)
{
	return end % DSA_PAGE ? end % DSA_PAGE : DSA_PAGE;
}

static size_t piece_backward(const struct copy *copy)
{
	uint64_t left = copy->size - copy->done;

	return least(least(up_to_page(copy->from + left), up_to_page(copy->to + left)), left);
}

static void fault(struct dsa_outcome *outcome, uint64_t addr, int wrote)
{
	outcome->record.status = DSA_PAGE_FAULT | (wrote ? DSA_OF_WRITE : 0);
	outcome->record.fault = addr & ~(uint64_t)(DSA_PAGE - 1);
}

/* Of the next byte, the one that could not be. */
static uint64_t next_byte(const struct copy *copy, uint64_t base)
{
	return base + (copy->backwards ? copy->size - copy->done - 1 : copy->done);
}

/* 1: goes on. */
static int copy_piece(struct dsa *dsa, struct copy *copy, uint64_t until,
		      struct dsa_outcome *outcome)
{
	size_t length = copy->backwards ? piece_backward(copy) : piece_forward(copy), moved;
	uint64_t start;
	int wrote;

	length = least(length, until - copy->done);
	start = copy->backwards ? copy->size - copy->done - length : copy->done;
	moved = dsa_move(dsa, copy->to + start, copy->from + start, length, &wrote);
	if (moved == length || !copy->backwards)
		copy->done += moved;
	if (moved == length)
		return 1;
	fault(outcome,
	      copy->backwards ? (wrote ? copy->to : copy->from) + start + moved
			      : next_byte(copy, wrote ? copy->to : copy->from),
	      wrote);
	return 0;
}

/* With BOF the kernel brings the page, and the device never tells of it: only where there is none. */
static uint64_t fated_end(const struct dsa_item *item, uint64_t size, int *wrote)
{
	uint64_t reads = item->fate.read_fault, writes = item->fate.write_fault;

	*wrote = writes < reads;
	if (dsa_flags(&item->descriptor) & DSA_BOF)
		return size;
	return least(least(reads, writes), size);
}

void dsa_copy(struct dsa *dsa, const struct dsa_item *item, struct dsa_outcome *outcome)
{
	const struct dsa_descriptor *descriptor = &item->descriptor;
	struct copy copy = {descriptor->source, descriptor->destination, descriptor->size, 0, 0};
	struct dsa_record *record = &outcome->record;
	int wrote;
	uint64_t until = fated_end(item, copy.size, &wrote);

	copy.backwards = copy.to > copy.from && copy.to < copy.from + copy.size;
	record->result = (uint8_t)copy.backwards;
	record->status = DSA_SUCCESS;
	while (copy.done < until && copy_piece(dsa, &copy, until, outcome))
		;
	outcome->bytes = copy.done;
	if (record->status == DSA_SUCCESS && until < copy.size)
		fault(outcome, next_byte(&copy, wrote ? copy.to : copy.from), wrote);
	if (record->status != DSA_SUCCESS && (dsa_flags(descriptor) & DSA_BOF))
		record->status = DSA_PAGE_FAULT_INVALID | (record->status & DSA_OF_WRITE);
	if (record->status != DSA_SUCCESS)
		record->completed = (uint32_t)copy.done;
}

static int fetch_child(struct dsa *dsa, struct dsa_item *batch, uint32_t index)
{
	struct dsa_item *child = &batch->children[index];
	uint64_t at = batch->descriptor.source + 64 * (uint64_t)index;
	struct dsa_descriptor *to = &child->descriptor;

	if (index < batch->fate.list_fault && dsa_load(dsa, to, at, sizeof(*to)) == sizeof(*to)) {
		child->queue = batch->queue;
		child->parent = batch;
		return 1;
	}
	batch->cut = 1;
	batch->list_fault = at & ~(uint64_t)(DSA_PAGE - 1);
	return 0;
}

void dsa_fetch(struct dsa *dsa, struct dsa_item *batch)
{
	batch->count = batch->issued = batch->done = batch->failed = 0;
	batch->cut = 0;
	while (batch->count < batch->descriptor.size && fetch_child(dsa, batch, batch->count))
		batch->count++;
}
