/* SPDX-License-Identifier: MIT */
/* swap_self.c - the mover swap and the program's own memory: stacks, heap, everything; what stays. */
#include "swap_support.h"

#include <fcntl.h>
#include <stdio.h>

/* The arrays of the request lie in the range that moves. */
START_TEST(arrays_move_too)
{
	struct swapper swapper;
	struct area area, inside;
	struct bm_request request;
	struct bm_batch *batch = NULL;
	unsigned char *reasons;
	uint64_t *before;

	watchdog_start("swap_self/arrays_move_too");
	swapper_new(&swapper, 64, 2, 64);
	area_new_low(&area, 2, 0, nodes[0]);
	before = frames_of(&area);
	inside = area;
	inside.pages = (void **)(void *)area.start;
	inside.targets = (int *)(void *)(area.start + 300 * PAGE);
	inside.status = (int *)(void *)(area.start + 600 * PAGE);
	reasons = (unsigned char *)area.start + 900 * PAGE;
	memcpy(inside.pages, area.pages, area.count * sizeof(void *));
	for (size_t i = 0; i < area.count; i++)
		inside.targets[i] = area.targets[i] = node_of_round(0);
	bm_request_init(&request, sizeof(request));
	request.flags = SWAP_FLAGS;
	request.mover = "swap";
	request.count = area.count;
	request.pages = inside.pages;
	request.nodes = inside.targets;
	request.status = inside.status;
	request.reasons = reasons;
	ck_assert_int_eq(bm_submit(swapper.context, &request, &batch), 0);
	ck_assert_int_eq(bm_batch_wait(batch, BM_FOREVER), 0);
	ck_assert_int_eq(bm_batch_report(batch, &swapper.report, sizeof(swapper.report)), 0);
	bm_batch_free(batch);
	ck_assert_int_eq(memcmp(inside.pages, area.pages, area.count * sizeof(void *)), 0);
	memcpy(area.status, inside.status, area.count * sizeof(int));
	swapper.reasons = malloc(area.count);
	memcpy(swapper.reasons, reasons, area.count);
	check_swapped(&swapper, &area, before);
	for (size_t i = 700; i < 900; i++)
		ck_assert_uint_eq(stamp_wrong(area.pages[i], 1, PAGE), 0);
	free(before);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

#define STACK_PAGES 256

/* In this thread; how many entries were told this reason. */
static long move_here(struct swapper *swapper, struct area *area, int round, int reason,
		      uint64_t *told)
{
	struct bm_stats before, after;
	long rc;

	area_target(area, node_of_round(round));
	bm_stats_get(swapper->context, &before, sizeof(before));
	rc = bm_migrate_batch(swapper->context, area->count, area->pages, area->targets,
			      area->status, SWAP_FLAGS);
	bm_stats_get(swapper->context, &after, sizeof(after));
	*told = after.reasons[reason] - before.reasons[reason];
	swapper->swapped += after.bytes_swapped - before.bytes_swapped;
	return rc;
}

/* An array on the stack of the thread that migrates: left to the kernel, with the reason. */
static const char *move_own_stack(void)
{
	char array[(STACK_PAGES + 1) * PAGE];
	char *start = array + (PAGE - (uintptr_t)array % PAGE) % PAGE;
	struct swapper swapper;
	struct area area;
	uint64_t *before, told;
	int reason = swap_refusal() ? swap_refusal() : BM_REASON_OWN_MEMORY;
	const char *wrong = NULL;

	swapper_new(&swapper, 256, 2, 64);
	stamp(start, STACK_PAGES, PAGE);
	area_over(&area, start, STACK_PAGES, PAGE);
	for (int round = 0; round < 4 && !wrong; round++) {
		before = frames_of(&area);
		if (move_here(&swapper, &area, round, reason, &told) != 0 ||
		    status_wrong(&area) != 0)
			wrong = "it was not moved as asked";
		else if (stamp_wrong(start, STACK_PAGES, PAGE))
			wrong = "bytes of it are lost";
		else if (told != area.count)
			wrong = "another reason was told";
		if (!wrong && node_count == 1 && frames_kept(&area, before) != area.count)
			wrong = "it has got other memory";
		else if (!wrong && swapper.swapped)
			wrong = "a part of it was swapped";
		free(before);
	}
	area_free(&area);
	swapper_free(&swapper);
	return wrong;
}

static void *thread_moves_own_stack(void *arg)
{
	*(const char **)arg = move_own_stack();
	return NULL;
}

START_TEST(own_stack)
{
	const char *wrong = "it has not run";
	pthread_t thread;

	watchdog_start("swap_self/own_stack");
	wrong = move_own_stack();
	ck_assert_msg(!wrong, "of the main thread: %s", wrong);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_moves_own_stack, (void *)&wrong), 0);
	pthread_join(thread, NULL);
	ck_assert_msg(!wrong, "of another thread: %s", wrong);
	watchdog_stop();
}
END_TEST

/* A thread that works on its stack all the time. */
struct worker {
	atomic_int stop;
	char *_Atomic stack;
	atomic_ulong rounds, wrong;
	pthread_t thread;
};

static void *use_stack(void *arg)
{
	struct worker *worker = arg;
	char array[(STACK_PAGES + 1) * PAGE];
	char *start = array + (PAGE - (uintptr_t)array % PAGE) % PAGE;
	struct pulse *pulse = pulse_new("a thread on its stack");
	uint64_t count = 0;

	stamp(start, STACK_PAGES, PAGE);
	for (size_t i = 0; i < STACK_PAGES; i++)
		memcpy(start + i * PAGE + 256, &count, 8);
	atomic_store(&worker->stack, start);
	while (!atomic_load(&worker->stop)) {
		for (size_t i = 0; i < STACK_PAGES; i++) {
			uint64_t is;

			memcpy(&is, start + i * PAGE + 256, 8);
			if (is != count)
				atomic_fetch_add(&worker->wrong, 1);
			is = count + 1;
			memcpy(start + i * PAGE + 256, &is, 8);
		}
		count++;
		atomic_fetch_add(&worker->wrong, stamp_wrong(start, STACK_PAGES, PAGE));
		atomic_fetch_add(&worker->rounds, 1);
		pulse_beat(pulse);
	}
	pulse_end(pulse);
	return NULL;
}

/* The stack of a thread that does not migrate is memory like any other. */
START_TEST(stack_of_another_thread)
{
	static struct worker worker;
	struct swapper swapper;
	struct area area;
	struct box box;
	int round = 0;

	watchdog_start("swap_self/stack_of_another_thread");
	memset(&worker, 0, sizeof(worker));
	swapper_new(&swapper, 256, 2, 64);
	ck_assert_int_eq(pthread_create(&worker.thread, NULL, use_stack, &worker), 0);
	while (!atomic_load(&worker.stack))
		usleep(1000);
	area_over(&area, atomic_load(&worker.stack), STACK_PAGES, PAGE);
	box_start(&box, "stack_of_another_thread");
	while (box_open(&box)) {
		uint64_t *before = frames_of(&area);

		ck_assert_int_ge(swapper_round(&swapper, &area, round++), 0);
		if (swapper.report.bytes_swapped == area.count * PAGE)
			ck_assert_uint_eq(frames_kept(&area, before), 0);
		free(before);
		for (size_t i = 0; i < area.count; i++)
			ck_assert(area.status[i] >= 0 || area.status[i] == -EBUSY);
	}
	atomic_store(&worker.stop, 1);
	pthread_join(worker.thread, NULL);
	ck_assert_uint_gt(atomic_load(&worker.rounds), 0);
	ck_assert_uint_eq(atomic_load(&worker.wrong), 0);
	check_any_swapped(&swapper);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Runs one batch of base pages and one of huge pages, with several threads. */
static void usual_work(struct swapper *swapper)
{
	for (int huge = 0; huge < 2; huge++) {
		struct area area;

		area_new_low(&area, 8, huge, nodes[0]);
		for (int round = 0; round < 2; round++)
			ck_assert_int_eq(swapper_round(swapper, &area, round), 0);
		ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
		ck_assert_int_eq(smaps_flag(area.start, "um") + smaps_flag(area.start, "uw"), 0);
		area_free(&area);
	}
}

START_TEST(nothing_piles_up)
{
	size_t maps, fds, tasks;
	struct swapper swapper;

	watchdog_start("swap_self/nothing_piles_up");
	swapper_new(&swapper, 512, 3, 64);
	for (int i = 0; i < 3; i++)
		usual_work(&swapper);
	maps = count_maps();
	fds = count_entries("/proc/self/fd");
	tasks = count_entries("/proc/self/task");
	for (int i = 0; i < 10; i++)
		usual_work(&swapper);
	/* The thread that gives idle pages back comes and goes, with its stack. */
	ck_assert_uint_le(count_maps(), maps + 2);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	for (int i = 0; i < 100 && count_entries("/proc/self/task") > tasks + 1; i++)
		usleep(10000);
	ck_assert_uint_le(count_entries("/proc/self/task"), tasks + 1);
	check_any_swapped(&swapper);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* The mapping of an area stays one, also while it is large and moved in parts. */
START_TEST(mappings_stay_whole)
{
	struct swapper swapper;
	struct area area, part;
	size_t maps;

	watchdog_start("swap_self/mappings_stay_whole");
	swapper_new(&swapper, 64, 2, 64);
	area_new_low(&area, 4, 0, nodes[0]);
	area_over(&part, area.start + 3 * PAGE, 100, 20 * PAGE);
	for (int round = 0; round < 2; round++)
		ck_assert_int_eq(swapper_round(&swapper, &part, round), 0);
	maps = count_maps();
	for (int round = 0; round < 8; round++)
		ck_assert_int_eq(swapper_round(&swapper, &part, round), 0);
	ck_assert_uint_eq(count_maps(), maps);
	ck_assert_int_eq(smaps_kb(area.start, "Size"), (long)(area.length >> 10));
	check_any_swapped(&swapper);
	ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
	area_free(&part);
	area_free(&area);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

/* Bytes that the pool of the context has, on all nodes. */
static uint64_t pool_bytes(struct bm_context *context, uint64_t most)
{
	struct bm_pool_stats pools[8];
	long count = bm_pool_get(context, pools, sizeof(pools[0]), 8);
	uint64_t bytes = 0;

	ck_assert_int_ge(count, 0);
	ck_assert_int_le(count, 8);
	ck_assert_int_eq(bm_pool_get(context, NULL, sizeof(pools[0]), 0), count);
	for (long i = 0; i < count; i++) {
		ck_assert_uint_eq(pools[i].most_bytes, most);
		ck_assert_uint_le(pools[i].base_bytes + pools[i].huge_bytes, most);
		bytes += pools[i].base_bytes + pools[i].huge_bytes;
	}
	return bytes;
}

START_TEST(quiesce)
{
	struct swapper swapper;
	size_t tasks;

	watchdog_start("swap_self/quiesce");
	swapper_new(&swapper, 256, 2, 32);
	ck_assert_int_eq(bm_quiesce(), 0);
	/* Threads of tests before this one may be about to end. */
	usleep(200000);
	tasks = count_entries("/proc/self/task");
	for (int turn = 0; turn < 3; turn++) {
		ck_assert_int_eq(has_userfaultfd(), 0);
		usual_work(&swapper);
		check_any_swapped(&swapper);
		if (swap_usable()) {
			ck_assert_int_eq(has_userfaultfd(), 1);
			ck_assert_uint_gt(pool_bytes(swapper.context, 32 << 20), 0);
		}
		ck_assert_int_eq(bm_quiesce(), 0);
		ck_assert_uint_eq(pool_bytes(swapper.context, 32 << 20), 0);
		for (int i = 0; i < 100 && count_entries("/proc/self/task") > tasks; i++)
			usleep(10000);
		ck_assert_uint_eq(count_entries("/proc/self/task"), tasks);
	}
	ck_assert_int_eq(bm_quiesce(), 0);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

START_TEST(pool_is_bounded)
{
	struct swapper swapper;
	struct area area;
	long before, after;

	watchdog_start("swap_self/pool_is_bounded");
	ck_assert_int_eq(bm_quiesce(), 0);
	swapper_new(&swapper, 0, 2, 16);
	for (int huge = 0; huge < 2; huge++) {
		/* Four times what may be kept. */
		area_new_low(&area, 32, huge, nodes[0]);
		before = status_kb("VmRSS");
		for (int round = 0; round < 2; round++) {
			ck_assert_int_eq(swapper_round(&swapper, &area, round), 0);
			if (swap_usable())
				ck_assert_uint_eq(swapper.report.bytes_swapped, area.length);
			after = status_kb("VmRSS");
			ck_assert_int_le(after, before + (16 * node_count + 8) * 1024);
			pool_bytes(swapper.context, 16 << 20);
			watchdog_beat();
		}
		ck_assert_uint_eq(stamp_wrong(area.start, area.count, PAGE), 0);
		area_free(&area);
	}
	check_any_swapped(&swapper);
	swapper_free(&swapper);
	watchdog_stop();
}
END_TEST

static const TTest *const *const tests[] = {
	&arrays_move_too,     &own_stack, &stack_of_another_thread, &nothing_piles_up,
	&mappings_stay_whole, &quiesce,   &pool_is_bounded,         NULL};
const struct report_group swap_self_group = {"swap_self", tests};
