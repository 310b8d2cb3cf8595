/* SPDX-License-Identifier: MIT */
/* meanwhile.c - the kernel itself moves pages: NUMA balancing, demotion. */
#include "support.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define BALANCING "/proc/sys/kernel/numa_balancing"
#define SCANNING  "/sys/kernel/debug/sched/numa_balancing/"
#define GROUP     "/sys/fs/cgroup/bm_demotion"
#define DEMOTION  "/sys/kernel/mm/numa/demotion_enabled"
#define COUNT     2000

static const char *const settings[][2] = {
	{BALANCING, "1"},
	{SCANNING "scan_delay_ms", "1"},
	{SCANNING "scan_period_min_ms", "20"},
	{SCANNING "scan_period_max_ms", "40"},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static long saved[SETTINGS];

/* Marks pages many times a second, where it can be told to. */
static int balance_often(void)
{
	int rc = 0;

	for (size_t i = 0; i < SETTINGS; i++) {
		saved[i] = read_number(settings[i][0]);
		if (write_text(settings[i][0], settings[i][1]) < 0)
			rc = -1;
	}
	return rc;
}

static void balance_as_before(void)
{
	char text[32];

	for (size_t i = 0; i < SETTINGS; i++) {
		snprintf(text, sizeof(text), "%ld", saved[i]);
		write_text(settings[i][0], text);
	}
}

struct toucher {
	struct area area;
	atomic_int stop;
	pthread_t thread;
	uint64_t rounds;
};

/* Counts a word up in each page, on a CPU of the first node. */
static void *touch(void *arg)
{
	struct toucher *toucher = arg;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	while (!atomic_load(&toucher->stop)) {
		for (size_t i = 0; i < COUNT; i++)
			++*(uint64_t *)(void *)(toucher->area.start + i * PAGE + 512);
		toucher->rounds++;
	}
	return NULL;
}

static void toucher_start(struct toucher *toucher)
{
	*toucher = (struct toucher){.rounds = 0};
	area_new(&toucher->area, COUNT, nodes[0]);
	area_target(&toucher->area, nodes[1]);
	ck_assert_int_eq(pthread_create(&toucher->thread, NULL, touch, toucher), 0);
}

static void toucher_end(struct toucher *toucher)
{
	atomic_store(&toucher->stop, 1);
	pthread_join(toucher->thread, NULL);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_eq(*(uint64_t *)(void *)(toucher->area.start + i * PAGE + 512),
				  toucher->rounds);
	ck_assert_uint_eq(stamp_wrong(toucher->area.start, COUNT, PAGE), 0);
	area_free(&toucher->area);
}

static size_t pages_on(const struct area *area, int node)
{
	size_t there = 0;

	for (size_t i = 0; i < area->count; i++)
		there += node_of(area->pages[i]) == node;
	return there;
}

/* Waits until the kernel has moved some pages to the node, at most 30 s; how many. */
static size_t await_pages(const struct area *area, int node)
{
	size_t there = 0;

	for (int i = 0; i < 300 && (there = pages_on(area, node)) == 0; i++)
		usleep(100000);
	return there;
}

/* Pages are told absent or busy by nobody; they are present all the time. */
static void move_under_balancing(struct toucher *toucher)
{
	struct area *area = &toucher->area;
	size_t back = 0;

	for (int round = 0; round < 10; round++) {
		long rc = area_move(area, 0);

		ck_assert_int_ge(rc, 0);
		for (size_t i = 0; i < COUNT; i++) {
			int status = area->status[i];

			ck_assert_msg(status == nodes[0] || status == nodes[1] || status == -EBUSY,
				      "round %d, page %zu: %d", round, i, status);
		}
		back += await_pages(area, nodes[0]);
	}
	ck_assert_uint_gt(back, 0);
}

START_TEST(balancing_pulls_back)
{
	struct toucher toucher;
	int rc;

	NEED_NODES();
	rc = balance_often();
	if (rc < 0) {
		balance_as_before();
		skip_test("NUMA balancing cannot be set up");
	}
	toucher_start(&toucher);
	move_under_balancing(&toucher);
	toucher_end(&toucher);
	balance_as_before();
}
END_TEST

/* The same, but what is bound stays. */
START_TEST(bound_pages_stay)
{
	struct toucher toucher;
	long rc = 1;

	NEED_NODES();
	if (balance_often() < 0) {
		balance_as_before();
		skip_test("NUMA balancing cannot be set up");
	}
	toucher_start(&toucher);
	for (int i = 0; i < 100 && rc != 0; i++)
		rc = area_move(&toucher.area, BM_BIND);
	ck_assert_int_eq(rc, 0);
	/* Before it was bound a page may have been marked, and go back once. */
	usleep(500000);
	for (int i = 0; i < 100 && (rc = area_move(&toucher.area, BM_BIND)) != 0; i++)
		usleep(10000);
	ck_assert_int_eq(rc, 0);
	sleep(3);
	ck_assert_uint_eq(pages_on(&toucher.area, nodes[1]), COUNT);
	toucher_end(&toucher);
	balance_as_before();
}
END_TEST

struct reclaimer {
	atomic_int stop;
	pthread_t thread;
	uint64_t done;
};

/* Proactive reclaim of this cgroup: demotes to the node without CPUs. */
static void *reclaim(void *arg)
{
	struct reclaimer *reclaimer = arg;

	while (!atomic_load(&reclaimer->stop))
		reclaimer->done += write_text(GROUP "/memory.reclaim", "4M") == 0;
	return NULL;
}

static int under_demotion(void *arg)
{
	struct reclaimer reclaimer = {.done = 0};
	size_t count = 6000, demoted = 0;
	char text[32];
	struct area area;

	(void)arg;
	snprintf(text, sizeof(text), "%d", (int)getpid());
	if (write_text(GROUP "/cgroup.procs", text) < 0)
		return 10;
	area_new(&area, count, nodes[0]);
	if (pthread_create(&reclaimer.thread, NULL, reclaim, &reclaimer) != 0)
		return 11;
	for (int round = 0; round < 30; round++) {
		area_target(&area, nodes[round % 2]);
		if (area_move(&area, 0) < 0)
			return 12;
		for (size_t i = 0; i < count; i++) {
			if (area.status[i] < 0 && area.status[i] != -EBUSY) {
				fprintf(stderr, "round %d, page %zu: %d\n", round, i,
					area.status[i]);
				return 13;
			}
		}
		demoted += pages_on(&area, nodes[node_count - 1]);
	}
	atomic_store(&reclaimer.stop, 1);
	pthread_join(reclaimer.thread, NULL);
	area_target(&area, nodes[0]);
	if (area_move(&area, 0) != 0 || status_wrong(&area) != 0)
		return 14;
	if (stamp_wrong(area.start, count, PAGE) != 0)
		return 15;
	return reclaimer.done == 0 ? 16 : demoted == 0 ? 17 : 0;
}

START_TEST(demotion)
{
	char path[64];
	int rc;

	NEED_NODES();
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist",
		 nodes[node_count - 1]);
	if (read_number(path) >= 0 || node_count < 3)
		skip_test("needs three nodes, the last one without CPUs");
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) < 0 || write_text(DEMOTION, "true") < 0) {
		rmdir(GROUP);
		skip_test("no cgroup, or no demotion");
	}
	rc = in_child(under_demotion, NULL);
	write_text(DEMOTION, "false");
	rmdir(GROUP);
	ck_assert_int_eq(rc, 0);
}
END_TEST

static const TTest *const *const tests[] = {&balancing_pulls_back, &bound_pages_stay, &demotion,
					    NULL};
const struct report_group meanwhile_group = {"meanwhile", tests};
