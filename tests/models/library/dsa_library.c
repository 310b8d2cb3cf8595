/* SPDX-License-Identifier: MIT */
/* dsa_library.c - the software DSA of the library: a shared queue and a dedicated one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsa.h"
#include "dsa_sys.h"
#include "library.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct dsa_rule rules[DSA_KNOBS];

static size_t read_rules(const char *text)
{
	struct library_rule read[DSA_KNOBS];
	size_t count = library_rules(text, read, DSA_KNOBS);

	for (size_t i = 0; i < count; i++)
		rules[i] = (struct dsa_rule){.knob = (enum dsa_knob)read[i].knob,
					     .every = read[i].every,
					     .amount = read[i].amount};
	return count;
}

void library_dsa(struct bm_sys *sys, const char *how_reached, const char *text)
{
	static const struct dsa_queue_config queues[] = {
		{.shared = 1,
		 .size = 16,
		 .threshold = 12,
		 .max_transfer = 2 << 20,
		 .max_batch = 32},
		{.size = 8, .max_transfer = 2 << 20, .max_batch = 16}};
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B | BM_CPU_ENQCMD};
	struct dsa *dsa = dsa_new(queues, COUNT_OF(queues), DSA_AT_ONCE, 1);

	if (!dsa) {
		fputs("no memory for the software DSA\n", stderr);
		abort();
	}
	if (how_reached && strcmp(how_reached, "write") == 0)
		how.map_error = -EPERM;
	dsa_set_rules(dsa, rules, read_rules(text));
	dsa_sys_use(sys, dsa, &how);
	setenv("BATCHMIG_DSA_WQS", dsa_sys_names(), 0);
}
