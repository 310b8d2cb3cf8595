/* SPDX-License-Identifier: MIT */
/* list.c - says of functions what they are, and why none can be used. */
#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WHAT_MAX 160

/* What is there, with the reason why not in `why`, or how many. */
static int look(const struct bm_backend_env *env, struct bm_pci_found **found,
		enum bm_pci_access *access, char *why, char *remedy)
{
	int rc = bm_ptdma_access(env, access, why, remedy);

	*found = NULL;
	if (rc < 0)
		return rc;
	*found = env->sys->alloc(BM_PCI_FUNCTIONS_MOST, sizeof(**found));
	if (!*found) {
		snprintf(why, BM_WHY_MAX, "no memory");
		snprintf(remedy, BM_WHY_MAX, "free memory");
		return -ENOMEM;
	}
	return bm_ptdma_functions_find(env, *found, BM_PCI_FUNCTIONS_MOST, why, remedy);
}

static void describe(const struct bm_pci_found *found, char *what)
{
	const struct bm_ptdma_kind *kind = bm_ptdma_kind_of(&found->id);
	char group[48] = "no IOMMU group";

	if (found->group >= 0)
		snprintf(group, sizeof(group), "IOMMU group %d%s%.16s", found->group,
			 found->group_type[0] ? " of type " : "", found->group_type);
	snprintf(what, WHAT_MAX, "%s%.32s, %s, %s", found->driver[0] ? "driver " : "no driver",
		 found->driver, group, kind->slots ? "up to 16 rings" : "1 ring");
}

void bm_ptdma_list(const struct bm_backend_env *env,
		   void (*add)(void *arg, const struct bm_queue_facts *queue), void *arg)
{
	char why[BM_WHY_MAX], remedy[BM_WHY_MAX], what[WHAT_MAX];
	enum bm_pci_access access;
	struct bm_pci_found *found;
	int count = look(env, &found, &access, why, remedy);

	if (count < 0)
		add(arg, &(struct bm_queue_facts){"", "", "", why, remedy, -1});
	for (int i = 0; i < count; i++) {
		why[0] = remedy[0] = '\0';
		bm_pci_usable(env->sys, &found[i], access, why, remedy);
		describe(&found[i], what);
		add(arg, &(struct bm_queue_facts){.device = found[i].address,
						  .name = bm_ptdma_kind_of(&found[i].id)->name,
						  .what = what,
						  .why = why,
						  .remedy = remedy,
						  .node = found[i].node});
	}
	free(found);
}

/* The first reason stands for all. */
static int sum_up(const struct bm_backend_env *env, enum bm_pci_access access,
		  const struct bm_pci_found *found, int count, char *why, char *remedy)
{
	char *texts = env->sys->alloc(2, BM_WHY_MAX);
	int rc = -ENODEV;

	why[0] = remedy[0] = '\0';
	for (int i = 0; texts && i < count && rc < 0; i++) {
		texts[0] = texts[BM_WHY_MAX] = '\0';
		rc = bm_pci_usable(env->sys, &found[i], access, texts, texts + BM_WHY_MAX);
		if (rc == 0 || why[0])
			continue;
		snprintf(why, BM_WHY_MAX, "%s: %.400s", found[i].address, texts);
		snprintf(remedy, BM_WHY_MAX, "%s", texts + BM_WHY_MAX);
	}
	free(texts);
	return rc < 0 ? -ENODEV : 0;
}

int bm_ptdma_probe(const struct bm_backend_env *env, char *why, char *remedy)
{
	enum bm_pci_access access;
	struct bm_pci_found *found;
	int count = look(env, &found, &access, why, remedy);

	if (count > 0) {
		count = sum_up(env, access, found, count, why, remedy);
	} else if (count == 0) {
		snprintf(why, BM_WHY_MAX, "there is no PTDMA or AE4DMA function on this machine");
		snprintf(remedy, BM_WHY_MAX, "a machine with AMD EPYC processors");
		count = -ENODEV;
	} else if (count != -EINVAL && count != -ENOMEM) {
		count = -ENODEV;
	}
	free(found);
	return count;
}
