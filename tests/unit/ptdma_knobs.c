/* SPDX-License-Identifier: MIT */
/*
 * ptdma_knobs.c - the backend ptdma on functions that do not do as they are told:
 * each fault at every n-th descriptor, and in pairs.
 *
 * Whatever happens: what is told to be done is done, nothing is told twice, nothing
 * is written to but what is in flight, and that no more once it is settled;
 * nothing takes for ever, and nothing is left at the end.
 */
#include <stdio.h>
#include <string.h>

#include "ptdma_scene.h"
#include "unit.h"

#define ROUND  60u /* copies */
#define LONG   4u  /* pages of the longest */
#define ROUNDS 2

static const struct kind {
	enum ptdma_knob knob;
	uint64_t amount;
	int loses;  /* copies may be in flight for ever */
	int faults; /* or it makes accesses that are counted as wrong */
} kinds[] = {
	{PTDMA_DELAY, 200, 0, 0},
	{PTDMA_ERROR, 1, 0, 0},
	{PTDMA_ERROR, 18, 0, 0},
	{PTDMA_READ_FAULT, 0, 0, 1},
	{PTDMA_READ_FAULT, 4095, 0, 1},
	{PTDMA_WRITE_FAULT, 0, 0, 1},
	{PTDMA_WRITE_FAULT, 100, 0, 1},
	{PTDMA_ERROR_PAST, 9, 0, 0},
	{PTDMA_ERROR_QUIET, 20, 0, 0},
	{PTDMA_STUCK, 0, 1, 1},
	{PTDMA_LATE, 0, 1, 1},
	{PTDMA_GONE, 0, 1, 1},
	{PTDMA_MASTER_LOST, 0, 1, 1},
	{PTDMA_HEAD_WILD, 0x7777, 0, 0},
	{PTDMA_HEAD_WILD, ~0u - 1, 0, 0},
	{PTDMA_RUN_HIDDEN, 0, 0, 0},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The functions that it is tried with. */
static const struct ways {
	const char *name;
	struct ptdma_config functions[2];
	size_t count;
	enum ptdma_driver driver;
	uint32_t ring;
} ways[] = {
	{"vfio", {{0}}, 1, PTDMA_VFIO_PCI, 0},
	{"vfio, 2, ring of 8", {{0}}, 2, PTDMA_VFIO_PCI, 8},
	{"uio", {{0}}, 1, PTDMA_UIO_PCI, 0},
	{"uio, 2, ring of 16", {{0}}, 2, PTDMA_UIO_PCI, 16},
	{"ae4dma vfio", {{.ae4 = 1, .queues = 2}}, 1, PTDMA_VFIO_PCI, 0},
	{"ae4dma uio", {{.ae4 = 1}}, 1, PTDMA_UIO_PCI, 0},
	{"both", {{0}, {.ae4 = 1, .queues = 1}}, 2, PTDMA_VFIO_PCI, 0},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static uint64_t hits[PTDMA_KNOBS];

static const struct kind *tried[PT_RULES];

static int any_loses(void)
{
	return tried[0]->loses || (tried[1] && tried[1]->loses);
}

static int any_is(enum ptdma_knob knob)
{
	return tried[0]->knob == knob || (tried[1] && tried[1]->knob == knob);
}

/*
 * A function with an error loses bus mastering while it goes on: AE4DMA with its other
 * rings and with statuses, PTDMA where a doorbell came just after the error. So does
 * one that shows nonsense for too long, as the model does where it is kept off the CPU.
 */
static int is_cut_short(void)
{
	static const enum ptdma_knob fail[] = {PTDMA_ERROR,       PTDMA_READ_FAULT,
					       PTDMA_WRITE_FAULT, PTDMA_ERROR_PAST,
					       PTDMA_ERROR_QUIET, PTDMA_HEAD_WILD};
	int fails = 0;

	for (size_t i = 0; i < sizeof(fail) / sizeof(fail[0]); i++)
		fails |= any_is(fail[i]);
	return fails;
}

static void check_counts(void)
{
	struct ptdma_counts counts = pt_counted();
	int faults = tried[0]->faults || (tried[1] && tried[1]->faults);

	pt_assert(counts.refused == 0, "%lu descriptors were refused",
		  (unsigned long)counts.refused);
	pt_assert(counts.odd_writes == 0, "%lu odd writes", (unsigned long)counts.odd_writes);
	pt_assert(faults || counts.faults == 0, "%lu faults", (unsigned long)counts.faults);
	pt_assert(faults || is_cut_short() || counts.masterless == 0,
		  "%lu accesses without bus mastering", (unsigned long)counts.masterless);
	pt_assert(pt_held().stale == 0, "%lu accesses to what is not pinned",
		  (unsigned long)pt_held().stale);
}

/* 1: it goes on with this engine. */
static int end_round(size_t flying)
{
	int late = flying && rnd() % 2;

	pt_give_up();
	pt_unpin();
	if (late) {
		ptdma_release(pt.functions);
		ptdma_pause(pt.functions);
		pt_compare("after what was late");
	}
	/* One that was pulled out cannot be asked, and without an IOMMU nobody else can. */
	if (!pt_settle()) {
		pt_assert(any_is(PTDMA_GONE), "settle() never says that it is over");
		return 0;
	}
	pt_compare("once it is settled");
	ptdma_release(pt.functions);
	ptdma_pause(pt.functions);
	pt_compare("long after it was settled");
	return 1;
}

static int try_round(void)
{
	size_t flying;

	pt_clear();
	pt_add_apart(ROUND, LONG);
	/* An engine that has nothing left may say so here. */
	if (pt_pin() < 0)
		return 0;
	flying = pt_drive(any_loses() ? PT_PATIENCE : PT_EVER);
	pt_assert(flying == 0 || any_loses(), "%zu copies are not told of", flying);
	pt_compare("at once");
	return end_round(flying);
}

static void describe(const struct ways *way)
{
	const struct ptdma_rule *rules = pt.rules;

	snprintf(pt.what, sizeof(pt.what),
		 "%s, knob %d (%lu) at %lu every %lu, knob %d (%lu) at %lu every %lu", way->name,
		 (int)rules[0].knob, (unsigned long)rules[0].amount, (unsigned long)rules[0].at,
		 (unsigned long)rules[0].every, (int)rules[1].knob, (unsigned long)rules[1].amount,
		 (unsigned long)rules[1].at, (unsigned long)rules[1].every);
}

static void try_rules(const struct ways *way, const struct ptdma_rule *rules)
{
	struct ptdma_sys_how how = {.driver = way->driver};
	int settled = 1;

	pt_begin(way->functions, way->count, &how, way->ring);
	pt_open();
	memcpy(pt.rules, rules, sizeof(pt.rules));
	describe(way);
	ptdma_set_rules(pt.functions, pt.rules, PT_RULES);
	for (int round = 0; settled && round < ROUNDS; round++)
		settled = try_round();
	check_counts();
	for (size_t i = 0; i < PT_RULES; i++)
		hits[pt.rules[i].knob] += pt.rules[i].hits;
	pt_close();
}

static struct ptdma_rule rule_of(size_t index, const struct kind *kind, uint64_t at, uint64_t every)
{
	tried[index] = kind;
	return (struct ptdma_rule){
		.knob = kind->knob, .at = at, .every = every, .amount = kind->amount};
}

/* Under ThreadSanitizer one of so many is tried: each byte takes twenty times as long there. */
#ifdef __SANITIZE_THREAD__
#define STEP 4u
#else
#define STEP 1u
#endif

static void try_alone(const struct ways *way)
{
	static const uint64_t everies[] = {1, 2, 3, 7, 50};

	tried[1] = NULL;
	for (size_t kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < sizeof(everies) / sizeof(everies[0]); i += STEP) {
			struct ptdma_rule rules[PT_RULES] = {
				rule_of(0, &kinds[kind], 0, everies[i])};

			try_rules(way, rules);
		}
	}
}

static void try_all(size_t first, size_t count)
{
	memset(hits, 0, sizeof(hits));
	for (size_t way = first; way < first + count; way++)
		try_alone(&ways[way]);
	/* What never came true has not been tried. */
	for (size_t knob = 0; knob < PTDMA_KNOBS; knob++)
		ck_assert_msg(hits[knob] > 0, "knob %zu never came true", knob);
}

START_TEST(each_fault_by_vfio)
{
	try_all(0, 2);
}
END_TEST

START_TEST(each_fault_by_uio)
{
	try_all(2, 2);
}
END_TEST

START_TEST(each_fault_of_ae4dma)
{
	try_all(4, 3);
}
END_TEST

START_TEST(faults_in_pairs)
{
	size_t turn = 0;

	for (size_t first = 0; first < KINDS; first++) {
		for (size_t second = first; second < KINDS; second += STEP) {
			uint64_t every = rnd() % 3 ? 0 : 2 + rnd() % 9;
			struct ptdma_rule rules[PT_RULES] = {
				rule_of(0, &kinds[first], 1 + rnd() % ROUND, every),
				rule_of(1, &kinds[second], 1 + rnd() % ROUND, 0)};

			try_rules(&ways[turn++ % WAYS], rules);
		}
	}
}
END_TEST

/* One function of two fails: the other one does the work, and it is told of once. */
START_TEST(others_go_on)
{
	static const struct ptdma_config two[2];
	struct ptdma_sys_how how = {.driver = PTDMA_VFIO_PCI};
	size_t before;

	snprintf(pt.what, sizeof(pt.what), "one of two is stuck");
	pt_begin(two, 2, &how, 0);
	pt_open();
	tried[1] = NULL;
	pt.rules[0] = rule_of(0, &kinds[9], 5, 0);
	ck_assert_int_eq(pt.rules[0].knob, PTDMA_STUCK);
	ptdma_set_rules(pt.functions, pt.rules, PT_RULES);
	for (int round = 0; round < 4; round++) {
		before = pt.done;
		ck_assert_int_eq(try_round(), 1);
	}
	pt_assert(pt.done == before + ROUND, "%zu of %u copies are done by the other one",
		  pt.done - before, ROUND);
	pt_close();
}
END_TEST

static const TTest *const *const tests[] = {&each_fault_by_vfio,   &each_fault_by_uio,
					    &each_fault_of_ae4dma, &faults_in_pairs,
					    &others_go_on,         NULL};
const struct report_group ptdma_knobs_group = {"ptdma_knobs", tests};
