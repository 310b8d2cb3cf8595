/* SPDX-License-Identifier: MIT */
/* swap_refill.c - migrations that go one way, with a pool that is refilled and one that is not. */
#include "swap_support.h"

#define COUNT 2 /* huge pages, or as much in base pages */
#define BYTES ((uint64_t)COUNT * HUGE)

static void refiller_new(struct swapper *swapper, const char *refill)
{
	struct bm_options options;

	*swapper = (struct swapper){.flags = SWAP_FLAGS, .mover = "swap"};
	bm_options_init(&options, sizeof(options));
	options.threads = 2;
	options.pool_mb = 64;
	options.pool_idle_ms = 0;
	options.pool_refill = refill;
	ck_assert_int_eq(bm_context_new(&options, &swapper->context), 0);
}

/* What the pool says of a node. */
static struct bm_pool_stats pool_of(const struct swapper *swapper, int node)
{
	struct bm_pool_stats pools[8], none = {.node = node};
	long count = bm_pool_get(swapper->context, pools, sizeof(pools[0]), 8);

	ck_assert_int_ge(count, 0);
	for (long i = 0; i < count && i < 8; i++) {
		if (pools[i].node == node)
			return pools[i];
	}
	return none;
}

static uint64_t ready_of(const struct swapper *swapper, int huge)
{
	struct bm_pool_stats pool = pool_of(swapper, nodes[1]);

	return huge ? pool.huge_bytes : pool.base_bytes;
}

/* One second is plenty; an emulated machine gets more. */
static uint64_t await_ready(const struct swapper *swapper, int huge)
{
	for (int i = 0; i < 500 && ready_of(swapper, huge) < BYTES; i++) {
		usleep(10000);
		watchdog_beat();
	}
	return ready_of(swapper, huge);
}

/* From nodes[0] to nodes[1], where it stays. */
static struct bm_pool_stats one_way(struct swapper *swapper, int huge)
{
	struct bm_pool_stats before = pool_of(swapper, nodes[1]), after;
	uint64_t *frames;
	struct area area;

	area_new_low(&area, COUNT, huge, nodes[0]);
	frames = frames_of(&area);
	area_target(&area, nodes[1]);
	ck_assert_int_eq(swapper_submit(swapper, &area), 0);
	after = pool_of(swapper, nodes[1]);
	check_swapped(swapper, &area, frames);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	free(frames);
	area_free(&area);
	after.recycled -= before.recycled;
	after.populated -= before.populated;
	return after;
}

static void refilled(int huge)
{
	struct swapper swapper;

	refiller_new(&swapper, "on");
	/* After it the keeper may have begun already. */
	ck_assert_uint_ge(one_way(&swapper, huge).populated, BYTES);
	for (int round = 0; round < 3; round++) {
		ck_assert_uint_ge(await_ready(&swapper, huge), BYTES);
		ck_assert_uint_eq(one_way(&swapper, huge).recycled, BYTES);
	}
	swapper_free(&swapper);
}

START_TEST(one_way_on)
{
	NEED_NODES();
	if (swap_refusal())
		skip_test("no mover swap");
	watchdog_start("swap_refill/one_way_on");
	refilled(0);
	refilled(1);
	watchdog_stop();
}
END_TEST

START_TEST(one_way_off)
{
	struct bm_pool_stats told;
	struct swapper swapper;

	NEED_NODES();
	if (swap_refusal())
		skip_test("no mover swap");
	watchdog_start("swap_refill/one_way_off");
	refiller_new(&swapper, "off");
	for (int round = 0; round < 2; round++) {
		told = one_way(&swapper, 0);
		ck_assert_uint_eq(told.populated, BYTES);
		ck_assert_uint_eq(told.recycled, 0);
		told = pool_of(&swapper, nodes[1]);
		sleep(1);
		ck_assert_uint_eq(pool_of(&swapper, nodes[1]).populated, told.populated);
		ck_assert_uint_eq(ready_of(&swapper, 0), 0);
	}
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* What comes back by itself need not be populated. */
START_TEST(there_and_back)
{
	struct bm_pool_stats told;
	struct swapper swapper;
	struct area area;

	if (swap_refusal())
		skip_test("no mover swap");
	watchdog_start("swap_refill/there_and_back");
	refiller_new(&swapper, "on");
	area_new_low(&area, COUNT, 0, nodes[0]);
	for (int round = 0; round < 2; round++)
		ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
	if (node_count > 1)
		await_ready(&swapper, 0);
	usleep(200000);
	told = pool_of(&swapper, node_of_round(0));
	for (int round = 0; round < 6; round++)
		ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
	usleep(200000);
	ck_assert_uint_eq(pool_of(&swapper, node_of_round(0)).populated, told.populated);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	check_any_swapped(&swapper);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {&one_way_on, &one_way_off, &there_and_back, NULL};
const struct report_group swap_refill_group = {"swap_refill", tests};
