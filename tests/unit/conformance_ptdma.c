/* SPDX-License-Identifier: MIT */
/*
 * conformance_ptdma.c - the backend ptdma on software functions.
 *
 * They also tell at the end what the backend did to them that hardware would
 * not forgive, and what the kernel would still hold for a process that has closed all.
 */
#include "conformance_ptdma.h"

#include <stdio.h>
#include <string.h>

#include "models/ptdma_sys.h"
#include "ptdma/ptdma.h"

#define VFIO                             \
	{                                \
		.driver = PTDMA_VFIO_PCI \
	}
#define UIO                             \
	{                               \
		.driver = PTDMA_UIO_PCI \
	}
#define AE4(most)                          \
	{                                  \
		.ae4 = 1, .queues = (most) \
	}

static const struct ptdma_case {
	const char *name;
	struct ptdma_config functions[4];
	size_t count;
	struct ptdma_sys_how how;
	uint32_t ring;
	int by_name; /* the option names them all */
	struct ptdma_rule rule;
} models[] = {
	{"ptdma vfio", {{0}}, 1, VFIO, 0, 0, {0}},
	{"ptdma vfio, 2", {{0}, {.node = 1}}, 2, VFIO, 0, 1, {0}},
	{"ptdma vfio, 4", {{0}}, 4, VFIO, 0, 0, {0}},
	{"ptdma vfio, ring of 2", {{0}}, 1, VFIO, 2, 0, {0}},
	{"ptdma vfio, ring of 4", {{0}}, 2, VFIO, 4, 0, {0}},
	{"ptdma vfio, ring of 128", {{0}}, 1, VFIO, 128, 1, {0}},
	{"ptdma vfio, ring of 8192", {{0}}, 1, VFIO, 8192, 0, {0}},
	{"ptdma vfio, low addresses",
	 {{0}},
	 2,
	 {.driver = PTDMA_VFIO_PCI, .no_user_iova = 1},
	 0,
	 0,
	 {0}},
	{"ptdma vfio, slow", {{0}}, 1, VFIO, 0, 0, {.knob = PTDMA_DELAY, .every = 5, .amount = 30}},
	{"ptdma uio", {{0}}, 1, UIO, 0, 0, {0}},
	{"ptdma uio, 2", {{0}}, 2, UIO, 0, 1, {0}},
	{"ptdma uio, ring of 4", {{0}}, 1, UIO, 4, 0, {0}},
	{"ptdma uio, without groups",
	 {{0}},
	 1,
	 {.driver = PTDMA_UIO_PCI, .group_type = ""},
	 0,
	 0,
	 {0}},
	{"ae4dma vfio", {AE4(0)}, 1, VFIO, 0, 0, {0}},
	{"ae4dma vfio, 1 queue", {AE4(1)}, 1, VFIO, 0, 0, {0}},
	{"ae4dma uio", {AE4(4)}, 1, UIO, 0, 0, {0}},
	{"ptdma and ae4dma", {{0}, AE4(2), {.node = 1}, AE4(0)}, 4, VFIO, 0, 0, {0}},
};

#define MODELS (sizeof(models) / sizeof(models[0]))

static struct ptdma *functions;
static struct ptdma_rule rules[1];

static void drop_model(void)
{
	if (functions)
		ptdma_sys_end();
	functions = NULL;
}

static int all_ptdma(const struct ptdma_case *model)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->functions[i].ae4)
			return 0;
	return 1;
}

static const char *set_up(struct conformance *run)
{
	const struct ptdma_case *model = &models[run->which->how];

	drop_model(); /* what a test that failed has left */
	functions = ptdma_sys_use(&run->sys, model->functions, model->count, &model->how, 24);
	ck_assert_ptr_nonnull(functions);
	rules[0] = model->rule;
	ptdma_set_rules(functions, rules, model->rule.every > 0);
	run->env.ptdma_access = model->how.driver == PTDMA_UIO_PCI ? "uio-unsafe" : NULL;
	run->env.ptdma_functions = model->by_name ? ptdma_sys_names() : NULL;
	run->env.ptdma_ring = model->ring;
	/* Those of AE4DMA have several queues each. */
	run->queues = all_ptdma(model) ? (int)model->count : -1;
	return NULL;
}

static void check_held(const struct conformance *run)
{
	struct ptdma_sys_held held;

	ptdma_sys_count(&held);
	conformance_assert(run, held.files == 0, "%u files are open", held.files);
	conformance_assert(run, held.mappings == 0, "%u mappings are left", held.mappings);
	conformance_assert(run, held.pinned_pages == 0, "%u pages are pinned", held.pinned_pages);
	conformance_assert(run, held.bus_masters == 0, "%u functions are bus masters",
			   held.bus_masters);
	conformance_assert(run, held.locks == 0, "%u locks are held", held.locks);
	conformance_assert(run, held.stale == 0, "%lu accesses to what is not pinned",
			   (unsigned long)held.stale);
}

static void check_counts(const struct conformance *run, const struct ptdma_case *model)
{
	struct ptdma_counts counts;

	ptdma_count(functions, &counts);
	conformance_assert(run, counts.refused == 0, "%lu descriptors were refused",
			   (unsigned long)counts.refused);
	conformance_assert(run, counts.faults == 0, "%lu addresses were wrong",
			   (unsigned long)counts.faults);
	/* So it is stopped, also where a call fails: no bus master, whatever it is doing. */
	conformance_assert(run, run->gave_up || run->poor || counts.masterless == 0,
			   "%lu accesses without bus mastering", (unsigned long)counts.masterless);
	conformance_assert(run, counts.odd_writes == 0, "%lu odd writes to registers",
			   (unsigned long)counts.odd_writes);
	/* Full is when one slot is free: with none, it would be empty. */
	conformance_assert(run, !model->ring || counts.most_waiting < model->ring,
			   "%lu descriptors in a ring of %u", (unsigned long)counts.most_waiting,
			   (unsigned int)model->ring);
}

static void tear_down(struct conformance *run)
{
	check_held(run);
	check_counts(run, &models[run->which->how]);
	drop_model();
}

int conformance_ptdma_case(size_t index, struct conformance_case *which)
{
#ifndef __x86_64__
	/* AMD's functions are on no other machines; elsewhere it is an emulator, where all take long. */
	if (index > 0)
		return 0;
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	/* What differs between the others is how large something is. */
	index *= 2;
#endif
	if (index >= MODELS)
		return 0;
	*which = (struct conformance_case){.backend = &bm_backend_ptdma,
					   .how = (unsigned int)index,
					   .set_up = set_up,
					   .tear_down = tear_down,
					   .is_pinned = ptdma_sys_pinned};
	snprintf(which->name, sizeof(which->name), "%s", models[index].name);
	return 1;
}
