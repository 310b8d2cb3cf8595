/* SPDX-License-Identifier: MIT */
/*
 * estimate_faults.c - estimates on the fake kernel, where each call and each
 * allocation fails once. An estimate moves nothing and writes no output; one
 * that fails writes no estimate either, and the context is as it was.
 */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define PAGES 300
#define MOST  2000

static const struct {
	enum fake_call call;
	int error;
} faults[] = {
	{FAKE_ALLOC, -ENOMEM}, {FAKE_THREAD, -EAGAIN}, {FAKE_QUERY, -ENOMEM}, {FAKE_QUERY, -EPERM},
	{FAKE_QUERY, -ESRCH},  {FAKE_OPEN, -EMFILE},   {FAKE_OPEN, -EACCES},  {FAKE_IOCTL, -EPERM},
	{FAKE_IOCTL, -ENOMEM}, {FAKE_READ, -ENOMEM},   {FAKE_PREAD, -EIO},
};

static struct {
	struct bm_context *context;
	struct scene scene;
	struct bm_range ranges[2];
	struct bm_request request;
	struct bm_rates rates;
	struct bm_stats stats;
} world;
static char what[128];

static void make_request(int with_ranges)
{
	struct bm_request *request = &world.request;
	struct scene *scene = &world.scene;

	bm_request_init(request, sizeof(*request));
	request->max_stall_us = 1000;
	request->max_bytes_per_s = 1000000000;
	if (with_ranges) {
		for (size_t i = 0; i < 2; i++)
			world.ranges[i] = (struct bm_range){
				.addr = (void *)(uintptr_t)(BASE + i * 150 * 4096),
				.length = 150 * 4096,
				.node = 1,
				.error = UNSET};
		request->count = 2;
		request->ranges = world.ranges;
		request->range_size = sizeof(world.ranges[0]);
		return;
	}
	request->count = PAGES;
	request->pages = scene->pages;
	request->nodes = scene->nodes;
	request->status = scene->status;
	request->reasons = scene->reasons;
	for (size_t i = 0; i < PAGES; i++) {
		scene->status[i] = UNSET;
		scene->reasons[i] = 255;
	}
}

static void make_world(int old, int with_ranges)
{
	struct fake_area *area;

	fake_reset();
	fake.old = old;
	fake_file(BM_RELEASE_FILE, old ? "6.1.0-47-amd64\n" : "6.12.1\n");
	fake_env("BATCHMIG_THREADS", "2");
	fake_env("BATCHMIG_CALL_PAGES", "64");
	area = fake_map(BASE, PAGES, 0);
	for (size_t i = 0; i < PAGES; i += 20) {
		area->pages[i].present = 0;
		area->pages[i + 1].node = 1;
	}
	world.context = fake_context();
	scene_line(&world.scene, PAGES, 1);
	make_request(with_ranges);
	bm_rates_copy(&world.rates, &world.context->pairs.general);
	bm_stats_get(world.context, &world.stats, sizeof(world.stats));
}

/* Nothing was touched that others see. */
static void check_world(void)
{
	struct bm_stats stats;

	ck_assert_msg(fake.calls[FAKE_MOVE] == 0, "%s: pages moved", what);
	ck_assert_msg(fake.open_fds == 0, "%s: a descriptor is open", what);
	for (size_t i = 0; i < PAGES; i++)
		ck_assert(world.request.ranges ||
			  (world.scene.status[i] == UNSET && world.scene.reasons[i] == 255));
	for (size_t i = 0; i < 2; i++)
		ck_assert(!world.request.ranges || world.ranges[i].error == UNSET);
	ck_assert_int_eq(memcmp(&world.rates, &world.context->pairs.general, sizeof(world.rates)),
			 0);
	bm_stats_get(world.context, &stats, sizeof(stats));
	ck_assert_int_eq(memcmp(&stats, &world.stats, sizeof(stats)), 0);
	ck_assert(bm_queue_is_empty(&world.context->queue));
}

/* The errors of submit and wait; those of opening pagemap are for ranges. */
static int documented(int rc, size_t fault)
{
	if (faults[fault].call == FAKE_OPEN)
		return rc == 0 || (world.request.ranges && rc == faults[fault].error);
	/* Half of a range is no estimate of it. */
	if (world.request.ranges && rc == faults[fault].error)
		return 1;
	return rc == 0 || rc == -ENOMEM || rc == -EPERM || rc == -ESRCH;
}

static void look(struct bm_estimate *estimate, struct bm_estimate *whole, size_t fault)
{
	struct bm_estimate empty;
	int rc;

	memset(&empty, 0x77, sizeof(empty));
	*estimate = empty;
	rc = bm_estimate(world.context, &world.request, estimate, sizeof(*estimate));
	ck_assert_msg(documented(rc, fault), "%s: %d", what, rc);
	ck_assert_msg((memcmp(estimate, &empty, sizeof(empty)) == 0) == (rc < 0),
		      "%s: %d, and an estimate", what, rc);
	if (rc == 0)
		ck_assert_msg(estimate->pages == whole->pages && estimate->pages > 0,
			      "%s: %d pages of %d", what, (int)estimate->pages, (int)whole->pages);
}

/* 0 when the fault did not come. */
static int look_with(size_t fault, uint64_t n, int old, int with_ranges)
{
	struct bm_estimate first, estimate, again;
	int fired;

	make_world(old, with_ranges);
	ck_assert_int_eq(bm_estimate(world.context, &world.request, &first, sizeof(first)), 0);
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	look(&estimate, &first, fault);
	fired = fake.fired;
	check_world();
	fake_fail(0, 0, 0);
	ck_assert_int_eq(bm_estimate(world.context, &world.request, &again, sizeof(again)), 0);
	ck_assert_msg(memcmp(&first, &again, sizeof(first)) == 0, "%s: afterwards another one",
		      what);
	check_world();
	scene_free(&world.scene);
	bm_context_free(world.context);
	return fired;
}

static void each_call(int old, int with_ranges)
{
	for (size_t fault = 0; fault < sizeof(faults) / sizeof(faults[0]); fault++) {
		uint64_t n = 0;

		do {
			ck_assert_uint_lt(++n, MOST);
			snprintf(what, sizeof(what), "call %d fails with %d at number %llu",
				 (int)faults[fault].call, faults[fault].error,
				 (unsigned long long)n);
		} while (look_with(fault, n, old, with_ranges));
	}
	fake_end();
}

START_TEST(of_pages)
{
	each_call(0, 0);
	each_call(1, 0);
}
END_TEST

START_TEST(of_ranges)
{
	each_call(0, 1);
	each_call(1, 1);
}
END_TEST

static const TTest *const *const tests[] = {&of_pages, &of_ranges, NULL};
const struct report_group estimate_faults_group = {"estimate_faults", tests};
