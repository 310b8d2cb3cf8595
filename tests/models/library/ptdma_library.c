/* SPDX-License-Identifier: MIT */
/* ptdma_library.c - the software PTDMA of the library: four functions, one of them an AE4DMA. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "library.h"
#include "ptdma.h"
#include "ptdma_sys.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static size_t read_rules(struct ptdma_rule *rules, const char *text)
{
	struct library_rule read[PTDMA_KNOBS];
	size_t count = library_rules(text, read, PTDMA_KNOBS);

	for (size_t i = 0; i < count; i++)
		rules[i] = (struct ptdma_rule){.knob = (enum ptdma_knob)read[i].knob,
					       .every = read[i].every,
					       .amount = read[i].amount};
	return count;
}

/* For the report at exit. */
static struct ptdma *functions_used;
static const struct ptdma_rule *rules_used;
static size_t rules_count;
static pid_t process;

/* Not of children: they have other functions. */
__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("BM_MODEL_REPORT");
	struct ptdma_counts counts;
	FILE *file;

	if (!path || !functions_used || process != getpid())
		return;
	file = fopen(path, "a");
	if (!file)
		abort();
	ptdma_count(functions_used, &counts);
	fprintf(file, "descriptors %" PRIu64 "\nfaults %" PRIu64 "\nrefused %" PRIu64 "\n",
		counts.descriptors, counts.faults, counts.refused);
	for (size_t i = 0; i < rules_count; i++)
		fprintf(file, "knob %d %" PRIu64 "\n", rules_used[i].knob, rules_used[i].hits);
	fclose(file);
}

/* Of the thread of the model: no page of a program that it could wait for. */
static struct ptdma_rule *shared_rules(void)
{
	void *at = mmap(NULL, sizeof(struct ptdma_rule) * PTDMA_KNOBS, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		abort();
	return at;
}

void library_ptdma(struct bm_sys *sys, const char *how_reached, const char *text)
{
	static const struct ptdma_config functions[] = {
		{.node = 0}, {.node = 0}, {.node = 1}, {.ae4 = 1, .node = 1}};
	int uio = how_reached && strcmp(how_reached, "uio") == 0;
	struct ptdma_sys_how how = {.driver = uio ? PTDMA_UIO_PCI : PTDMA_VFIO_PCI};
	struct ptdma *ptdma = ptdma_sys_use(sys, functions, COUNT_OF(functions), &how, 1);
	struct ptdma_rule *rules = shared_rules();

	functions_used = ptdma;
	rules_used = rules;
	rules_count = read_rules(rules, text);
	process = getpid();
	ptdma_set_rules(ptdma, rules, rules_count);
	setenv("BATCHMIG_PTDMA_FUNCTIONS", ptdma_sys_names(), 0);
	setenv("BATCHMIG_PTDMA_ACCESS", uio ? "uio-unsafe" : "vfio", 0);
}
