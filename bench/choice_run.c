/* SPDX-License-Identifier: MIT */
/*
 * choice_run.c - one turn of a runner.
 *
 * Before each turn bm_quiesce() takes away what other runners left in pools, so
 * that all begin alike and the memory suffices for many. Where the pool shall be
 * warm a pass that is not timed fills it again; where it shall be cold it is
 * emptied before each batch, and the way back is not timed.
 */
#include "choice.h"

static void prepare(const struct scene *scene, struct bm_request *request, size_t index, int to_far)
{
	request_begin(request, &scene->choice->setup);
	request->count = scene->count;
	request->pages = scene->pages + index * scene->count;
	request->nodes = scene->nodes[to_far];
	request->status = scene->status;
}

/* One node: what has no other memory now was left, though it is where it should be. */
static void take_report(struct runner *runner, const struct scene *scene, struct bm_batch *batch,
			long misplaced)
{
	struct bm_report report;
	int rc = bm_batch_report(batch, &report, sizeof(report));

	if (rc < 0)
		library_failed("bm_batch_report", rc);
	runner->entries += scene->count;
	runner->left += scene->choice->setup.two_nodes
				? (uint64_t)misplaced
				: scene->count - report.reasons[BM_REASON_NONE];
	if (report.threads > runner->threads)
		runner->threads = report.threads;
}

/* 0 when it cannot be told. */
static double estimate_ns(struct bm_context *context, const struct bm_request *request)
{
	struct bm_estimate estimate;

	if (bm_estimate(context, request, &estimate, sizeof(estimate)) < 0)
		return 0;
	return (double)estimate.ns;
}

static double batch_run(struct runner *runner, struct scene *scene, size_t index, int to_far,
			int timed)
{
	struct bm_request request;
	struct bm_batch *batch;
	long misplaced;
	double ns;

	prepare(scene, &request, index, to_far);
	if (timed && scene->estimate) {
		*scene->estimate = estimate_ns(runner->context, &request);
		scene->estimate = NULL;
	}
	ns = batch_ns(runner->context, &request, &batch, &misplaced);
	if (timed)
		take_report(runner, scene, batch, misplaced);
	bm_batch_free(batch);
	return ns;
}

/*
 * All batches of a round, each there and back, or to other memory of the only
 * node; the median, so that a slice of somebody else's in one of many is no matter.
 */
static double pass(struct runner *runner, struct scene *scene, int timed)
{
	int two_nodes = scene->choice->setup.two_nodes;
	double ns[REPEATS_MAX];

	for (size_t i = 0; i < scene->repeats; i++) {
		ns[i] = batch_run(runner, scene, i, two_nodes, timed);
		if (two_nodes)
			ns[i] = (ns[i] + batch_run(runner, scene, i, 0, timed)) / 2;
	}
	return spread_of(ns, (int)scene->repeats).median;
}

static double cold_pass(struct runner *runner, struct scene *scene)
{
	int two_nodes = scene->choice->setup.two_nodes;
	double ns[REPEATS_MAX];

	for (size_t i = 0; i < scene->repeats; i++) {
		bm_quiesce();
		ns[i] = batch_run(runner, scene, i, two_nodes, 1);
		if (two_nodes)
			batch_run(runner, scene, i, 0, 0);
	}
	return spread_of(ns, (int)scene->repeats).median;
}

double runner_turn(struct runner *runner, struct scene *scene)
{
	bm_quiesce();
	if (!scene->cold || !runner->primed)
		pass(runner, scene, 0);
	runner->primed = 1;
	return scene->cold ? cold_pass(runner, scene) : pass(runner, scene, 1);
}
