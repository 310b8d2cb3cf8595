/* SPDX-License-Identifier: MIT */
/* space.c - functions in use, by whichever way. */
#include "vfio.h"

#include <errno.h>
#include <stdio.h>

int bm_pci_space_new(const struct bm_backend_env *env, enum bm_pci_access access,
		     struct bm_pci_space **space, char *why)
{
	struct bm_pci_space *made = env->memory(env->sys, sizeof(*made));
	int rc;

	if (!made) {
		snprintf(why, BM_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	made->sys = env->sys;
	made->env = env;
	made->way = access == BM_PCI_VFIO ? &bm_pci_vfio : &bm_pci_uio;
	made->owner = env->sys->getpid();
	made->page_size = (size_t)env->page_size;
	pthread_mutex_init(&made->lock, NULL);
	rc = made->way->begin(made, why);
	if (rc < 0) {
		pthread_mutex_destroy(&made->lock);
		env->memory_end(env->sys, made, sizeof(*made));
		return rc;
	}
	*space = made;
	return 0;
}

void bm_pci_space_free(struct bm_pci_space *space)
{
	const struct bm_backend_env *env = space->env;

	space->way->end(space);
	if (bm_pci_is_owner(space))
		pthread_mutex_destroy(&space->lock);
	env->memory_end(env->sys, space, sizeof(*space));
}

/* ---------------------------------------------------------------- registers */

int bm_pci_registers_map(struct bm_pci *pci, int fd, off_t offset, uint64_t start, size_t size)
{
	size_t page = pci->space->page_size, within = (size_t)(start % page);
	uint64_t addr;
	int rc = pci->space->sys->map_device(fd, offset, (within + size + page - 1) / page * page,
					     &addr);

	if (rc < 0)
		return rc;
	pci->registers = (volatile unsigned char *)(uintptr_t)addr + within;
	pci->size = size;
	return 0;
}

void bm_pci_registers_unmap(struct bm_pci *pci)
{
	size_t page = pci->space->page_size;
	uint64_t addr = (uint64_t)(uintptr_t)pci->registers;
	size_t within = (size_t)(addr % page);

	if (!pci->registers)
		return;
	pci->space->sys->unmap(addr - within, (within + pci->size + page - 1) / page * page);
	pci->registers = NULL;
}

/* ---------------------------------------------------------------- functions */

int bm_pci_open(struct bm_pci_space *space, const struct bm_pci_found *found, unsigned int bar,
		struct bm_pci *pci, char *why)
{
	struct bm_pci made = {.space = space, .fd = -1, .group = -1, .config = -1};
	int rc;

	snprintf(made.address, sizeof(made.address), "%s", found->address);
	rc = space->way->open(space, found, bar, &made, why);
	if (rc == 0) {
		rc = bm_pci_command_begin(&made);
		if (rc < 0)
			snprintf(why, BM_WHY_MAX,
				 "its configuration space cannot be used (error %d)", -rc);
	}
	if (rc < 0) {
		bm_pci_registers_unmap(&made);
		space->way->let_go(&made);
		return rc;
	}
	*pci = made;
	return 0;
}

void bm_pci_close(struct bm_pci *pci)
{
	if (bm_pci_is_owner(pci->space))
		bm_pci_master(pci, 0);
	bm_pci_registers_unmap(pci);
	pci->space->way->let_go(pci);
}

/* With its last function a group leaves the container, and what is mapped in there. */
int bm_pci_cut_off(struct bm_pci *pci)
{
	struct bm_pci_space *space = pci->space;
	int lone;

	pthread_mutex_lock(&space->lock);
	lone = space->way->guards && bm_pci_group_is_lone(space, pci->group);
	if (lone)
		bm_pci_close(pci);
	pthread_mutex_unlock(&space->lock);
	return lone;
}

/* A reset keeps the configuration as it was, so bus mastering goes first and is looked at after. */
int bm_pci_reset(struct bm_pci *pci)
{
	int rc;

	if (!pci->resets)
		return -ENOTTY;
	bm_pci_master(pci, 0); /* where that fails a reset may still help */
	rc = pci->space->way->reset(pci);
	return rc < 0 ? rc : bm_pci_command_begin(pci);
}
