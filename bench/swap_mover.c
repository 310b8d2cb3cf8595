/* SPDX-License-Identifier: MIT */
/* swap_mover.c - what entrants do in a round: the library, the kernel, plain copies. */
#include "swap.h"

#include <linux/mempolicy.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL_PAGES 4096 /* of a plain loop of move_pages(2) */
#define POOLS_MAX  1024

void mover_open(struct mover *mover, const struct mover_options *wanted)
{
	struct bm_options options;
	int rc;

	memset(mover, 0, sizeof(*mover));
	mover->name = wanted->name;
	bm_options_init(&options, sizeof(options));
	options.mover = wanted->name;
	options.threads = wanted->threads;
	options.pool_mb = wanted->pool_mb;
	options.local_ranks = 1;
	options.pool_idle_ms = 0; /* a pause between rounds must not empty it */
	if (wanted->chunk_kb)
		options.chunk_kb = wanted->chunk_kb;
	rc = bm_context_new(&options, &mover->context);
	if (rc < 0)
		library_failed("bm_context_new", rc);
}

void mover_close(struct mover *mover)
{
	bm_context_free(mover->context);
	mover->context = NULL;
}

static void pools_sum(const struct mover *mover, uint64_t *populated, uint64_t *recycled)
{
	static struct bm_pool_stats pools[POOLS_MAX];
	long count = bm_pool_get(mover->context, pools, sizeof(pools[0]), POOLS_MAX);

	*populated = *recycled = 0;
	if (count < 0)
		library_failed("bm_pool_get", count);
	for (long i = 0; i < count && i < POOLS_MAX; i++) {
		*populated += pools[i].populated;
		*recycled += pools[i].recycled;
	}
}

uint64_t mover_populated(const struct mover *mover)
{
	uint64_t populated, recycled;

	pools_sum(mover, &populated, &recycled);
	return populated;
}

uint64_t mover_recycled(const struct mover *mover)
{
	uint64_t populated, recycled;

	pools_sum(mover, &populated, &recycled);
	return recycled;
}

void mover_reset(struct mover *mover)
{
	*mover = (struct mover){.context = mover->context, .name = mover->name};
	mover->populated = mover_populated(mover);
}

static void take_report(struct mover *mover, struct bm_batch *batch, const struct stage *stage)
{
	struct bm_report report;
	int rc = bm_batch_report(batch, &report, sizeof(report));

	if (rc < 0)
		library_failed("bm_batch_report", rc);
	mover->batches++;
	mover->entries += stage->count;
	mover->bytes += stage->count * stage->unit;
	mover->entries_as_asked += report.reasons[BM_REASON_NONE];
	mover->bytes_swapped += report.bytes_swapped;
	mover->windows += report.windows;
	mover->ns_window += report.ns_window;
	if (report.ns_window_max > mover->ns_window_max)
		mover->ns_window_max = report.ns_window_max;
	mover->ns_phase[0] = report.ns_plan;
	mover->ns_phase[1] = report.ns_classify;
	mover->ns_phase[2] = report.ns_move;
	mover->ns_phase[3] = report.ns_verify;
	for (int i = 0; i < BM_REASON_COUNT; i++)
		mover->reasons[i] += report.reasons[i];
	if (report.threads > mover->threads)
		mover->threads = report.threads;
}

/* One batch: the entries from @first on to the far or the near node. */
static double move(struct mover *mover, struct stage *stage, size_t first, int to_far)
{
	struct bm_request request;
	struct bm_batch *batch;
	long misplaced;
	double ns;

	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | (stage->setup->two_nodes ? 0 : BM_REPLACE);
	request.count = stage->count;
	request.pages = stage->pages + first;
	request.nodes = stage->nodes[to_far];
	request.status = stage->status;
	ns = batch_ns(mover->context, &request, &batch, &misplaced);
	take_report(mover, batch, stage);
	bm_batch_free(batch);
	return ns;
}

double run_mover(struct entrant *entrant)
{
	struct stage *stage = entrant->stage;
	double ns = 0;

	if (stage->accessor)
		accessor_into(stage->accessor, entrant->histogram);
	for (size_t i = 0; i < stage->repeats; i++) {
		ns += move(entrant->mover, stage, i * stage->count, stage->setup->two_nodes);
		if (stage->setup->two_nodes)
			ns += move(entrant->mover, stage, i * stage->count, 0);
	}
	if (stage->accessor)
		accessor_into(stage->accessor, NULL);
	return ns;
}

/* ------------------------------------------------------- shares of a call */

struct share {
	const struct stage *stage;
	size_t first; /* entry */
	copy_loop *loop;
	const struct region *to, *from;
	const int *nodes;
};

static void copy_share(void *arg, int index, int count)
{
	const struct share *share = arg;
	const struct stage *stage = share->stage;
	size_t step = stage->stride * stage->setup->page_size;
	size_t begin = share->first + stage->count * (size_t)index / (size_t)count;
	size_t end = share->first + stage->count * (size_t)(index + 1) / (size_t)count;
	char *to = share->to->start;
	const char *from = share->from->start;

	if (step == stage->unit) {
		share->loop(to + begin * step, from + begin * step, (end - begin) * step);
		return;
	}
	for (size_t i = begin; i < end; i++)
		share->loop(to + i * step, from + i * step, stage->unit);
}

double run_copy(struct entrant *entrant)
{
	struct stage *stage = entrant->stage;
	struct share share = {.stage = stage, .loop = entrant->loop};
	double ns = 0;

	for (size_t i = 0; i < stage->repeats; i++) {
		share.first = i * stage->count;
		share.to = &stage->other;
		share.from = &stage->live;
		ns += in_threads(copy_share, &share, stage->threads);
		if (!stage->setup->two_nodes)
			continue;
		share.to = &stage->live;
		share.from = &stage->other;
		ns += in_threads(copy_share, &share, stage->threads);
	}
	return ns;
}

/* The memory that is written to is given back before; all entries, one call a round. */
static double populate_pass(struct entrant *entrant, int to_far)
{
	struct stage *stage = entrant->stage;
	const struct setup *setup = stage->setup;
	struct share share = {.stage = stage, .loop = copy_populate};
	double ns;

	share.to = to_far ? &stage->other : &stage->live;
	share.from = to_far ? &stage->live : &stage->other;
	if (madvise(share.to->start, share.to->length, MADV_DONTNEED) < 0)
		die("MADV_DONTNEED");
	if (setup->two_nodes)
		numa_set_preferred(to_far ? setup->far : setup->near);
	ns = in_threads(copy_share, &share, stage->threads);
	if (setup->two_nodes)
		numa_set_localalloc();
	return ns;
}

double run_populate(struct entrant *entrant)
{
	double ns = populate_pass(entrant, 1);

	if (entrant->stage->setup->two_nodes)
		ns += populate_pass(entrant, 0);
	return ns;
}

static void move_pages_share(void *arg, int index, int count)
{
	const struct share *share = arg;
	const struct stage *stage = share->stage;
	size_t begin = stage->count * (size_t)index / (size_t)count;
	size_t end = stage->count * (size_t)(index + 1) / (size_t)count;

	for (size_t at = begin; at < end; at += CALL_PAGES) {
		size_t some = end - at < CALL_PAGES ? end - at : CALL_PAGES;

		if (syscall(SYS_move_pages, 0, some, stage->pages + share->first + at, share->nodes,
			    stage->status + at, MPOL_MF_MOVE) < 0)
			die("move_pages");
	}
}

double run_move_pages(struct entrant *entrant)
{
	struct stage *stage = entrant->stage;
	struct share share = {.stage = stage};
	double ns = 0;

	for (size_t i = 0; i < stage->repeats; i++) {
		share.first = i * stage->count;
		for (int to_far = 1; to_far >= 0; to_far--) {
			share.nodes = stage->nodes[to_far];
			ns += in_threads(move_pages_share, &share, stage->threads);
		}
	}
	return ns;
}
