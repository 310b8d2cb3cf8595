/* SPDX-License-Identifier: MIT */
/*
 * device_moves.c - the library moves pages between nodes while a device copies
 * them that answers, loses something, comes late, or dies in the middle.
 */
#include <batchmig.h>
#include <numa.h>
#include <numaif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device_support.h"

#define PAGES_MOST 8192u

/* Memory with a word of its own in each 8 bytes, and a context that moves it. */
static struct {
	uint64_t *start;
	size_t count, step; /* pages that are moved; each of so many */
	void *pages[PAGES_MOST];
	int nodes[PAGES_MOST], status[PAGES_MOST];
	struct bm_context *context;
	struct bm_batch *batch;
	struct bm_report report;
	unsigned int warnings, silences;
	char last[300];
} moves;

static void keep_line(void *user, int level, const char *line)
{
	(void)user;
	if (level > BM_LOG_WARN)
		return;
	moves.warnings++;
	moves.silences += strstr(line, "told of nothing") != NULL;
	strncpy(moves.last, line, sizeof(moves.last) - 1);
}

static uint64_t word_at(size_t at)
{
	return (at + 1) * 0x9e3779b97f4a7c15u;
}

static void fill(void)
{
	for (size_t i = 0; i < moves.count * moves.step * PAGE / 8; i++)
		moves.start[i] = word_at(i);
}

static size_t wrong_words(void)
{
	size_t wrong = 0;

	for (size_t i = 0; i < moves.count * moves.step * PAGE / 8; i++)
		wrong += moves.start[i] != word_at(i);
	return wrong;
}

static size_t pages_on(int node)
{
	size_t count = 0;

	ck_assert_int_eq(move_pages(0, moves.count, moves.pages, NULL, moves.status, 0), 0);
	for (size_t i = 0; i < moves.count; i++)
		count += moves.status[i] == node;
	return count;
}

/* In an emulator a piece takes milliseconds: only where something is lost is it given up soon. */
#define PATIENT_MS   30000
#define IMPATIENT_MS 500

static void make_context(const char *queues, int64_t patience_ms)
{
	struct bm_options options;

	bm_options_init(&options, sizeof(options));
	options.backend = "dsa,cpu";
	options.dsa_wqs = queues;
	options.engine_least_kb = 4;
	options.engine_share = "off";
	options.engine_timeout_ms = patience_ms;
	options.log_level = "warn";
	options.log = keep_line;
	ck_assert_int_eq(bm_context_new(&options, &moves.context), 0);
}

/* Every second page of a range: pages that are no neighbours are copied one by one. */
static void begin(size_t pages, size_t step)
{
	memset(&moves, 0, sizeof(moves));
	moves.count = pages;
	moves.step = step;
	moves.start = mmap(NULL, pages * step * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(moves.start, MAP_FAILED);
	madvise(moves.start, pages * step * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		moves.pages[i] = moves.start + i * step * PAGE / 8;
	numa_set_preferred(0);
	fill();
	numa_set_localalloc();
	ck_assert_uint_eq(pages_on(0), pages);
}

static void end(void)
{
	bm_context_free(moves.context);
	munmap(moves.start, moves.count * moves.step * PAGE);
}

static void submit(int node)
{
	struct bm_request request;

	for (size_t i = 0; i < moves.count; i++)
		moves.nodes[i] = node;
	bm_request_init(&request, sizeof(request));
	request.flags = BM_QUIET | BM_REPLACE;
	request.count = moves.count;
	request.pages = moves.pages;
	request.nodes = moves.nodes;
	request.status = moves.status;
	request.mover = "swap";
	ck_assert_int_eq(bm_submit(moves.context, &request, &moves.batch), 0);
}

/* Whoever copied them, all are there, and no word is lost. */
static void finish(int node)
{
	ck_assert_int_eq(bm_batch_wait(moves.batch, BM_FOREVER), 0);
	ck_assert_int_eq(bm_batch_report(moves.batch, &moves.report, sizeof(moves.report)), 0);
	bm_batch_free(moves.batch);
	ck_assert_uint_eq(pages_on(node), moves.count);
	ck_assert_uint_eq(wrong_words(), 0);
	ck_assert_uint_eq(moves.report.bytes_swapped, moves.count * PAGE);
}

static void move(int node)
{
	submit(node);
	finish(node);
}

static void need_nodes(void)
{
	ck_assert_msg(numa_max_node() > 0, "two memory nodes are needed: tests/vm/run");
}

/* ---------------------------------------------------------------- it answers */

static void there_and_back(const char *queues, size_t pages, size_t step)
{
	begin(pages, step);
	make_context(queues, PATIENT_MS);
	for (int round = 0; round < 4; round++) {
		move(round % 2 ? 0 : 1);
		ck_assert_msg(moves.warnings == 0, "%s", moves.last);
		ck_assert_uint_eq(moves.report.bytes_offloaded, pages * PAGE);
	}
	end();
}

START_TEST(pages_by_one_at_a_time)
{
	need_nodes();
	device_hide();
	device_begin("wq0.0", NULL);
	there_and_back("/dev/dsa/wq0.0", 1000, 2);
	ck_assert_uint_eq(device_count("wq0.0", "most_taken"), 1);
	ck_assert_uint_eq(device_count("wq0.0", "bytes"), 4 * 1000 * PAGE);
	device_end("wq0.0");
}
END_TEST

START_TEST(pages_by_a_shared_queue)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", NULL);
	there_and_back("wq0.0", 4000, 1);
	there_and_back("wq0.0", 2000, 2);
	ck_assert_uint_gt(device_count("wq0.0", "most_taken"), 1);
	device_end("wq0.0");
}
END_TEST

START_TEST(pages_by_batches)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--batch-by-write", NULL);
	there_and_back("wq0.0", 2000, 2);
	ck_assert_uint_gt(device_count("wq0.0", "batches"), 0);
	device_end("wq0.0");
}
END_TEST

START_TEST(pages_by_a_dedicated_queue)
{
	device_describe("wq0.0", "dedicated", 16);
	device_begin("wq0.0", "--dedicated", NULL);
	there_and_back("wq0.0", 4000, 1);
	there_and_back("wq0.0", 1000, 3);
	ck_assert_uint_eq(device_count("wq0.0", "dropped"), 0);
	device_end("wq0.0");
}
END_TEST

START_TEST(with_page_faults)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", "--fault=fault_read,every=5,amount=1000",
		     "--fault=fault_write,every=7,amount=2000", "--fault=busy,every=9,amount=2",
		     "--fault=short_write,every=3,amount=1", NULL);
	there_and_back("wq0.0", 1000, 2);
	ck_assert_uint_gt(device_count("wq0.0", "hits"), 100);
	device_end("wq0.0");
}
END_TEST

/* ---------------------------------------------------------------- it does not */

/* One copy never ends: the cpu makes it, and the log says why. */
static void give_up(const char *fault, const char *more)
{
	uint64_t offloaded = 0;

	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", fault, more, NULL);
	begin(1500, 2);
	make_context("wq0.0", IMPATIENT_MS);
	for (int round = 0; round < 4; round++) {
		move(round % 2 ? 0 : 1);
		ck_assert_uint_lt(moves.report.bytes_offloaded, moves.count * PAGE + (round > 0));
		offloaded += moves.report.bytes_offloaded;
	}
	ck_assert_uint_gt(offloaded, 0);
	ck_assert_uint_ge(moves.silences, 1);
	end();
	device_end("wq0.0");
}

/* Sees what is moved, and ends the device while it has the next pages, for 200 ms. */
static void kill_at(size_t bytes)
{
	struct bm_progress progress = {.bytes_moved = 0};

	while (progress.bytes_moved < bytes) {
		ck_assert_int_eq(bm_batch_progress(moves.batch, &progress, sizeof(progress)), 0);
		usleep(200);
	}
	usleep(100000);
	device_kill("wq0.0");
}

static void kill_while_moving(const char *delay, const char *more, size_t at)
{
	device_describe("wq0.0", "shared", 16);
	device_begin("wq0.0", delay, more, NULL);
	begin(PAGES_MOST, 1);
	make_context("wq0.0", IMPATIENT_MS);
	submit(1);
	kill_at(at);
	finish(1);
	ck_assert_uint_gt(moves.report.bytes_offloaded, 0);
	/* It was in the middle. */
	ck_assert_uint_lt(moves.report.bytes_offloaded, moves.count * PAGE);
	ck_assert_uint_ge(moves.warnings, 1);
	move(0);
	ck_assert_uint_eq(moves.report.bytes_offloaded, 0);
	end();
}

START_TEST(one_copy_is_lost)
{
	need_nodes();
	give_up("--fault=lost,at=500", NULL);
	give_up("--fault=lost_record,at=500", NULL);
	give_up("--fault=lost,at=500", "--batch-by-write");
}
END_TEST

/* It would write long after the page has been used for something else. */
START_TEST(one_copy_is_late)
{
	need_nodes();
	give_up("--fault=late,at=500", NULL);
	give_up("--fault=delay,at=500,amount=3000000", NULL);
}
END_TEST

START_TEST(the_device_is_killed)
{
	need_nodes();
	kill_while_moving("--fault=delay,every=1,amount=200000", NULL, 1);
	kill_while_moving("--fault=delay,every=1,amount=200000", "--batch-by-write", 8u << 20);
}
END_TEST

static const TTest *const *const tests[] = {
	&pages_by_one_at_a_time,     &pages_by_a_shared_queue, &pages_by_batches,
	&pages_by_a_dedicated_queue, &with_page_faults,        &one_copy_is_lost,
	&one_copy_is_late,           &the_device_is_killed,    NULL};
const struct report_group device_moves_group = {"device_moves", tests};
