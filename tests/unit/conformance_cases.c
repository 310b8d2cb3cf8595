/* SPDX-License-Identifier: MIT */
/* conformance_cases.c - the backends and the systems that they are tried with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_dsa.h"
#include "conformance_ptdma.h"
#include "cpu/cpu.h"
#include "faulty.h"
#include "pinning.h"

#define CASES_MOST 64

static struct conformance_case cases[CASES_MOST + 1];
static size_t count;

/* ---------------------------------------------------------------- cpu */

static const char *set_up_cpu(struct conformance *run)
{
	run->env.loop = bm_cpu_loop_name(run->which->how);
	return NULL;
}

static const char *set_up_nothing(struct conformance *run)
{
	(void)run;
	return NULL;
}

static void add(struct conformance_case which)
{
	ck_assert_uint_lt(count, CASES_MOST);
	cases[count++] = which;
}

static void add_cpu(void)
{
	struct conformance_case which = {
		"cpu auto", &bm_backend_cpu, set_up_nothing, NULL, NULL, NULL, 0};

	add(which);
	which.set_up = set_up_cpu;
	for (size_t i = 0; i < bm_cpu_loop_count(); i++) {
		if (!bm_cpu_loop_here(i))
			continue;
		which.how = (unsigned int)i;
		snprintf(which.name, sizeof(which.name), "cpu %s", bm_cpu_loop_name(i));
		add(which);
	}
}

/* ---------------------------------------------------------------- faulty, without a fault */

static const char *set_up_faulty(struct conformance *run)
{
	memset(&faulty, 0, sizeof(faulty));
	faulty.depth = run->which->how;
	faulty.shuffle = run->which->how != 0;
	return NULL;
}

static void tear_down_faulty(struct conformance *run)
{
	(void)run;
	memset(&faulty, 0, sizeof(faulty));
}

static void add_faulty(void)
{
	add((struct conformance_case){"faulty", &faulty_backend, set_up_faulty, tear_down_faulty,
				      NULL, NULL, 0});
	add((struct conformance_case){"faulty, 7 shuffled", &faulty_backend, set_up_faulty,
				      tear_down_faulty, NULL, NULL, 7});
}

static void add_pinning(void)
{
	add((struct conformance_case){.name = "pinning",
				      .backend = &pinning_backend,
				      .set_up = set_up_nothing,
				      .is_pinned = pinning_is_pinned});
}

static void add_dsa(void)
{
	struct conformance_case which;

	for (size_t i = 0; conformance_dsa_case(i, &which); i++)
		add(which);
}

static void add_ptdma(void)
{
	struct conformance_case which;

	for (size_t i = 0; conformance_ptdma_case(i, &which); i++)
		add(which);
}

const struct conformance_case *conformance_case_at(size_t index)
{
	if (count == 0) {
		add_cpu();
		add_faulty();
		add_pinning();
		add_dsa();
		add_ptdma();
	}
	return index < count ? &cases[index] : NULL;
}
