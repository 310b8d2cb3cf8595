/* SPDX-License-Identifier: MIT */
/*
 * conformance_dsa.c - the backend dsa on the software device, and on a real one.
 *
 * The device of each case also tells at the end what the backend did to it that
 * hardware would not forgive: descriptors beyond the size of a dedicated queue,
 * flags and addresses that are checked.
 */
#include "conformance_dsa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsa/dsa.h"
#include "models/dsa_sys.h"
#include "models/dsa_trap.h"

#define PORTALS (BM_CPU_MOVDIR64B | BM_CPU_ENQCMD)
#define UNSAFE  .map_error = -EPERM /* as kernels that do not trust DSA 1.0 with portals */

/* The instructions of the library's own table, in pages where they raise signals. */
#define TRAPPED      .cpu_facts = PORTALS, .portals = 1
#define TRAPPED_FULL "dsa trapped shared, full"

#define DEDICATED                                                     \
	{                                                             \
		.size = 16, .max_transfer = 2u << 20, .max_batch = 32 \
	}
#define SHARED                                                                      \
	{                                                                           \
		.shared = 1, .size = 16, .threshold = 12, .max_transfer = 2u << 20, \
		.max_batch = 32                                                     \
	}

static const struct dsa_case {
	const char *name;
	struct dsa_queue_config queues[4];
	size_t count;
	struct dsa_sys_how how;
	enum dsa_pace pace;
	uint32_t batch;
	struct dsa_rule rules[4];
} models[] = {
	{"dsa dedicated, portal", {DEDICATED}, 1, {.cpu_facts = PORTALS}, DSA_AT_ONCE, 0, {{0}}},
	{"dsa dedicated, portal, single",
	 {DEDICATED},
	 1,
	 {.cpu_facts = PORTALS},
	 DSA_WHEN_RUN,
	 1,
	 {{0}}},
	{"dsa dedicated, portal, by thread",
	 {DEDICATED},
	 1,
	 {.cpu_facts = PORTALS},
	 DSA_BY_THREAD,
	 0,
	 {{0}}},
	{"dsa shared, portal", {SHARED}, 1, {.cpu_facts = PORTALS}, DSA_WHEN_RUN, 0, {{0}}},
	{"dsa shared, portal, single", {SHARED}, 1, {.cpu_facts = PORTALS}, DSA_AT_ONCE, 1, {{0}}},
	{"dsa shared, portal, by thread",
	 {SHARED},
	 1,
	 {.cpu_facts = PORTALS | BM_CPU_WAITPKG},
	 DSA_BY_THREAD,
	 8,
	 {{0}}},
	{"dsa shared, write", {SHARED}, 1, {UNSAFE}, DSA_WHEN_RUN, 0, {{0}}},
	{"dsa shared, write, by thread", {SHARED}, 1, {UNSAFE}, DSA_BY_THREAD, 0, {{0}}},
	{"dsa shared, write, batches",
	 {{.shared = 1,
	   .size = 16,
	   .max_transfer = 2u << 20,
	   .max_batch = 32,
	   .batch_by_write = 1}},
	 1,
	 {UNSAFE},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa dedicated, write", {DEDICATED}, 1, {UNSAFE}, DSA_WHEN_RUN, 0, {{0}}},
	{"dsa dedicated, write, at once", {DEDICATED}, 1, {UNSAFE}, DSA_AT_ONCE, 0, {{0}}},
	{"dsa without instructions",
	 {SHARED, DEDICATED},
	 2,
	 {.cpu_facts = 0},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa small",
	 {{.size = 1, .max_transfer = CONFORMANCE_PAGE, .max_batch = 1}},
	 1,
	 {.cpu_facts = PORTALS},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa small, shared",
	 {{.shared = 1, .size = 2, .threshold = 1, .max_transfer = 16384, .max_batch = 2}},
	 1,
	 {.cpu_facts = PORTALS},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa, four queues",
	 {DEDICATED,
	  SHARED,
	  {.size = 64, .max_transfer = 65536, .max_batch = 1024, .node = 1},
	  {.shared = 1, .size = 8, .max_transfer = 1u << 30, .max_batch = 4, .node = 1}},
	 4,
	 {.cpu_facts = PORTALS},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa, names only",
	 {SHARED, DEDICATED},
	 2,
	 {.cpu_facts = PORTALS, .hides_files = 1},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa, not pinned",
	 {SHARED},
	 1,
	 {.cpu_facts = PORTALS, .pin_error = -ENOMEM},
	 DSA_WHEN_RUN,
	 0,
	 {{0}}},
	{"dsa, unsteady",
	 {SHARED, DEDICATED},
	 2,
	 {.cpu_facts = PORTALS},
	 DSA_WHEN_RUN,
	 0,
	 {{.knob = DSA_BUSY, .every = 3, .amount = 2},
	  {.knob = DSA_DELAY, .every = 5, .amount = 9}}},
	{"dsa, unsteady, write",
	 {SHARED},
	 1,
	 {UNSAFE},
	 DSA_WHEN_RUN,
	 0,
	 {{.knob = DSA_BUSY, .every = 3, .amount = 2},
	  {.knob = DSA_SHORT_WRITE, .every = 2, .amount = 1},
	  {.knob = DSA_DELAY, .every = 4, .amount = 5}}},
#ifdef __x86_64__
	{"dsa trapped dedicated", {DEDICATED}, 1, {TRAPPED}, DSA_WHEN_RUN, 0, {{0}}},
	{"dsa trapped dedicated, by thread", {DEDICATED}, 1, {TRAPPED}, DSA_BY_THREAD, 1, {{0}}},
	{"dsa trapped shared", {SHARED}, 1, {TRAPPED}, DSA_WHEN_RUN, 0, {{0}}},
	/* Full for a while, so that it is tried again, and for longer than that is done. */
	{TRAPPED_FULL,
	 {SHARED},
	 1,
	 {TRAPPED},
	 DSA_WHEN_RUN,
	 4,
	 {{.knob = DSA_BUSY, .every = 7, .amount = 2},
	  {.knob = DSA_BUSY, .every = 60, .amount = 40}}},
#endif
};

#define MODELS (sizeof(models) / sizeof(models[0]))

static struct dsa *device;
static struct dsa_rule rules[4];

/* ---------------------------------------------------------------- trapped */

#ifdef __x86_64__
static int trapped;

static void trap_begin(struct dsa_sys_how *how)
{
	if (!how->portals)
		return;
	ck_assert_int_eq(dsa_trap_begin(device), 0);
	trapped = 1;
	how->portals = dsa_trap_portal(0);
}

static void trap_end(void)
{
	if (trapped)
		dsa_trap_end();
	trapped = 0;
}

/* None came by a call. */
static void check_trapped(const struct conformance *run, const struct dsa_counts *counts)
{
	conformance_assert(run, !trapped || dsa_trap_count() == counts->portal,
			   "%lu of %lu stores were trapped", (unsigned long)dsa_trap_count(),
			   (unsigned long)counts->portal);
}
#else
static void trap_begin(struct dsa_sys_how *how)
{
	(void)how;
}

static void trap_end(void)
{
}

static void check_trapped(const struct conformance *run, const struct dsa_counts *counts)
{
	(void)run;
	(void)counts;
}
#endif

/* ---------------------------------------------------------------- the software device */

static void drop_model(void)
{
	trap_end();
	if (device)
		dsa_free(device);
	device = NULL;
}

static const char *set_up_model(struct conformance *run)
{
	const struct dsa_case *model = &models[run->which->how];
	struct dsa_sys_how how = model->how;

	drop_model(); /* what a test that failed has left */
	memcpy(rules, model->rules, sizeof(rules));
	device = dsa_new(model->queues, model->count, model->pace, 24);
	ck_assert_ptr_nonnull(device);
	dsa_set_rules(device, rules, 4);
	trap_begin(&how);
	dsa_sys_use(&run->sys, device, &how);
	run->env.batch = model->batch;
	/* By name: what finds queues by itself looks at the files of the machine. */
	run->env.dsa_wqs = dsa_sys_names();
	run->queues = (int)model->count;
	return NULL;
}

struct dsa *conformance_dsa_device(const struct conformance *run)
{
	const struct dsa_case *model = &models[run->which->how];

	if (run->which->set_up != set_up_model || model->pace == DSA_BY_THREAD)
		return NULL;
	/* Without its files nobody can tell that a device has stopped. */
	return model->rules[0].every || model->how.hides_files ? NULL : device;
}

void conformance_dsa_renew(struct conformance *run)
{
	run->sys = bm_sys_linux;
	set_up_model(run);
}

static void tear_down_model(struct conformance *run)
{
	struct dsa_counts counts;

	dsa_count(device, &counts);
	check_trapped(run, &counts);
	drop_model();
	conformance_assert(run, counts.dropped == 0, "%lu descriptors too many: dropped",
			   (unsigned long)counts.dropped);
	/* Where its files could not be read, it had to guess what the device takes. */
	conformance_assert(run, run->poor || (counts.refused == 0 && counts.software_errors == 0),
			   "%lu descriptors were refused, %lu errors",
			   (unsigned long)counts.refused, (unsigned long)counts.software_errors);
	conformance_assert(run, counts.in_flight == 0, "%lu descriptors are in flight",
			   (unsigned long)counts.in_flight);
}

static void run_model(struct conformance *run)
{
	(void)run;
	dsa_run(device, 5);
}

/* ---------------------------------------------------------------- a real device */

static const char *set_up_real(struct conformance *run)
{
	run->env.dsa_wqs = getenv("BM_TEST_DSA_WQS");
	return run->env.dsa_wqs ? NULL : "BM_TEST_DSA_WQS names no queues of a device";
}

int conformance_dsa_case(size_t index, struct conformance_case *which)
{
	*which = (struct conformance_case){.backend = &bm_backend_dsa, .how = (unsigned int)index};
	if (index > MODELS)
		return 0;
	if (index == MODELS) {
		snprintf(which->name, sizeof(which->name), "device");
		which->set_up = set_up_real;
		return 1;
	}
	snprintf(which->name, sizeof(which->name), "%s", models[index].name);
	which->set_up = set_up_model;
	which->tear_down = tear_down_model;
	which->progress = models[index].pace == DSA_WHEN_RUN ? run_model : NULL;
	return 1;
}

static struct conformance_flow flow;
static int tried;

static void copy_once(struct conformance *run)
{
	if (strcmp(run->which->name, "device") != 0)
		return;
	tried = 1;
	conformance_flow_open(run, &flow, -1);
	conformance_add_random(&flow);
	conformance_run(&flow, "a list");
	conformance_begin(&flow);
	conformance_flow_close(&flow);
}

/* Where it is skipped, the other subjects had no device either. */
START_TEST(device_is_tried)
{
	struct conformance_case real;
	struct conformance run = {0};
	const char *why;

	conformance_dsa_case(MODELS, &real);
	why = real.set_up(&run);
	if (why)
		skip_test("%s", why);
	tried = 0;
	conformance_each(copy_once);
	ck_assert(tried);
}
END_TEST

#ifdef __x86_64__
static void hear_no(struct conformance *run)
{
	if (strcmp(run->which->name, TRAPPED_FULL) != 0)
		return;
	conformance_flow_open(run, &flow, -1);
	conformance_add_scattered(&flow, CONFORMANCE_ARENA);
	conformance_run(&flow, "a queue that is full");
	conformance_begin(&flow);
	conformance_flow_close(&flow);
	tried = rules[0].hits > 0 && rules[1].hits > 0;
}

/* Entries are counted, so a queue is full only where others use it, too: it says so here. */
START_TEST(zero_flag_is_heard)
{
	tried = getenv("BM_TEST_CONFORMANCE") != NULL;
	conformance_each(hear_no);
	ck_assert(tried);
}
END_TEST
#endif

static const TTest *const *const tests[] = {
#ifdef __x86_64__
	&zero_flag_is_heard,
#endif
	&device_is_tried, NULL};
const struct report_group conformance_group = {"conformance", tests};
