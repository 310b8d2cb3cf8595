/* SPDX-License-Identifier: MIT */
/* trouble.c - pages that will not move, full nodes, others that interfere, exits. */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define HUGE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

/* A page behind a pinned one and a hole is tried, also without any retry. */
START_TEST(a_pinned_page_stops_nobody)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 6, 0);
	area->pages[1].pinned = -1;
	area->pages[2].present = 0;
	area->pages[4].pinned = -1;
	context = fake_context_with("BATCHMIG_RETRIES", "0");
	scene_line(&scene, 6, 1);
	for (int round = 0; round < 2; round++) {
		long result =
			round ? scene_migrate(&scene, context) : scene_submit(&scene, context);

		ck_assert_int_eq(result, 3);
		scene_check(&scene, result, round == 0);
		ck_assert_int_eq(scene.status[3], 1);
		ck_assert_int_eq(scene.status[5], 1);
		ck_assert_int_eq(scene.status[1], -EBUSY);
		for (size_t i = 0; i < 6; i++)
			area->pages[i].node = 0;
	}
	ck_assert_uint_eq(fake.sleeps, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Each shared page ends a list; the list of the pinned one is not tried with each of them. */
START_TEST(a_pinned_page_costs_one_call)
{
	struct bm_context *context;
	struct fake_area *area;
	struct scene scene;

	fake_reset();
	area = fake_map(BASE, 4000, 0);
	area->pages[0].pinned = -1;
	for (size_t i = 1; i < 4000; i += 2)
		area->pages[i].shared = 1;
	context = fake_context_with("BATCHMIG_RETRIES", "0");
	scene_line(&scene, 4000, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 2001);
	scene_check(&scene, 2001, 1);
	ck_assert_uint_le(fake.calls[FAKE_MOVE], 4);
	/* All were asked before, a list that failed once more, the rest at the end. */
	ck_assert_uint_le(fake.asked, 4000 + 100 + 2100);
	ck_assert_uint_le(scene.report.tally.retried, 1);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(pauses_are_bounded)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 50, 0)->pages[20].pinned = -1;
	fake_env("BATCHMIG_RETRY_US", "50");
	context = fake_context_with("BATCHMIG_RETRIES", "5");
	scene_line(&scene, 50, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 1);
	scene_check(&scene, 1, 1);
	ck_assert_int_eq(scene.reasons[20], BM_REASON_BUSY);
	ck_assert_uint_eq(fake.sleeps, 5);
	ck_assert_uint_eq(fake.slept_us, 50 + 200 + 800 + 3200 + 12800);
	ck_assert_uint_ge(scene.report.tally.retried, 1);
	ck_assert_uint_le(fake.calls[FAKE_MOVE], 20);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

START_TEST(a_pin_that_goes_away)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 300, 0)->pages[299].pinned = 2;
	context = fake_context();
	scene_line(&scene, 300, 1);
	ck_assert_int_eq(scene_submit(&scene, context), 0);
	scene_check(&scene, 0, 1);
	ck_assert_uint_ge(scene.report.tally.retried, 1);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Every further call would make the kernel look for free pages again. */
START_TEST(a_full_target_is_not_hammered)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 6000, 0);
	fake.room[1] = 100;
	fake_env("BATCHMIG_CALL_PAGES", "16");
	context = fake_context_with("BATCHMIG_RETRIES", "3");
	scene_line(&scene, 6000, 1);
	scene.bounded = 1;
	ck_assert_int_eq(scene_submit(&scene, context), 5900);
	scene_check(&scene, 5900, 1);
	ck_assert_int_eq(fake.room[1], 0);
	ck_assert_uint_eq(scene.report.reasons[BM_REASON_TARGET_FULL], 5900);
	ck_assert_int_eq(scene.report.tally.by_errno[0].error, ENOMEM);
	ck_assert_uint_le(fake.calls[FAKE_MOVE], 7 + 4 * 4 + 4);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* The other target of the batch has room. */
START_TEST(a_full_target_stops_no_other)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 500, 0);
	fake.room[1] = 0;
	context = fake_context_with("BATCHMIG_CALL_PAGES", "16");
	scene_line(&scene, 500, 1);
	for (size_t i = 1; i < 500; i += 2)
		scene.nodes[i] = 2;
	scene.bounded = 1;
	ck_assert_int_eq(scene_submit(&scene, context), 250);
	scene_check(&scene, 250, 1);
	for (size_t i = 0; i < 500; i++)
		ck_assert_int_eq(scene.status[i], i % 2 ? 2 : -ENOMEM);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static uint64_t stolen_after;

/* Somebody moves a page on, once it has reached its target. */
static void thief(enum fake_call call, uint64_t number)
{
	(void)number;
	if ((call == FAKE_QUERY || call == FAKE_OPEN) && fake_node(BASE + 5 * 4096) == 1 &&
	    stolen_after-- == 0)
		fake_steal(BASE + 5 * 4096, 3);
}

START_TEST(moved_away_is_told)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 300, 0);
	context = fake_context_with("BATCHMIG_CALL_PAGES", "16");
	scene_line(&scene, 300, 1);
	stolen_after = 0;
	fake.hook = thief;
	ck_assert_int_eq(scene_submit(&scene, context), 1);
	scene.lenient = 1;
	scene_check(&scene, 1, 1);
	ck_assert_int_eq(scene.status[5], 3);
	ck_assert_int_eq(scene.reasons[5], BM_REASON_MOVED_AWAY);
	ck_assert_int_eq(scene.report.tally.by_errno[0].error, 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

/* Whenever it happens, nothing but the truth or what was true at the last question. */
START_TEST(moved_away_at_any_time)
{
	for (uint64_t when = 0; when < 12; when++) {
		struct bm_context *context;
		struct scene scene;
		long result;

		fake_reset();
		fake_map(BASE, 300, 0);
		context = fake_context_with("BATCHMIG_CALL_PAGES", "16");
		scene_line(&scene, 300, 1);
		stolen_after = when;
		fake.hook = thief;
		result = scene_migrate(&scene, context);
		ck_assert(result == 0 || result == 1);
		ck_assert(scene.status[5] == 1 || scene.status[5] == 3);
		ck_assert_int_eq(scene.status[5] == 3, (int)result);
		for (size_t i = 0; i < 300; i++)
			ck_assert(i == 5 || scene.status[i] == 1);
		scene_free(&scene);
		bm_context_free(context);
		fake_end();
	}
}
END_TEST

/* The process ends at the n-th call of the kernel. */
START_TEST(the_process_exits)
{
	for (uint64_t n = 1; n < 60; n++) {
		struct bm_context *context;
		struct bm_request request;
		struct bm_batch *batch = NULL;
		struct scene scene;
		int rc, told;

		fake_reset();
		fake_map(BASE, 300, 0)->pages[100].pinned = -1;
		context = fake_context_with("BATCHMIG_CALL_PAGES", "16");
		scene_line(&scene, 300, 1);
		for (size_t i = 0; i < 300; i++)
			scene.status[i] = UNSET;
		bm_request_init(&request, sizeof(request));
		request.pid = fake.other;
		request.count = 300;
		request.pages = scene.pages;
		request.nodes = scene.nodes;
		request.status = scene.status;
		request.reasons = n % 2 ? scene.reasons : NULL;
		fake.gone_from = n;
		rc = bm_submit(context, &request, &batch);
		told = rc < 0 ? UNSET : (int)bm_batch_wait(batch, BM_FOREVER);
		if (told < 0 && rc == 0)
			rc = told;
		ck_assert_msg(rc == 0 || rc == -ESRCH, "call %d: %d", (int)n, rc);
		for (size_t i = 0; i < 300; i++) {
			int status = scene.status[i];

			if (rc < 0)
				ck_assert_int_eq(status, told);
			else
				ck_assert_msg(status == 1 || status == -ESRCH ||
						      (i == 100 && status == -EBUSY),
					      "call %d, page %zu: %d", (int)n, i, status);
		}
		if (n == 1)
			ck_assert_int_eq(rc, -ESRCH);
		bm_batch_free(batch);
		scene_free(&scene);
		bm_context_free(context);
		fake_end();
	}
}
END_TEST

START_TEST(whole_refusals)
{
	static const int errors[] = {-EPERM, -ENOSYS, -ESRCH};

	for (size_t e = 0; e < 3; e++) {
		for (size_t count = 1; count <= 600; count += 299) {
			struct bm_context *context;
			struct scene scene;

			fake_reset();
			fake_map(BASE, 600, 0);
			context = fake_context();
			scene_line(&scene, count, 1);
			/* Every call, as a seccomp filter does. */
			fake.refuse = errors[e];
			ck_assert_int_eq(scene_submit(&scene, context), errors[e]);
			ck_assert_int_eq(scene.status[0], UNSET);
			ck_assert_int_eq(scene_migrate(&scene, context), errors[e]);
			for (size_t i = 0; i < count; i++)
				ck_assert_int_eq(scene.status[i], UNSET);
			scene_free(&scene);
			bm_context_free(context);
			fake_end();
		}
	}
}
END_TEST

START_TEST(move_all_needs_a_capability)
{
	struct bm_context *context;
	struct scene scene;

	fake_reset();
	fake_map(BASE, 300, 0);
	context = fake_context();
	scene_line(&scene, 300, 1);
	scene.flags = BM_MOVE_ALL;
	ck_assert_int_eq(scene_submit(&scene, context), -EPERM);
	ck_assert_int_eq(scene_migrate(&scene, context), -EPERM);
	scene.count = 1;
	ck_assert_int_eq(scene_migrate(&scene, context), -EPERM);
	ck_assert_int_eq(scene.status[0], UNSET);
	fake.capable = 1;
	ck_assert_int_eq(scene_migrate(&scene, context), 0);
	scene_free(&scene);
	bm_context_free(context);
	fake_end();
}
END_TEST

static const TTest *const *const tests[] = {&a_pinned_page_stops_nobody,
					    &a_pinned_page_costs_one_call,
					    &pauses_are_bounded,
					    &a_pin_that_goes_away,
					    &a_full_target_is_not_hammered,
					    &a_full_target_stops_no_other,
					    &moved_away_is_told,
					    &moved_away_at_any_time,
					    &the_process_exits,

					    &whole_refusals,
					    &move_all_needs_a_capability,
					    NULL};
const struct report_group trouble_group = {"trouble", tests};
