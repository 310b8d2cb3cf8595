/* SPDX-License-Identifier: MIT */
/* ptdma_bus.c - what a function reads and writes of memory: by the bus, and as a bus master. */
#include "ptdma_device.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Counted once, until there is something to be done by it again. */
static int may_access(struct ptdma_queue *queue)
{
	if (queue->function->master) {
		queue->stalled = 0;
		return 1;
	}
	if (!queue->stalled)
		queue->function->ptdma->counts.masterless++;
	queue->stalled = 1;
	return 0;
}

/* Where these bytes are, and how many of them; NULL: a fault, counted. */
static void *lead(struct ptdma_queue *queue, uint64_t bus, size_t *length, int writes)
{
	struct ptdma *ptdma = queue->function->ptdma;
	void *at = NULL;

	if (bus < PTDMA_ADDRESSES) {
		*length = (size_t)least(*length, PTDMA_ADDRESSES - bus);
		at = ptdma->bus(ptdma->user, queue->function->index, bus, length, writes);
	}
	if (at && *length)
		return at;
	ptdma->counts.faults++;
	return NULL;
}

/* In pieces, as pages lie: 1, or 0 after a fault. */
static int transfer(struct ptdma_queue *queue, uint64_t bus, void *bytes, size_t size, int writes)
{
	unsigned char *local = bytes;

	for (size_t done = 0; done < size;) {
		size_t length = size - done;
		void *at = lead(queue, bus + done, &length, writes);

		if (!at)
			return 0;
		length = (size_t)least(length, size - done);
		ptdma_carry(writes ? at : local + done, writes ? local + done : at, length);
		done += length;
	}
	return 1;
}

int ptdma_fetch(struct ptdma_queue *queue, uint64_t slot)
{
	struct ptdma_job *job = &queue->job;

	if (!may_access(queue))
		return 0;
	*job = (struct ptdma_job){.bus = slot};
	if (!transfer(queue, slot, job->words, sizeof(job->words), 0))
		job->code = queue->function->kind->read_error;
	return 1;
}

int ptdma_store(struct ptdma_queue *queue, uint64_t bus, uint32_t word)
{
	if (!may_access(queue))
		return 0;
	transfer(queue, bus, &word, sizeof(word), 1);
	return 1;
}

/* Up to where the rules let it be copied, and how it ends there. */
static uint64_t fated_end(const struct ptdma_queue *queue, uint32_t *code)
{
	const struct ptdma_job *job = &queue->job;
	const struct ptdma_fate *fate = &job->fate;

	*code = fate->write_fault < fate->read_fault ? queue->function->kind->write_error
						     : queue->function->kind->read_error;
	return least(job->length, least(fate->read_fault, fate->write_fault));
}

static size_t copy_some(struct ptdma_queue *queue, uint64_t until)
{
	const struct ptdma_kind *kind = queue->function->kind;
	struct ptdma_job *job = &queue->job;
	uint64_t piece = PTDMA_CHUNK - ptdma_random(queue->function->ptdma, PTDMA_CHUNK / 2);
	size_t wanted = (size_t)least(piece, until - job->done);
	size_t readable = wanted, writable;
	const void *from = lead(queue, job->from + job->done, &readable, 0);
	void *to;

	if (!from) {
		job->code = kind->read_error;
		return 0;
	}
	readable = (size_t)least(readable, wanted);
	writable = readable;
	to = lead(queue, job->to + job->done, &writable, 1);
	if (!to) {
		job->code = kind->write_error;
		return 0;
	}
	writable = (size_t)least(readable, writable);
	ptdma_carry(to, from, writable);
	return writable;
}

int ptdma_copy_piece(struct ptdma_queue *queue)
{
	struct ptdma_job *job = &queue->job;
	uint32_t code;
	uint64_t until = fated_end(queue, &code);
	size_t copied;

	if (!may_access(queue))
		return 0;
	if (job->done < until) {
		copied = copy_some(queue, until);
		job->done += copied;
		queue->function->ptdma->counts.bytes += copied;
	}
	if (!job->code && job->done == until && until < job->length)
		job->code = code;
	return job->code || job->done == job->length;
}
