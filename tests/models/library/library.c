/* SPDX-License-Identifier: MIT */
/*
 * library.c - a libbatchmig on a machine with a software device: what is
 * otherwise lib/sys.c's table of system calls has the device in it.
 *
 * BM_MODEL_DEVICE: "dsa" (the usual) or "ptdma".
 * BM_MODEL: how it is reached: "portal" (the usual) or "write", "vfio" (the usual) or "uio".
 * BM_MODEL_RULES: what goes wrong, "KNOB:EVERY:AMOUNT,..." by number of enum dsa_knob, ptdma_knob.
 * BM_MODEL_REPORT: a file that what happened to "ptdma" is added to at exit.
 */
#include "library.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* lib/sys.c is compiled once more, with its table under this name. */
extern const struct bm_sys bm_sys_plain;

/* In pages of its own: they are read while other pages of the process are out of reach. */
static union {
	struct bm_sys sys;
	char page[65536];
} table __attribute__((aligned(65536)));
extern const struct bm_sys bm_sys_linux __attribute__((alias("table")));

size_t library_rules(const char *text, struct library_rule *rules, size_t most)
{
	size_t count = 0;
	char *end;

	while (text && *text && count < most) {
		rules[count].knob = (int)strtol(text, &end, 10);
		rules[count].every = *end == ':' ? strtoull(end + 1, &end, 10) : 1;
		rules[count].amount = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
		text = *end == ',' ? end + 1 : NULL;
		count++;
	}
	return count;
}

__attribute__((constructor)) static void begin(void)
{
	const char *device = getenv("BM_MODEL_DEVICE");

	table.sys = bm_sys_plain;
	if (device && strcmp(device, "ptdma") == 0)
		library_ptdma(&table.sys, getenv("BM_MODEL"), getenv("BM_MODEL_RULES"));
	else
		library_dsa(&table.sys, getenv("BM_MODEL"), getenv("BM_MODEL_RULES"));
	mprotect(&table, sizeof(table), PROT_READ);
}
