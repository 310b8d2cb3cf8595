/* SPDX-License-Identifier: MIT */
/*
 * dsa_library.c - a libbatchmig on a machine with a software DSA: what is
 * otherwise lib/sys.c's table of system calls has the device in it.
 *
 * BM_MODEL: "portal" (the usual) or "write", how the queues are reached.
 * BM_MODEL_RULES: what goes wrong, "KNOB:EVERY:AMOUNT,..." by number of enum dsa_knob.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dsa.h"
#include "dsa_sys.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* lib/sys.c is compiled once more, with its table under this name. */
extern const struct bm_sys bm_sys_plain;

/* In pages of its own: they are read while other pages of the process are out of reach. */
static union {
	struct bm_sys sys;
	char page[65536];
} table __attribute__((aligned(65536)));
extern const struct bm_sys bm_sys_linux __attribute__((alias("table")));

static struct dsa_rule rules[DSA_KNOBS];

static size_t read_rules(const char *text)
{
	size_t count = 0;
	char *end;

	while (text && *text && count < COUNT_OF(rules)) {
		rules[count].knob = (enum dsa_knob)strtol(text, &end, 10);
		rules[count].every = *end == ':' ? strtoull(end + 1, &end, 10) : 1;
		rules[count].amount = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
		text = *end == ',' ? end + 1 : NULL;
		count++;
	}
	return count;
}

__attribute__((constructor)) static void begin(void)
{
	static const struct dsa_queue_config queues[] = {
		{.shared = 1,
		 .size = 16,
		 .threshold = 12,
		 .max_transfer = 2 << 20,
		 .max_batch = 32},
		{.size = 8, .max_transfer = 2 << 20, .max_batch = 16}};
	const char *how_reached = getenv("BM_MODEL");
	struct dsa_sys_how how = {.cpu_facts = BM_CPU_MOVDIR64B | BM_CPU_ENQCMD};
	struct dsa *dsa = dsa_new(queues, COUNT_OF(queues), DSA_AT_ONCE, 1);

	if (!dsa) {
		fputs("no memory for the software DSA\n", stderr);
		abort();
	}
	if (how_reached && strcmp(how_reached, "write") == 0)
		how.map_error = -EPERM;
	dsa_set_rules(dsa, rules, read_rules(getenv("BM_MODEL_RULES")));
	table.sys = bm_sys_plain;
	dsa_sys_use(&table.sys, dsa, &how);
	setenv("BATCHMIG_DSA_WQS", dsa_sys_names(), 0);
	mprotect(&table, sizeof(table), PROT_READ);
}
