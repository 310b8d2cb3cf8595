/* SPDX-License-Identifier: MIT */
/* ptdma_ring.c - the queue of a PTDMA function: its registers, its ring, its errors. */
#include "ptdma_device.h"

#define SIZE_MOST 12 /* 8192 descriptors: the largest ring that was seen */

static uint32_t read_at(const struct ptdma_queue *queue, size_t offset)
{
	return ptdma_get(queue->function, queue->at + offset);
}

static uint32_t ring_mask(const struct ptdma_queue *queue)
{
	return (1u << ((queue->control >> 3 & 0x1f) + 6)) - 1;
}

static int runs(uint32_t control)
{
	return (control & PTDMA_RUN) && !(control & PTDMA_HALT);
}

/* Puts a value in the place of the one that stands there; a write in between is seen next time. */
static void show_control(struct ptdma_queue *queue, uint32_t instead_of, uint32_t value)
{
	queue->shown_control = value | PTDMA_CONTROL_MARK;
	ptdma_swap(queue->function, queue->at + PTDMA_CONTROL, instead_of, queue->shown_control);
}

/* What was written clears bits; then bits are set. */
static void update_int(struct ptdma_queue *queue, uint32_t set)
{
	uint32_t found, next;

	do {
		found = read_at(queue, PTDMA_INT_STATUS);
		if (found != queue->shown_int)
			queue->int_status &= ~(found & PTDMA_INT_ALL);
		queue->int_status |= set;
		next = queue->int_status | PTDMA_INT_MARK;
	} while (!ptdma_swap(queue->function, queue->at + PTDMA_INT_STATUS, found, next));
	queue->shown_int = next;
}

static int look_at_control(struct ptdma_queue *queue)
{
	uint32_t found = read_at(queue, PTDMA_CONTROL);

	if (found == queue->shown_control)
		return 0;
	if (!runs(queue->control) && runs(found))
		queue->function->ptdma->counts.inits++;
	queue->control = found & ~PTDMA_CONTROL_MARK;
	show_control(queue, found, queue->control);
	return 1;
}

/* While it runs, HEAD is not for users to write. */
static void look_at_head(struct ptdma_queue *queue, uint32_t found, int may_write)
{
	if (found == queue->shown_head)
		return;
	if (!may_write) {
		queue->function->ptdma->counts.odd_writes++;
		ptdma_swap(queue->function, queue->at + PTDMA_HEAD, found, queue->shown_head);
		return;
	}
	queue->head = queue->shown_head = found;
	queue->job.orphan = 1;
	queue->status = 0;
	queue->shown_status = 0;
	ptdma_put(queue->function, queue->at + PTDMA_STATUS, 0);
}

static void look_at_tail(struct ptdma_queue *queue, uint32_t found)
{
	if (found == queue->tail)
		return;
	queue->tail = found;
	queue->odd_tail = 0;
	queue->function->ptdma->counts.doorbells++;
}

/*
 * CONTROL before the others: who sets it going has written them before. And once
 * more after them: who changes them for another run has stopped it before, perhaps
 * since the last look.
 */
static void ring_look(struct ptdma_queue *queue)
{
	int may_write = !runs(queue->control);
	uint32_t head, tail;

	do {
		may_write |= look_at_control(queue);
		head = read_at(queue, PTDMA_HEAD);
		tail = read_at(queue, PTDMA_TAIL);
	} while (read_at(queue, PTDMA_CONTROL) != queue->shown_control);
	look_at_head(queue, head, may_write);
	look_at_tail(queue, tail);
	update_int(queue, 0);
	/* It is given up where it could not go on. */
	if (queue->stalled && !runs(queue->control)) {
		queue->stalled = 0;
		if (queue->stage == PTDMA_COPIES)
			queue->stage = PTDMA_EMPTY;
	}
}

/* Counted once for each tail. */
static int is_odd(struct ptdma_queue *queue)
{
	uint32_t mask = ring_mask(queue);

	if ((queue->control >> 3 & 0x1f) <= SIZE_MOST && !(queue->control & PTDMA_LOCAL) &&
	    (queue->tail & ~mask) == (queue->head & ~mask) && queue->tail % PTDMA_SLOT == 0 &&
	    queue->head % PTDMA_SLOT == 0)
		return 0;
	if (!queue->odd_tail)
		queue->function->ptdma->counts.odd_writes++;
	queue->odd_tail = 1;
	return 1;
}

static int ring_is_active(struct ptdma_queue *queue)
{
	struct ptdma_counts *counts = &queue->function->ptdma->counts;
	uint64_t waiting;

	if (!runs(queue->control) || queue->head == queue->tail || is_odd(queue))
		return 0;
	waiting = ((queue->tail - queue->head) & ring_mask(queue)) / PTDMA_SLOT;
	if (waiting > counts->most_waiting)
		counts->most_waiting = waiting;
	return 1;
}

static uint64_t ring_slot(const struct ptdma_queue *queue)
{
	return (uint64_t)(queue->control >> 16) << 32 | queue->head;
}

static uint32_t check_reserved(const uint32_t *words)
{
	if (words[0] & (0xfe000000u | 0x4) || words[6] || words[7])
		return PTDMA_ILLEGAL_RESERVED;
	/* Also the context of another engine, and addresses that stand still. */
	if (words[3] >> 18 || words[5] >> 18)
		return PTDMA_ILLEGAL_RESERVED;
	return 0;
}

/* Nothing but a plain copy: a function that changes bytes is none that is known here. */
static uint32_t ring_decode(struct ptdma_job *job)
{
	const uint32_t *words = job->words;

	job->interrupt = words[0] >> 1 & 1;
	job->stops = words[0] & 1;
	job->length = words[1];
	job->from = (uint64_t)(words[3] & 0xffff) << 32 | words[2];
	job->to = (uint64_t)(words[5] & 0xffff) << 32 | words[4];
	if ((words[0] >> 20 & 0xf) != 5)
		return PTDMA_ILLEGAL_ENGINE;
	if (words[3] >> 16 & 3 || words[5] >> 16 & 3)
		return PTDMA_ILLEGAL_MEMORY;
	if (check_reserved(words))
		return PTDMA_ILLEGAL_RESERVED;
	if (!job->length)
		return PTDMA_ILLEGAL_LENGTH;
	return words[0] & 0xfffe0 ? PTDMA_ILLEGAL_MODE : 0;
}

static void put_head(struct ptdma_queue *queue, uint32_t value)
{
	uint32_t before = queue->shown_head;

	queue->shown_head = value;
	if (!ptdma_swap(queue->function, queue->at + PTDMA_HEAD, before, value))
		queue->shown_head = before;
}

static void ring_show_head(struct ptdma_queue *queue)
{
	if (queue->stage == PTDMA_SHOWS_WILD)
		queue->stage = PTDMA_EMPTY;
	put_head(queue, queue->head);
}

static void step_head(struct ptdma_queue *queue)
{
	const struct ptdma_job *job = &queue->job;
	uint32_t mask = ring_mask(queue);

	queue->head = (queue->head & ~mask) | ((queue->head + PTDMA_SLOT) & mask);
	if (!job->fate.shows_wild) {
		put_head(queue, queue->head);
		return;
	}
	put_head(queue, (uint32_t)job->fate.wild);
	queue->stage = PTDMA_SHOWS_WILD;
	queue->due = ptdma_now_us() + PTDMA_WILD_US;
}

static void halt(struct ptdma_queue *queue, uint32_t also)
{
	uint32_t before = queue->shown_control;

	queue->control = (queue->control & ~PTDMA_RUN) | also;
	show_control(queue, before, queue->control);
}

/* The first error is kept until the queue is set up anew. */
static void fail(struct ptdma_queue *queue)
{
	const struct ptdma_job *job = &queue->job;

	if (!job->fate.quiet) {
		if (!queue->status)
			queue->status = job->code & 0x3f;
		queue->shown_status = queue->status;
		ptdma_put(queue->function, queue->at + PTDMA_STATUS, queue->status);
		update_int(queue, PTDMA_INT_ERROR);
	}
	halt(queue, PTDMA_HALT);
	if (job->fate.past)
		step_head(queue);
}

/* Bits first: who sees HEAD sees what belongs to it. */
static void succeed(struct ptdma_queue *queue)
{
	const struct ptdma_job *job = &queue->job;
	uint32_t mask = ring_mask(queue), bits = job->interrupt ? PTDMA_INT_COMPLETION : 0;

	if (((queue->head + PTDMA_SLOT) & mask) == (queue->tail & mask))
		bits |= PTDMA_INT_EMPTY;
	if (job->stops) {
		bits |= PTDMA_INT_STOPPED;
		halt(queue, 0);
	}
	update_int(queue, bits);
	if (job->fate.hides_run)
		show_control(queue, queue->shown_control, queue->control & ~PTDMA_RUN);
	step_head(queue);
}

static void ring_finish(struct ptdma_queue *queue)
{
	ring_look(queue);
	if (queue->job.orphan)
		return;
	if (queue->job.code)
		fail(queue);
	else
		succeed(queue);
}

static void ring_reset(struct ptdma_queue *queue)
{
	queue->at = PTDMA_QUEUE;
	queue->shown_control = PTDMA_CONTROL_MARK;
	queue->shown_int = PTDMA_INT_MARK;
	ptdma_put(queue->function, queue->at + PTDMA_CONTROL, queue->shown_control);
	ptdma_put(queue->function, queue->at + PTDMA_INT_STATUS, queue->shown_int);
}

static int ring_expects(const struct ptdma_function *function, size_t at, uint32_t *value)
{
	static const size_t writable[] = {PTDMA_CMD_QUEUE_PRIO,
					  PTDMA_CMD_REQID_CONFIG,
					  PTDMA_CMD_TIMEOUT,
					  PTDMA_CMD_TIMEOUT_GRANULARITY,
					  PTDMA_IRQ_MASK,
					  PTDMA_CMD_CONFIG,
					  PTDMA_CMD_CLK_GATE_CTL,
					  PTDMA_QUEUE + PTDMA_CONTROL,
					  PTDMA_QUEUE + PTDMA_TAIL,
					  PTDMA_QUEUE + PTDMA_HEAD,
					  PTDMA_QUEUE + PTDMA_INT_ENABLE,
					  PTDMA_QUEUE + PTDMA_INT_STATUS};

	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
		if (at == writable[i])
			return 0;
	*value = 0;
	if (at == PTDMA_CMD_PT_VERSION)
		*value = PTDMA_VERSION_VALUE;
	if (at == PTDMA_QUEUE + PTDMA_STATUS)
		*value = function->queues[0].shown_status;
	return 1;
}

const struct ptdma_kind ptdma_kind_ring = {
	.size = PTDMA_BAR_SIZE,
	.look = ring_look,
	.is_active = ring_is_active,
	.slot = ring_slot,
	.decode = ring_decode,
	.finish = ring_finish,
	.show_head = ring_show_head,
	.reset = ring_reset,
	.expects = ring_expects,
	.read_error = PTDMA_READ_ERROR,
	.write_error = PTDMA_WRITE_ERROR,
};
