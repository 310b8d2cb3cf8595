/* SPDX-License-Identifier: MIT */
/* pins_new.c - makes the tables of pins, and ends them. */
#include <errno.h>

#include "pins.h"

/* Pieces of that many bytes more than copies: a run ends where it would be too long. */
static size_t runs_for(size_t bytes, size_t copies)
{
	return copies + 2 * (bytes / BM_PCI_RUN_MOST) + 1;
}

/* By vfio nobody asks where pages are. */
static size_t pages_for(const struct bm_pci_space *space, size_t bytes)
{
	return space->way->guards ? 0 : bytes / space->page_size;
}

/* The widest first: so all are aligned. An even number of pages for the narrowest. */
static size_t side_size(size_t runs, size_t pages)
{
	return runs * (sizeof(struct bm_pci_run) + sizeof(struct iovec)) +
	       (pages + pages % 2) * (sizeof(uint64_t) + sizeof(uint32_t));
}

static void lay_out(struct bm_pci_side *side, unsigned char *at, size_t runs, size_t pages)
{
	side->runs = (struct bm_pci_run *)(void *)at;
	at += runs * sizeof(*side->runs);
	side->buffers = (struct iovec *)(void *)at;
	at += runs * sizeof(*side->buffers);
	side->frames = (uint64_t *)(void *)at;
	at += (pages + pages % 2) * sizeof(*side->frames);
	side->follow = (uint32_t *)(void *)at;
	side->pinner = -1;
}

int bm_pci_pins_new(struct bm_pci_space *space, size_t bytes, size_t copies,
		    struct bm_pci_pins **pins)
{
	size_t runs = runs_for(bytes, copies), pages = pages_for(space, bytes);
	size_t size = side_size(runs, pages), total;
	struct bm_pci_pins *made;
	int rc;

	total = sizeof(*made) + BM_PCI_SIDES * size;
	made = space->env->memory(space->sys, total);
	if (!made)
		return -ENOMEM;
	made->space = space;
	made->sys = space->sys;
	made->total = total;
	made->bytes_most = bytes;
	made->run_most = runs;
	made->near = made->sides;
	for (unsigned int i = 0; i < BM_PCI_SIDES; i++)
		lay_out(&made->sides[i], (unsigned char *)(made + 1) + i * size, runs, pages);
	rc = space->way->pins_begin(made);
	if (rc < 0) {
		space->env->memory_end(space->sys, made, total);
		return rc;
	}
	*pins = made;
	return 0;
}

/* What is pinned is so for the process that did it: closing is enough in its children. */
void bm_pci_pins_free(struct bm_pci_pins *pins)
{
	const struct bm_backend_env *env = pins->space->env;

	if (bm_pci_is_owner(pins->space))
		bm_pci_unpin(pins, 0);
	pins->space->way->pins_end(pins);
	env->memory_end(env->sys, pins, pins->total);
}
