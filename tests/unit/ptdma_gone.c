/* SPDX-License-Identifier: MIT */
/*
 * ptdma_gone.c - functions that are pulled out: all reads are ones from any point on.
 *
 * Nothing crashes, waits for ever, or is told that was not done, and nothing is left.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ptdma_scene.h"
#include "unit.h"

#define ROUND 60u
#define LONG  3u

enum point {
	AFTER_OPEN,
	AFTER_PIN,
	AFTER_SUBMIT,
	AFTER_REAP,
	BEFORE_UNPIN,
	BEFORE_SETTLE,
	BEFORE_CLOSE,
	POINTS
};

static const struct ways {
	const char *name;
	struct ptdma_config functions[2];
	size_t count;
	enum ptdma_driver driver;
} ways[] = {
	{"vfio", {{0}}, 1, PTDMA_VFIO_PCI},
	{"vfio, one of 2", {{0}}, 2, PTDMA_VFIO_PCI},
	{"uio", {{0}}, 1, PTDMA_UIO_PCI},
	{"uio, one of 2", {{0}}, 2, PTDMA_UIO_PCI},
	{"ae4dma vfio", {{.ae4 = 1}}, 1, PTDMA_VFIO_PCI},
	{"ae4dma uio", {{.ae4 = 1, .queues = 2}}, 1, PTDMA_UIO_PCI},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static const struct ways *way;
static enum point point;
static int all_of_them;

static void begin(const char *what)
{
	struct ptdma_sys_how how = {.driver = way->driver};

	snprintf(pt.what, sizeof(pt.what), "%s, %s %d%s", way->name, what, (int)point,
		 all_of_them ? ", all" : "");
	pt_begin(way->functions, way->count, &how, 0);
	pt_open();
}

static void pull_out(enum point now)
{
	if (now != point)
		return;
	for (unsigned int i = 0; i < (all_of_them ? way->count : 1); i++)
		ptdma_remove(pt.functions, i);
}

/* Two rounds: what was pulled out in the first one is not there in the second. */
static int go(void)
{
	size_t flying;

	pt_clear();
	pt_add_apart(ROUND, LONG);
	if (pt_pin() < 0)
		return 1;
	pull_out(AFTER_PIN);
	if (point == AFTER_SUBMIT || point == AFTER_REAP)
		pt_drive(0);
	pull_out(AFTER_SUBMIT);
	if (point == AFTER_REAP)
		pt_drive(1);
	pull_out(AFTER_REAP);
	flying = pt_drive(PT_PATIENCE);
	pt_compare("at once");
	pull_out(BEFORE_UNPIN);
	pt_give_up();
	pt_unpin();
	pull_out(BEFORE_SETTLE);
	if (!pt_settle()) {
		pt_assert(way->driver == PTDMA_UIO_PCI && flying,
			  "settle() never says that it is over");
		return 0;
	}
	pt_compare("once it is settled");
	return 1;
}

static void try_point(void)
{
	int settled = 1;

	begin("pulled out at");
	pull_out(AFTER_OPEN);
	for (int round = 0; settled && round < 2; round++)
		settled = go();
	pull_out(BEFORE_CLOSE);
	pt_close();
}

static void try_all(void (*subject)(void))
{
	for (size_t i = 0; i < WAYS; i++) {
		way = &ways[i];
		for (all_of_them = 0; all_of_them < (int)way->count; all_of_them++)
			for (point = AFTER_OPEN; point < POINTS; point++)
				subject();
	}
}

START_TEST(pulled_out_at_every_point)
{
	try_all(try_point);
}
END_TEST

/* It is not there any more when it is opened. */
START_TEST(pulled_out_before_it_is_opened)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct ptdma_sys_how how = {.driver = ways[i].driver};
		int rc;

		snprintf(pt.what, sizeof(pt.what), "%s, pulled out before open()", ways[i].name);
		pt_begin(ways[i].functions, ways[i].count, &how, 0);
		for (unsigned int k = 0; k < ways[i].count; k++)
			ptdma_remove(pt.functions, k);
		rc = bm_backend_ptdma.open(&pt.env, &pt.engine);
		pt_assert(rc < 0 && rc > -4096, "open() gave %d", rc);
		pt_assert(pt.lines[0], "open() gave %d and logged nothing", rc);
		pt.engine = NULL;
		pt_close();
	}
}
END_TEST

/* The others go on, and what the engine says of itself is true. */
START_TEST(one_of_two_is_enough)
{
	size_t before;

	point = AFTER_SUBMIT;
	all_of_them = 0;
	for (size_t i = 0; i < WAYS; i++) {
		way = &ways[i];
		if (way->count < 2 || way->driver != PTDMA_VFIO_PCI)
			continue;
		begin("one of two at");
		ck_assert_int_eq(go(), 1);
		point = POINTS;
		before = pt.done;
		ck_assert_int_eq(go(), 1);
		pt_assert(pt.done == before + ROUND, "%zu of %u are done by the other one",
			  pt.done - before, ROUND);
		pt_close();
	}
}
END_TEST

static void *pull_out_later(void *arg)
{
	bm_sys_linux.sleep_us(*(const uint64_t *)arg);
	ptdma_remove(pt.functions, 0);
	return NULL;
}

/* Wherever that may be. */
START_TEST(pulled_out_at_any_time)
{
	point = POINTS;
	all_of_them = 0;
	for (size_t i = 0; i < 10 * WAYS; i++) {
		uint64_t us = rnd() % 2000;
		pthread_t id;
		int settled = 1;

		way = &ways[i % WAYS];
		begin("at any time");
		ck_assert_int_eq(pthread_create(&id, NULL, pull_out_later, &us), 0);
		for (int round = 0; settled && round < 3; round++)
			settled = go();
		pthread_join(id, NULL);
		pt_close();
	}
}
END_TEST

static const TTest *const *const tests[] = {&pulled_out_at_every_point,
					    &pulled_out_before_it_is_opened, &one_of_two_is_enough,
					    &pulled_out_at_any_time, NULL};
const struct report_group ptdma_gone_group = {"ptdma_gone", tests};
