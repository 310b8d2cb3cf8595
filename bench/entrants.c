/* SPDX-License-Identifier: MIT */
/* entrants.c - what entrants do in a round: the library and plain copies. */
#include <numa.h>
#include <sys/mman.h>

#include "contest.h"
#include "team.h"

/* One batch: the entries from @first on to the far or the near node. */
static double move(struct entrant *entrant, size_t first, int to_far)
{
	const struct stage *stage = entrant->stage;
	struct bm_request request;

	/* The way back would find what the way there has left in the pool. */
	if (entrant->quiesce)
		bm_quiesce();

	request_begin(&request, stage->setup);
	request.count = stage->count;
	request.pages = stage->pages + first;
	request.nodes = stage->nodes[to_far];
	request.status = stage->status;
	return mover_run(entrant->mover, &request, stage->unit);
}

double run_mover(struct entrant *entrant)
{
	struct stage *stage = entrant->stage;
	double ns = 0;

	for (size_t i = 0; i < stage->repeats; i++) {
		ns += move(entrant, i * stage->count, stage->setup->two_nodes);
		if (stage->setup->two_nodes)
			ns += move(entrant, i * stage->count, 0);
	}
	return ns;
}

/* ------------------------------------------------------------------ copies */

struct share {
	const struct stage *stage;
	size_t first; /* entry */
	copy_loop *loop;
	const struct region *to, *from;
};

/* What follows each other is one copy. */
static void copy_share(void *arg, int index, int count)
{
	const struct share *share = arg;
	const struct stage *stage = share->stage;
	size_t begin = share->first + stage->count * (size_t)index / (size_t)count;
	size_t end = share->first + stage->count * (size_t)(index + 1) / (size_t)count;

	for (size_t i = begin, next; i < end; i = next) {
		char *page = stage->pages[i];
		size_t at = (size_t)(page - stage->live.start);

		next = stage_run_end(stage, i, end);
		share->loop(share->to->start + at, share->from->start + at,
			    (next - i) * stage->unit);
	}
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
