/* SPDX-License-Identifier: MIT */
/*
 * flight_faults.c - batches in flight on the fake kernel, where
 * each call and each allocation fails once.
 *
 * Bounds, rates, priorities, ranges, an event and callbacks that submit: what
 * was taken ends and tells of all its pages, what was refused has done nothing.
 */
#include <stdio.h>

#include "scene.h"
#include "unit.h"

#define PAGES 384
#define PART  192 /* pages of a batch: they overlap */
#define MOST  2000
#define PARTS 4

static const struct {
	enum fake_call call;
	int error;
} faults[] = {
	{FAKE_ALLOC, 0},       {FAKE_THREAD, 0},      {FAKE_EVENT, -EMFILE},
	{FAKE_MOVE, -ENOMEM},  {FAKE_MOVE, -EPERM},   {FAKE_MOVE, -ESRCH},
	{FAKE_QUERY, -ENOMEM}, {FAKE_QUERY, -EPERM},  {FAKE_MBIND, -ENOMEM},
	{FAKE_OPEN, -EMFILE},  {FAKE_IOCTL, -EPERM},  {FAKE_IOCTL, -EFAULT},
	{FAKE_READ, -ENOMEM},  {FAKE_PREAD, -ENOMEM}, {FAKE_AFFINITY, -ENOSYS},
	{FAKE_PIN, -EPERM},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static struct part {
	void *pages[PART];
	int nodes[PART], status[PART];
	unsigned char reasons[PART];
	struct bm_range range;
	struct bm_request request;
	struct bm_batch *batch;
	int refused;
	long result;
	atomic_int told, submitted;
} parts[PARTS];

static struct bm_context *context;
static char what[128];

static void say_what(size_t fault, uint64_t n)
{
	snprintf(what, sizeof(what), "call %d fails with %d at number %llu",
		 (int)faults[fault].call, faults[fault].error, (unsigned long long)n);
}

/* Each 30th page is a hole; there is a huge page. */
static int is_hole(size_t page)
{
	return page % 30 == 29;
}

static void make_world(int old)
{
	struct fake_area *area;

	fake_reset();
	fake.old = old;
	fake_file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "65536\n");
	fake_file(BM_RELEASE_FILE, old ? "6.1.0-47-amd64\n" : "6.12.1\n");
	fake_caches(2);
	fake_env("BATCHMIG_THREADS", "2");
	fake_env("BATCHMIG_CALL_PAGES", "32");
	fake_env("BATCHMIG_MAX_BYTES_PER_S", "500000000");
	area = fake_map(BASE, PAGES, 0);
	for (size_t i = 0; i < PAGES; i++)
		area->pages[i].present = !is_hole(i);
	fake_folio(area, 64, 16, 1);
	context = fake_context();
}

/* ---------------------------------------------------------------- batches */

static void submit(struct part *part)
{
	part->refused = bm_submit(context, &part->request, &part->batch);
	if (part->refused < 0)
		ck_assert_msg(!part->batch, "%s: a handle of a batch that was refused", what);
	atomic_store(&part->submitted, 1);
}

/* The first one submits the last one, in a thread of the library. */
static void tell(void *user, struct bm_batch *batch, long result)
{
	struct part *part = user;

	(void)batch;
	if (part == &parts[0] && atomic_load(&part->told) == 0)
		submit(&parts[PARTS - 1]);
	part->result = result;
	atomic_fetch_add(&part->told, 1);
}

static struct part *make(size_t number, size_t first, int node)
{
	struct part *part = &parts[number];
	struct bm_request *request = &part->request;

	bm_request_init(request, sizeof(*request));
	request->event_fd = 3;
	request->done = tell;
	request->done_user = part;
	request->count = PART;
	request->pages = part->pages;
	request->nodes = part->nodes;
	request->status = part->status;
	request->reasons = part->reasons;
	for (size_t i = 0; i < PART; i++) {
		part->pages[i] = (void *)(uintptr_t)(BASE + (first + i) * 4096);
		part->nodes[i] = node;
		part->status[i] = UNSET;
		part->reasons[i] = 255;
	}
	part->batch = NULL;
	part->refused = 1;
	atomic_store(&part->told, 0);
	atomic_store(&part->submitted, 0);
	return part;
}

static void make_range(struct part *part, size_t first, int node)
{
	struct bm_request *request = &part->request;

	part->range = (struct bm_range){.addr = (void *)(uintptr_t)(BASE + first * 4096),
					.length = PART * 4096,
					.node = node,
					.error = UNSET};
	request->pages = NULL;
	request->nodes = NULL;
	request->status = NULL;
	request->reasons = NULL;
	request->count = 1;
	request->ranges = &part->range;
	request->range_size = sizeof(part->range);
}

static void make_all(void)
{
	make(0, 0, 1)->request.priority = BM_PRIORITY_LOW;
	parts[0].request.max_bytes_per_s = 100000000;
	make_range(make(1, 100, 2), 100, 2);
	parts[1].request.priority = BM_PRIORITY_HIGH;
	parts[1].request.flags = BM_BIND;
	make(2, PART, 3)->request.max_stall_us = 100;
	make(3, 0, 3)->request.max_stall_us = 1000;
}

static int is_over(const struct part *part)
{
	return atomic_load(&part->submitted) && (part->refused < 0 || atomic_load(&part->told));
}

/* Ten seconds are far more than it takes. */
static void await(const struct part *part)
{
	for (int i = 0; i < 100000 && !is_over(part); i++)
		bm_sys_linux.sleep_us(i < 100 ? 20 : 100);
	ck_assert_msg(is_over(part), "%s: batch %d is never told of", what, (int)(part - parts));
}

/* ---------------------------------------------------------------- what must hold */

static int is_refusal(long rc)
{
	return rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -EPERM || rc == -ESRCH;
}

static void check_refused(const struct part *part)
{
	ck_assert_msg(is_refusal(part->refused), "%s: submit gave %d", what, part->refused);
	ck_assert_msg(atomic_load(&part->told) == 0, "%s: told of what was refused", what);
	ck_assert_int_eq(part->range.error, part->request.ranges ? UNSET : part->range.error);
	for (size_t i = 0; i < PART; i++)
		ck_assert_int_eq(part->status[i], UNSET);
}

static void check_pages(const struct part *part, const struct bm_report *report)
{
	uint64_t reasons[BM_REASON_SLOTS] = {0};
	long misplaced = 0;

	for (size_t i = 0; i < PART; i++) {
		misplaced += part->status[i] != part->nodes[i];
		ck_assert_msg(part->status[i] != UNSET && part->reasons[i] < BM_REASON_COUNT,
			      "%s: batch %d with %ld: nothing is told of page %zu", what,
			      (int)(part - parts), part->result, i);
		ck_assert_msg(part->result >= 0 || part->status[i] == part->result,
			      "%s: result %ld, status %d", what, part->result, part->status[i]);
		reasons[part->reasons[i]]++;
	}
	ck_assert_msg(part->result < 0 || part->result == misplaced, "%s: result %ld of %ld", what,
		      part->result, misplaced);
	ck_assert_uint_eq(report->tally.pages, PART);
	ck_assert_int_eq(memcmp(reasons, report->reasons, sizeof(reasons)), 0);
}

static void check_range(const struct part *part, const struct bm_report *report)
{
	const struct bm_range *range = &part->range;

	ck_assert_msg(range->error != UNSET, "%s: nothing is told of a range", what);
	if (part->result < 0)
		ck_assert_msg(range->error == part->result, "%s: %ld, range %d", what, part->result,
			      range->error);
	else if (range->error == 0)
		ck_assert_uint_eq(range->tally.pages, PART);
	else
		ck_assert_int_gt(part->result, 0);
	ck_assert_uint_eq(range->tally.pages, report->tally.pages);
}

static void check_taken(struct part *part)
{
	struct bm_progress progress;
	struct bm_report report;

	ck_assert_msg(atomic_load(&part->told) == 1, "%s: told %d times", what,
		      atomic_load(&part->told));
	ck_assert_msg(part->result >= 0 || is_refusal(part->result), "%s: result %ld", what,
		      part->result);
	ck_assert_int_eq(bm_batch_wait(part->batch, 0), part->result);
	ck_assert_int_eq(bm_batch_report(part->batch, &report, sizeof(report)), 0);
	ck_assert_int_eq(bm_batch_progress(part->batch, &progress, sizeof(progress)), 0);
	ck_assert_int_eq(progress.state, BM_BATCH_COMPLETE);
	ck_assert_uint_eq(progress.settled, PART);
	if (part->request.ranges)
		check_range(part, &report);
	else
		check_pages(part, &report);
	ck_assert_int_eq(bm_batch_free(part->batch), 0);
}

/* The last one is not submitted where the first one was refused. */
static uint64_t check_all(void)
{
	uint64_t taken = 0;

	for (size_t k = 0; k < PARTS; k++) {
		struct part *part = &parts[k];

		if (k == PARTS - 1 && parts[0].refused < 0)
			break;
		await(part);
		if (part->refused < 0)
			check_refused(part);
		else
			check_taken(part);
		taken += part->refused == 0;
	}
	return taken;
}

/* What failed before is over. */
static void move_everything(void)
{
	void *pages[PAGES];
	int nodes[PAGES], status[PAGES];
	long holes = 0, rc;

	for (size_t i = 0; i < PAGES; i++) {
		pages[i] = (void *)(uintptr_t)(BASE + i * 4096);
		nodes[i] = 0;
	}
	rc = bm_migrate_batch(context, PAGES, pages, nodes, status, 0);
	for (size_t i = 0; i < PAGES; i++) {
		const struct fake_page *page = &fake.areas[0].pages[i];

		holes += !page->present;
		ck_assert_msg(status[i] == fake_node((uint64_t)(uintptr_t)pages[i]) &&
				      !page->isolated && (!page->present || status[i] == 0),
			      "%s: afterwards page %zu has status %d", what, i, status[i]);
	}
	ck_assert_msg(rc == holes, "%s: afterwards %ld", what, rc);
}

/* 0 when the fault did not come. */
static int fly_with(size_t fault, uint64_t n, int old)
{
	uint64_t taken;
	int fired;

	make_world(old);
	make_all();
	fake_fail(1u << faults[fault].call, n, faults[fault].error);
	for (size_t k = 0; k < PARTS - 1; k++)
		submit(&parts[k]);
	taken = check_all();
	fired = fake.fired;
	fake_fail(0, 0, 0);
	move_everything();
	ck_assert_int_eq(bm_context_free(context), 0);
	ck_assert_msg(fake.signals == taken, "%s: %d events of %d batches", what, (int)fake.signals,
		      (int)taken);
	ck_assert_msg(fake.open_fds == 0, "%s: a descriptor is open", what);
	return fired;
}

static void each_call(int old)
{
	for (size_t fault = 0; fault < FAULTS; fault++) {
		uint64_t n = 1;

		say_what(fault, n);
		while (fly_with(fault, n, old)) {
			ck_assert_uint_lt(n, MOST);
			say_what(fault, ++n);
		}
	}
	fake_end();
}

START_TEST(each_call_of_batches_in_flight)
{
	each_call(0);
}
END_TEST

START_TEST(on_an_old_kernel)
{
	each_call(1);
}
END_TEST

static const TTest *const *const tests[] = {&each_call_of_batches_in_flight, &on_an_old_kernel,
					    NULL};
const struct report_group flight_faults_group = {"flight_faults", tests};
