/* SPDX-License-Identifier: MIT */
/* ptdma_work.c - what a queue does next: the life of a descriptor, alike for both kinds. */
#include "ptdma_device.h"

/* The rest of it is as the stage says. */
static void begin(struct ptdma_queue *queue)
{
	struct ptdma_function *function = queue->function;
	const struct ptdma_fate *fate = &queue->job.fate;

	if (fate->masterless)
		function->master = 0;
	queue->stage = PTDMA_COPIES;
	if (fate->delay) {
		queue->stage = PTDMA_DELAYED;
		queue->due = ptdma_now_us() + fate->delay;
	}
	if (fate->late)
		queue->stage = PTDMA_HELD;
	if (fate->stuck)
		queue->stage = PTDMA_DEAD;
	if (fate->gone)
		ptdma_pull_out(function);
}

static void end(struct ptdma_queue *queue)
{
	queue->stage = PTDMA_EMPTY;
	queue->function->kind->finish(queue);
}

/* Wrong ones fail before any rule comes true, and are counted for the rules all the same. */
static int take(struct ptdma_queue *queue)
{
	const struct ptdma_kind *kind = queue->function->kind;
	struct ptdma *ptdma = queue->function->ptdma;
	struct ptdma_job *job = &queue->job;

	if (!kind->is_active(queue))
		return 0;
	if (!ptdma_fetch(queue, kind->slot(queue)))
		return 0;
	if (job->code) {
		end(queue);
		return 1;
	}
	job->code = kind->decode(job);
	ptdma_fate_of(ptdma, job);
	if (job->code) {
		ptdma->counts.refused++;
		job->fate = (struct ptdma_fate){0};
		end(queue);
		return 1;
	}
	begin(queue);
	return 1;
}

static int copy(struct ptdma_queue *queue)
{
	if (queue->job.fate.fails)
		queue->job.code = queue->job.fate.code;
	else if (!ptdma_copy_piece(queue))
		return !queue->stalled;
	end(queue);
	return 1;
}

static int is_due(const struct ptdma_queue *queue)
{
	return ptdma_now_us() >= queue->due;
}

static int go_on(struct ptdma_queue *queue)
{
	if (queue->stage == PTDMA_EMPTY)
		return take(queue);
	if (queue->stage == PTDMA_COPIES)
		return copy(queue);
	if (queue->stage == PTDMA_HELD || queue->stage == PTDMA_DEAD || !is_due(queue))
		return 0;
	if (queue->stage == PTDMA_DELAYED)
		queue->stage = PTDMA_COPIES;
	else
		queue->function->kind->show_head(queue);
	return 1;
}

int ptdma_work(struct ptdma_queue *queue)
{
	const struct ptdma_kind *kind = queue->function->kind;

	if (queue->function->gone)
		return 0;
	kind->look(queue);
	return (kind->answer && kind->answer(queue)) | go_on(queue);
}

/* At once, whatever the queue is set to by now: nobody has told the function not to. */
void ptdma_work_held(struct ptdma_queue *queue)
{
	if (queue->stage != PTDMA_HELD || queue->function->gone || !queue->function->master)
		return;
	queue->function->kind->look(queue);
	while (!ptdma_copy_piece(queue))
		;
	end(queue);
}
