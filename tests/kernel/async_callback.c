/* SPDX-License-Identifier: MIT */
/* async_callback.c - callbacks of batches: once, with the result, and what may be called in them. */
#include "async_support.h"

#define UNITS 1
#define MOST  64
#define CHAIN 100

static struct flight flights[MOST];

/* So many in flight at once, each with its callback. */
static void many_called(struct bm_context *context, int count)
{
	for (int i = 0; i < count; i++) {
		flight_new(&flights[i], UNITS);
		flights[i].request.done = flight_called;
	}
	for (int i = 0; i < count; i++)
		flight_start(&flights[i], context);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(flight_wait(&flights[i]), 0);
		AWAIT(atomic_load(&flights[i].calls) > 0);
		ck_assert_uint_eq(flight_check(&flights[i]), 0);
	}
	for (int i = 0; i < count; i++)
		flight_drop(&flights[i]);
}

START_TEST(called_once)
{
	const int counts[] = {1, 8, MOST};

	watchdog_start("async_callback/called_once");
	for (int k = 0; k < 3; k++) {
		struct bm_context *context = context_of(1);

		many_called(context, counts[k]);
		/* After this nothing is called any more. */
		ck_assert_int_eq(bm_context_free(context), 0);
		for (int i = 0; i < counts[k]; i++) {
			ck_assert_int_eq(atomic_load(&flights[i].calls), 1);
			ck_assert_int_eq(flights[i].strange, 0);
			ck_assert_uint_eq(flight_wrong(&flights[i]), 0);
			flight_free(&flights[i]);
		}
	}
	watchdog_stop();
}
END_TEST

/* With pages that cannot move, and cancelled: the same result as from bm_batch_wait(). */
START_TEST(called_with_other_results)
{
	struct bm_context *context = context_of(1);
	struct flight *flight = &flights[0];

	watchdog_start("async_callback/called_with_other_results");
	flight_new(flight, UNITS);
	flight->request.done = flight_called;
	flight->area.targets[7] = -1;
	flight_start(flight, context);
	ck_assert_int_eq(flight_wait(flight), 1);
	flight_drop(flight);
	area_target(&flight->area, nodes[0]);
	flight_holds(flight);
	flight_start(flight, context);
	ck_assert_int_eq(bm_batch_cancel(flight->batch), 0);
	ck_assert_int_ne(flight_wait(flight), -ETIMEDOUT);
	flight_drop(flight);
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_int_eq(atomic_load(&flight->calls), 2);
	ck_assert_int_eq(flight->strange, 0);
	flight_free(flight);
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- chains */

static struct chain {
	struct flight flight;
	struct bm_context *context;
	int most; /* INT32_MAX: until the context is being freed */
	atomic_int links, returned;
	atomic_int broken;
	atomic_int refused; /* what bm_submit() gave when it did not take one */
} chain;

/*
 * Frees its own batch and submits the next one, whose callback may run before
 * this one has returned.
 */
static void next_link(void *user, struct bm_batch *batch, long result)
{
	int number = atomic_fetch_add(&chain.links, 1) + 1;
	struct bm_batch *next = NULL;

	(void)user;
	if (result != 0 || bm_batch_free(batch) != 0)
		atomic_store(&chain.broken, 1);
	if (number < chain.most) {
		int rc = bm_submit(chain.context, &chain.flight.request, &next);

		if (rc != 0)
			atomic_store(&chain.refused, rc);
	}
	atomic_fetch_add(&chain.returned, 1);
}

static void chain_start(int most)
{
	struct bm_batch *first;

	memset(&chain, 0, sizeof(chain));
	chain.most = most;
	chain.context = context_of(1);
	flight_new(&chain.flight, UNITS);
	chain.flight.request.done = next_link;
	chain.flight.request.count = 64;
	ck_assert_int_eq(bm_submit(chain.context, &chain.flight.request, &first), 0);
}

static void chain_end(void)
{
	ck_assert_int_eq(atomic_load(&chain.broken), 0);
	ck_assert_int_eq(atomic_load(&chain.returned), atomic_load(&chain.links));
	ck_assert_uint_eq(flight_wrong(&chain.flight), 0);
	flight_free(&chain.flight);
}

START_TEST(chain_of_callbacks)
{
	watchdog_start("async_callback/chain_of_callbacks");
	chain_start(CHAIN);
	AWAIT(atomic_load(&chain.links) == CHAIN);
	ck_assert_int_eq(bm_context_free(chain.context), 0);
	ck_assert_int_eq(atomic_load(&chain.links), CHAIN);
	ck_assert_int_eq(atomic_load(&chain.refused), 0);
	chain_end();
	watchdog_stop();
}
END_TEST

START_TEST(chain_ends_with_its_context)
{
	watchdog_start("async_callback/chain_ends_with_its_context");
	chain_start(INT32_MAX);
	AWAIT(atomic_load(&chain.links) >= CHAIN);
	ck_assert_int_eq(bm_context_free(chain.context), 0);
	ck_assert_int_eq(atomic_load(&chain.refused), -ESHUTDOWN);
	chain_end();
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- what would have to wait */

/* What calls in a callback give while another batch, `held`, is not complete. */
static struct inside {
	struct bm_context *context, *other_context;
	struct flight held, done, quick, fresh;
	long wait_test, wait_short, wait_ever, free_held, free_context;
	long overlapping, ranges, apart;
	long wait_done, free_done, free_other, progress, submit, cancel;
	atomic_int called;
} in;

static long migrate(struct flight *flight)
{
	return bm_migrate_batch(in.context, flight->area.count, flight->area.pages,
				flight->area.targets, flight->area.status, SWAP_FLAGS);
}

static void try_calls(void *user, struct bm_batch *batch, long result)
{
	struct bm_range range = {.addr = in.held.area.start, .length = PAGE, .node = nodes[0]};
	struct bm_progress progress;

	(void)user;
	(void)batch;
	(void)result;
	in.wait_test = bm_batch_wait(in.held.batch, 0);
	in.wait_short = bm_batch_wait(in.held.batch, 1000);
	in.wait_ever = bm_batch_wait(in.held.batch, BM_FOREVER);
	in.free_held = bm_batch_free(in.held.batch);
	in.free_context = bm_context_free(in.context);
	in.overlapping = migrate(&in.quick);
	in.ranges = bm_migrate_ranges(in.context, 1, &range, sizeof(range), SWAP_FLAGS);
	in.apart = migrate(&in.fresh);
	in.wait_done = bm_batch_wait(in.done.batch, BM_FOREVER);
	in.free_done = bm_batch_free(in.done.batch);
	in.free_other = bm_context_free(in.other_context);
	in.progress = bm_batch_progress(in.held.batch, &progress, sizeof(progress));
	in.submit = bm_submit(in.context, &in.fresh.request, &in.fresh.batch);
	in.cancel = bm_batch_cancel(in.held.batch);
	atomic_store(&in.called, 1);
}

static void inside_start(void)
{
	struct flight own;

	memset(&in, 0, sizeof(in));
	in.context = context_of(1);
	in.other_context = context_of(1);
	flight_new(&in.held, UNITS);
	flight_new(&in.done, UNITS);
	flight_new(&in.fresh, UNITS);
	flight_new(&own, UNITS);
	/* Pages of the one that is held. */
	flight_over(&in.quick, in.held.area.start, 8);
	flight_holds(&in.held);
	flight_start(&in.held, in.context);
	flight_start(&in.done, in.context);
	ck_assert_int_eq(flight_wait(&in.done), 0);
	own.request.done = try_calls;
	flight_start(&own, in.context);
	AWAIT(atomic_load(&in.called));
	flight_free(&own);
}

static void inside_end(void)
{
	ck_assert_int_eq(flight_wait(&in.fresh), 0);
	flight_wait(&in.held);
	ck_assert_uint_gt(flight_check(&in.held), 0);
	ck_assert_int_eq(bm_context_free(in.context), 0);
	flight_free(&in.held);
	in.done.batch = NULL;
	flight_free(&in.done);
	flight_free(&in.fresh);
	flight_free(&in.quick);
}

START_TEST(deadlocks)
{
	NEED_MOVES();
	watchdog_start("async_callback/deadlocks");
	inside_start();
	ck_assert_int_eq(in.wait_test, -ETIMEDOUT);
	ck_assert_int_eq(in.wait_short, -EDEADLK);
	ck_assert_int_eq(in.wait_ever, -EDEADLK);
	ck_assert_int_eq(in.free_held, -EDEADLK);
	ck_assert_int_eq(in.free_context, -EDEADLK);
	ck_assert_int_eq(in.overlapping, -EDEADLK);
	ck_assert_int_eq(in.quick.area.status[0], SENTINEL);
	ck_assert_int_eq(in.ranges, -EDEADLK);
	/* And what need not wait works. */
	ck_assert_int_eq(in.apart, 0);
	ck_assert_int_eq(in.wait_done, 0);
	ck_assert_int_eq(in.free_done, 0);
	ck_assert_int_eq(in.free_other, 0);
	ck_assert_int_eq(in.progress, 0);
	ck_assert_int_eq(in.submit, 0);
	ck_assert_int_eq(in.cancel, 0);
	inside_end();
	watchdog_stop();
}
END_TEST

/* ---------------------------------------------------------------- other batches go on */

static atomic_int hold_callback, held_callbacks;

static void hold(void *user, struct bm_batch *batch, long result)
{
	atomic_fetch_add(&held_callbacks, 1);
	while (atomic_load(&hold_callback))
		usleep(200);
	flight_called(user, batch, result);
}

/* Eight callbacks that do not return hold nothing up, nor the end of their own batches. */
START_TEST(others_go_on_meanwhile)
{
	struct bm_context *context = context_of(1);
	struct flight other;

	watchdog_start("async_callback/others_go_on_meanwhile");
	atomic_store(&hold_callback, 1);
	atomic_store(&held_callbacks, 0);
	for (int i = 0; i < 8; i++) {
		flight_new(&flights[i], UNITS);
		flights[i].request.done = hold;
		flight_start(&flights[i], context);
	}
	flight_new(&other, UNITS);
	flight_start(&other, context);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(bm_batch_wait(flights[i].batch, 20000000), 0);
	ck_assert_int_eq(bm_batch_wait(other.batch, 20000000), 0);
	AWAIT(atomic_load(&held_callbacks) > 0);
	/* Freeing does not wait for the callback, nor does the callback need its batch. */
	flight_free(&other);
	atomic_store(&hold_callback, 0);
	ck_assert_int_eq(bm_context_free(context), 0);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(atomic_load(&flights[i].calls), 1);
		flight_free(&flights[i]);
	}
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&called_once,
					    &called_with_other_results,
					    &chain_of_callbacks,
					    &chain_ends_with_its_context,
					    &deadlocks,
					    &others_go_on_meanwhile,
					    NULL};
const struct report_group async_callback_group = {"async_callback", tests};
