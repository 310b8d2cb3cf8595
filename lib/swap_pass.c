/* SPDX-License-Identifier: MIT */
/* swap_pass.c - whether there is such a pass, with which chunks, in how many threads. */
#include "swap_pass.h"

#include "calibrate.h"
#include "cost.h"
#include "keeper.h"
#include "mover_swap.h"
#include "refill.h"

static void swap_call(void *arg, unsigned int worker, size_t block)
{
	struct bm_job *job = arg;

	bm_mover_swap(job, job->seats[worker], &job->calls[block]);
}

static void leave_all(struct bm_job *job, enum bm_reason why)
{
	for (size_t i = 0; i < job->unit_count; i++) {
		if (job->units[i].state == BM_UNIT_TODO)
			job->units[i].left = (unsigned char)why;
	}
}

/* What is replaced on its node leaves old pages for what comes after it. */
static uint64_t recycling_bytes(const struct bm_job *job, size_t todo)
{
	uint64_t page_size = job->context->page_size;
	struct bm_pool *pool = job->swap ? &job->swap->pool : NULL;

	if (!job->replace || todo == 0 || !pool || pool->env.many_nodes ||
	    bm_pool_ready(pool, job->units[job->order[0]].node, 0) >= page_size * BM_SLAB_PAGES)
		return 0;
	return page_size * bm_cost_recycling_pages(todo, job->rates->chunk_ns + job->rates->run_ns,
						   job->rates->populate_ns);
}

static uint64_t chunk_bytes(const struct bm_job *job, size_t todo)
{
	uint64_t asked = (uint64_t)job->context->config.value[BM_OPTION_CHUNK_KB] << 10;
	uint64_t page_size = job->context->page_size, bytes = page_size * BM_SLAB_PAGES;

	asked = asked ? asked : job->rates->chunk_pages * page_size;
	asked = asked ? asked : recycling_bytes(job, todo);
	while (asked && bytes > asked && bytes > page_size)
		bytes /= 2;
	return bytes;
}

/* What of the slice is to be done, by what it costs. */
static struct bm_rates_slice look_at(const struct bm_job *job, size_t todo)
{
	struct bm_rates_slice slice = {.chunks = job->call_count};
	uint64_t end = 0;

	for (size_t i = 0; i < todo; i++) {
		const struct bm_unit *unit = &job->units[job->order[i]];

		slice.huge += unit->huge;
		slice.pages += !unit->huge;
		slice.runs += !unit->huge && unit->addr != end;
		end = unit->end;
	}
	slice.chunks -= slice.huge < slice.chunks ? slice.huge : slice.chunks;
	return slice;
}

/* How many threads share the slice. */
static unsigned int threads_for(const struct bm_job *job, size_t todo)
{
	int64_t asked = job->context->config.value[BM_OPTION_THREADS];
	struct bm_rates_slice slice = look_at(job, todo);
	uint64_t bytes =
		slice.pages * job->context->page_size + slice.huge * job->context->huge_size;

	if (asked == 0 && bm_rates_one_thread(job->rates, &slice))
		return 1;
	return bm_cost_swap_threads(asked, job->sys->cpus(), bytes);
}

unsigned int bm_swap_pass_plan(struct bm_job *job, size_t todo)
{
	job->chunk_bytes = chunk_bytes(job, todo);
	job->call_count =
		bm_plan_chunks(job->units, job->order, todo, job->chunk_bytes, job->calls);
	return threads_for(job, todo);
}

/* Batches in flight share the seats: fewer threads then. Returns for how many there is one. */
static unsigned int sit_down(struct bm_job *job)
{
	unsigned int seated = 0;

	while (seated < job->swap_threads &&
	       (job->seats[seated] ||
		(job->seats[seated] = bm_swap_sit(job->swap, job->use)) != NULL))
		seated++;
	return seated;
}

void bm_swap_pass(struct bm_job *job)
{
	unsigned int threads;
	size_t todo;

	if (job->no_swap) {
		leave_all(job, job->no_swap);
		return;
	}
	todo = bm_plan_order(job->units, job->unit_count, job->order);
	job->swap_threads = bm_swap_pass_plan(job, todo);
	threads = sit_down(job);
	threads = bm_workers_run(job->sys, &job->placement, threads ? threads : 1, job->call_count,
				 swap_call, job);
	if (threads > job->report.threads)
		job->report.threads = threads;
	/* The threads that sat there have ended. */
	for (size_t i = 0; i < BM_WORKERS_MAX; i++) {
		if (job->seats[i])
			bm_seat_unclaim(job->swap, job->seats[i]);
	}
}

/* Of the calling thread, which helps: its frames are in use in every window. */
static void find_stack(struct bm_job *job)
{
	uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
	const struct bm_vma *vma = bm_vmas_from(&job->vmas, here);
	pthread_attr_t attr;
	void *start;
	size_t size;

	/* The C library would read the mappings once more. */
	if (vma && vma->is_stack) {
		job->stack_start = vma->start;
		job->stack_end = vma->end;
		return;
	}
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &start, &size) == 0) {
		job->stack_start = (uint64_t)(uintptr_t)start;
		job->stack_end = job->stack_start + size;
	}
	pthread_attr_destroy(&attr);
}

static int read_spans(struct bm_job *job)
{
	int strict = job->context->config.value[BM_OPTION_QUIET] == BM_QUIET_STRICT;

	return bm_spans_read(job->sys, job->context->page_size, strict ? &job->vmas : NULL,
			     &job->spans);
}

static void name_copiers(struct bm_job *job)
{
	const struct bm_engine_slot *slots = job->swap->engines.slots;
	int cpu = job->use.cpu >= 0 ? job->use.cpu : job->use.main;

	job->copied_by[0] = slots[job->use.main].backend->name;
	job->copied_by[1] = slots[cpu].backend->name;
}

void bm_swap_pass_open(struct bm_job *job)
{
	struct bm_context *context = job->context;
	uint64_t begin;
	int rc = 0;

	if (!job->choice.wants_swap || job->no_swap)
		return;
	if (job->pid != 0)
		job->no_swap = BM_REASON_FOREIGN;
	else if (!job->choice.quiet)
		job->no_swap = BM_REASON_NO_PROMISE;
	if (!job->no_swap)
		rc = bm_context_swap(context, &job->choice.picks, &job->swap, &job->use);
	begin = job->sys->now_ns();
	if (job->swap) {
		name_copiers(job);
		bm_merged_init(&job->merged, job->sys, job->pagemap, context->page_size);
		bm_refill_begin(&job->swap->pool);
	}
	if (rc == 0 && !job->no_swap)
		rc = bm_vmas_read(job->sys, 0, &job->vmas);
	if (rc < 0)
		job->no_swap = bm_why_not_swap(rc);
	else if (!job->no_swap)
		find_stack(job);
	if (!job->no_swap && read_spans(job) < 0)
		job->no_swap = BM_REASON_NO_POOL;
	job->ns_opening = job->sys->now_ns() - begin;
	/* Who names swap wants no other, and is not asked to pay for it. */
	if (job->swap && (!job->choice.named || job->choice.bound_ns))
		bm_calibrate_once(job->swap);
	job->swap_threads = bm_cost_swap_threads(context->config.value[BM_OPTION_THREADS],
						 job->sys->cpus(), job->count * context->page_size);
}

/* What the engine of a device has copied. */
static uint64_t offloaded_by(const struct bm_seat *seat)
{
	const struct bm_copier *copier = &seat->copier;

	return copier->backend->facts & BM_BACKEND_SYNC ? 0 : copier->offloaded;
}

void bm_swap_pass_close(struct bm_job *job)
{
	if (job->swap) {
		bm_refill_end(&job->swap->pool);
		bm_keeper_wake(&job->swap->pool);
		bm_merged_end(&job->merged);
	}
	bm_vmas_free(&job->vmas);
	bm_spans_free(&job->spans);
	for (size_t i = 0; i < BM_WORKERS_MAX; i++) {
		if (!job->seats[i])
			continue;
		job->report.bytes_offloaded += offloaded_by(job->seats[i]);
		bm_swap_rise(job->swap, job->seats[i]);
		job->seats[i] = NULL;
	}
}
