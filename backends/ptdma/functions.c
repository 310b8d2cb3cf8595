/* SPDX-License-Identifier: MIT */
/* functions.c - "0000:02:00.2,0000:03:00.2", or all that there are. */
#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "least.h"

#define OPTION "ptdma_functions (BATCHMIG_PTDMA_FUNCTIONS)"
#define ACCESS "ptdma_access (BATCHMIG_PTDMA_ACCESS)"
#define SHOWN  48 /* bytes of a name in a message */

static const struct bm_ptdma_kind *const kinds[] = {&bm_ptdma_kind_ptdma, &bm_ptdma_kind_ae4dma};

const struct bm_ptdma_kind *bm_ptdma_kind_of(const struct bm_pci_id *id)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i]->id.vendor == id->vendor && kinds[i]->id.device == id->device)
			return kinds[i];
	return NULL;
}

/* A list of names while it is read. */
struct named {
	const struct bm_sys *sys;
	struct bm_pci_found *found;
	size_t most, count;
	char *why, *remedy;
};

static int refuse(struct named *named, const char *name, size_t span, const char *what)
{
	snprintf(named->why, BM_WHY_MAX, OPTION ": \"%.*s\"%s %s", (int)bm_least(span, SHOWN), name,
		 span > SHOWN ? "..." : "", what);
	snprintf(named->remedy, BM_WHY_MAX,
		 "allowed: addresses such as 0000:02:00.2 of functions that lspci -d 1022:1498 or "
		 "-d 1022:149b shows, separated by commas, each once, at most %zu",
		 named->most);
	return -EINVAL;
}

static int add(struct named *named, const char *name, size_t span)
{
	struct bm_pci_found found;
	char address[sizeof(found.address)];
	int rc = -EINVAL;

	if (span < sizeof(address)) {
		snprintf(address, sizeof(address), "%.*s", (int)span, name);
		rc = bm_pci_look(named->sys, address, &found);
	}
	if (rc == -EINVAL)
		return refuse(named, name, span, "is no address of a PCI function");
	/* As any backend that is not: the next one of the list is taken. */
	if (rc == -ENODEV) {
		refuse(named, name, span, "is not on this machine");
		return -ENODEV;
	}
	if (rc < 0)
		return refuse(named, name, span, "cannot be read in sysfs");
	if (!bm_ptdma_kind_of(&found.id))
		return refuse(named, name, span, "is neither PTDMA nor AE4DMA");
	for (size_t i = 0; i < named->count; i++)
		if (strcmp(named->found[i].address, found.address) == 0)
			return refuse(named, name, span, "is named twice");
	if (named->count == named->most)
		return refuse(named, name, span, "is one too many");
	named->found[named->count++] = found;
	return 0;
}

static int find_all(const struct bm_sys *sys, struct bm_pci_found *found, size_t most, char *why)
{
	const struct bm_pci_id ids[] = {kinds[0]->id, kinds[1]->id};
	int count = bm_pci_find(sys, ids, sizeof(ids) / sizeof(ids[0]), found, most);

	if (count == -ENOENT || count == -ENODEV)
		return 0;
	if (count < 0)
		snprintf(why, BM_WHY_MAX, "PCI functions cannot be read in sysfs (error %d)",
			 -count);
	return count;
}

int bm_ptdma_functions_find(const struct bm_backend_env *env, struct bm_pci_found *found,
			    size_t most, char *why, char *remedy)
{
	struct named named = {env->sys, found, most, 0, why, remedy};
	const char *name = env->ptdma_functions;

	why[0] = remedy[0] = '\0';
	if (!name || !name[0])
		return find_all(env->sys, found, most, why);
	for (;;) {
		size_t span = strcspn(name, ",");
		int rc = add(&named, name, span);

		if (rc < 0)
			return rc;
		if (!name[span])
			return (int)named.count;
		name += span + 1;
	}
}

int bm_ptdma_access(const struct bm_backend_env *env, enum bm_pci_access *access, char *why,
		    char *remedy)
{
	const char *name = env->ptdma_access;

	*access = BM_PCI_VFIO;
	if (!name || !name[0] || strcmp(name, "vfio") == 0)
		return 0;
	*access = BM_PCI_UIO;
	if (strcmp(name, "uio-unsafe") == 0)
		return 0;
	snprintf(why, BM_WHY_MAX, ACCESS ": \"%.*s\" is no way to a function", SHOWN, name);
	snprintf(remedy, BM_WHY_MAX, "allowed: vfio, uio-unsafe");
	return -EINVAL;
}
