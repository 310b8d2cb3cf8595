/* SPDX-License-Identifier: MIT */
/*
 * ptdma_ae4.c - the queues of an AE4DMA function.
 *
 * read_idx tells what is done; the status in the descriptor follows it a moment
 * later, as it may on hardware, and always here. The next ones do not wait for it.
 */
#include <string.h>

#include "ptdma_device.h"

enum { STATE_EMPTY = 0, STATE_FULL = 1, STATE_STOPPED = 2, STATE_ERROR = 3 };
enum { DONE = 3, FAILED = 4 }; /* of a descriptor */

static uint32_t read_at(const struct ptdma_queue *queue, size_t offset)
{
	return ptdma_get(queue->function, queue->at + offset);
}

static int is_enabled(const struct ptdma_queue *queue)
{
	return (queue->control & AE4_ENABLE) && queue->index < ptdma_get(queue->function, 0);
}

static uint32_t slots(const struct ptdma_queue *queue)
{
	return read_at(queue, AE4_MAX);
}

static void put_state(struct ptdma_queue *queue, uint32_t state)
{
	queue->status = state;
	queue->shown_status = state << 1;
	ptdma_put(queue->function, queue->at + AE4_STATUS, queue->shown_status);
}

static void show_control(struct ptdma_queue *queue, uint32_t instead_of)
{
	queue->shown_control = queue->control | AE4_CONTROL_MARK;
	ptdma_swap(queue->function, queue->at + AE4_CONTROL, instead_of, queue->shown_control);
}

/* Enabling it, again, is what ends an error. */
static void look_at_control(struct ptdma_queue *queue)
{
	uint32_t found = read_at(queue, AE4_CONTROL);
	int ran = (queue->control & AE4_ENABLE) && queue->status != STATE_ERROR;

	if (found == queue->shown_control)
		return;
	queue->control = found & ~AE4_CONTROL_MARK;
	show_control(queue, found);
	if ((queue->control & AE4_ENABLE) && !ran)
		queue->function->ptdma->counts.inits++;
	put_state(queue, queue->control & AE4_ENABLE ? STATE_EMPTY : STATE_STOPPED);
}

static void look_at_indices(struct ptdma_queue *queue, uint32_t written)
{
	uint32_t read = read_at(queue, AE4_READ);

	if (read != queue->shown_head) {
		queue->function->ptdma->counts.odd_writes++;
		ptdma_swap(queue->function, queue->at + AE4_READ, read, queue->shown_head);
	}
	if (written == queue->tail)
		return;
	queue->tail = written;
	queue->odd_tail = 0;
	queue->function->ptdma->counts.doorbells++;
}

/* As ring_look(): what was written after a stop is not for the run before it. */
static void ae4_look(struct ptdma_queue *queue)
{
	uint32_t written;

	do {
		look_at_control(queue);
		written = read_at(queue, AE4_WRITE);
	} while (read_at(queue, AE4_CONTROL) != queue->shown_control);
	look_at_indices(queue, written);
	if (queue->stalled && !is_enabled(queue)) {
		queue->stalled = 0;
		if (queue->stage == PTDMA_COPIES)
			queue->stage = PTDMA_EMPTY;
	}
}

/* Counted once for each write_idx. */
static int is_odd(struct ptdma_queue *queue)
{
	uint32_t count = slots(queue);

	if (count >= 2 && count <= AE4_SLOTS_MOST && queue->tail < count &&
	    read_at(queue, AE4_BASE_LOW) % PTDMA_SLOT == 0)
		return 0;
	if (!queue->odd_tail)
		queue->function->ptdma->counts.odd_writes++;
	queue->odd_tail = 1;
	return 1;
}

static int ae4_is_active(struct ptdma_queue *queue)
{
	struct ptdma_counts *counts = &queue->function->ptdma->counts;
	uint32_t waiting, state;

	if (!is_enabled(queue) || queue->status == STATE_ERROR || queue->head == queue->tail ||
	    is_odd(queue))
		return 0;
	waiting = (queue->tail + slots(queue) - queue->head) % slots(queue);
	if (waiting > counts->most_waiting)
		counts->most_waiting = waiting;
	state = waiting == slots(queue) - 1 ? STATE_FULL : STATE_EMPTY;
	if (state != queue->status)
		put_state(queue, state);
	return 1;
}

static uint64_t ae4_slot(const struct ptdma_queue *queue)
{
	uint64_t base =
		(uint64_t)read_at(queue, AE4_BASE_HIGH) << 32 | read_at(queue, AE4_BASE_LOW);

	return base + (uint64_t)queue->head * PTDMA_SLOT;
}

static uint32_t check_fields(const struct ptdma_job *job)
{
	if (!job->length || job->length % 4)
		return AE4_BAD_LENGTH;
	if (job->from % 4)
		return AE4_BAD_SOURCE;
	return job->to % 4 ? AE4_BAD_TARGET : 0;
}

/* Bits 7:4 of the header are told of in two ways: only what both allow is taken. */
static uint32_t ae4_decode(struct ptdma_job *job)
{
	const uint32_t *words = job->words;

	job->interrupt = words[0] >> 1 & 1;
	job->length = words[2];
	job->from = (uint64_t)words[5] << 32 | words[4];
	job->to = (uint64_t)words[7] << 32 | words[6];
	if (words[0] & ~0xbu)
		return AE4_BAD_HEADER;
	if (words[1] & 0xffff)
		return AE4_BAD_STATUS;
	if (words[3])
		return AE4_BAD_DESCRIPTOR;
	return check_fields(job);
}

static void put_head(struct ptdma_queue *queue, uint32_t value)
{
	uint32_t before = queue->shown_head;

	queue->shown_head = value;
	ptdma_swap(queue->function, queue->at + AE4_READ, before, value);
}

static int answer_first(struct ptdma_queue *queue)
{
	const struct ptdma_answer *answer = &queue->answers[0];

	if (!ptdma_store(queue, answer->bus, answer->word))
		return 0;
	queue->answers_count--;
	memmove(queue->answers, queue->answers + 1, queue->answers_count * sizeof(*answer));
	return 1;
}

static int ae4_answer(struct ptdma_queue *queue)
{
	int answered = 0;

	while (queue->answers_count && queue->answers[0].due <= ptdma_now_us() &&
	       answer_first(queue))
		answered = 1;
	return answered;
}

/* The number in the upper half is the user's. */
static void answer_later(struct ptdma_queue *queue)
{
	const struct ptdma_job *job = &queue->job;
	uint32_t status = job->code ? FAILED | (job->code & 0xff) << 8 : DONE;
	struct ptdma_answer *answer;

	if (queue->answers_count == AE4_SLOTS_MOST && !answer_first(queue))
		return;
	answer = &queue->answers[queue->answers_count++];
	answer->bus = job->bus + 4;
	answer->word = (job->words[1] & 0xffff0000u) | status;
	answer->due = ptdma_now_us() + 1 + ptdma_random(queue->function->ptdma, AE4_LAG_US);
}

static void ae4_show_head(struct ptdma_queue *queue)
{
	queue->stage = PTDMA_EMPTY;
	put_head(queue, queue->head);
}

static void step_head(struct ptdma_queue *queue)
{
	const struct ptdma_fate *fate = &queue->job.fate;

	queue->head = (queue->head + 1) % slots(queue);
	if (!fate->shows_wild) {
		put_head(queue, queue->head);
		return;
	}
	put_head(queue, (uint32_t)fate->wild);
	queue->stage = PTDMA_SHOWS_WILD;
	queue->due = ptdma_now_us() + PTDMA_WILD_US;
}

static void fail(struct ptdma_queue *queue)
{
	struct ptdma_job *job = &queue->job;

	if (job->fate.quiet) {
		queue->control &= ~AE4_ENABLE;
		show_control(queue, queue->shown_control);
		return;
	}
	put_state(queue, STATE_ERROR);
	answer_later(queue);
	if (job->fate.past)
		step_head(queue);
}

static void ae4_finish(struct ptdma_queue *queue)
{
	struct ptdma_job *job = &queue->job;

	ae4_look(queue);
	if (!slots(queue))
		return;
	if (job->code) {
		fail(queue);
		return;
	}
	answer_later(queue);
	step_head(queue);
	if (job->interrupt)
		ptdma_put(queue->function, queue->at + AE4_INT_STATUS, 1);
	if (job->fate.hides_run) {
		uint32_t before = queue->shown_control;

		queue->shown_control &= ~AE4_ENABLE;
		ptdma_swap(queue->function, queue->at + AE4_CONTROL, before, queue->shown_control);
	}
}

static void ae4_reset(struct ptdma_queue *queue)
{
	queue->at = (size_t)AE4_BLOCK * (queue->index + 1);
	queue->shown_control = AE4_CONTROL_MARK;
	ptdma_put(queue->function, queue->at + AE4_CONTROL, queue->shown_control);
	put_state(queue, STATE_STOPPED);
}

static int ae4_expects(const struct ptdma_function *function, size_t at, uint32_t *value)
{
	size_t block = at / AE4_BLOCK, offset = at % AE4_BLOCK;

	*value = 0;
	if (block == 0 || block > function->queues_count)
		return at != 0;
	if (offset == AE4_STATUS)
		*value = function->queues[block - 1].shown_status;
	return offset == AE4_STATUS;
}

const struct ptdma_kind ptdma_kind_ae4 = {
	.size = AE4_BAR_SIZE,
	.look = ae4_look,
	.is_active = ae4_is_active,
	.slot = ae4_slot,
	.decode = ae4_decode,
	.finish = ae4_finish,
	.show_head = ae4_show_head,
	.answer = ae4_answer,
	.reset = ae4_reset,
	.expects = ae4_expects,
	.read_error = AE4_READ_ERROR,
	.write_error = AE4_WRITE_ERROR,
};
