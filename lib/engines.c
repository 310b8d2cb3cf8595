/* SPDX-License-Identifier: MIT */
/* engines.c - opens engines at their first use, each once. */
#include "engines.h"

#include <errno.h>

#include "error.h"
#include "offload.h"

static int slot_of(struct bm_engines *engines, const struct bm_backend *backend)
{
	for (int i = 0; i < BM_ENGINES_MOST; i++) {
		struct bm_engine_slot *slot = &engines->slots[i];

		if (slot->backend == backend || !slot->backend)
			return i;
	}
	return -1;
}

/* The place of an open engine, or -errno. */
static int open_one(struct bm_engines *engines, const struct bm_backend *backend)
{
	int place = slot_of(engines, backend);
	struct bm_engine_slot *slot;

	if (place < 0)
		return -ENODEV;
	slot = &engines->slots[place];
	if (slot->is_open)
		return slot->is_silent ? -ENODEV : place;
	if (slot->backend && slot->error && !bm_error_passes(slot->error))
		return slot->error;
	slot->backend = backend;
	slot->error = backend->open(&engines->env, &slot->engine);
	slot->is_open = slot->error == 0;
	return slot->error < 0 ? slot->error : place;
}

int bm_engines_use(struct bm_engines *engines, const struct bm_picks *picks, struct bm_use *use)
{
	int rc = -ENODEV;

	*use = (struct bm_use){-1, -1};
	for (size_t i = 0; i < picks->count; i++) {
		/* Of the rest only what copies at once can stand by. */
		if (use->main >= 0 && !(picks->list[i]->facts & BM_BACKEND_SYNC))
			continue;
		rc = open_one(engines, picks->list[i]);
		if (rc < 0)
			continue;
		if (use->main >= 0)
			use->cpu = rc;
		else
			use->main = rc;
		if (picks->list[i]->facts & BM_BACKEND_SYNC)
			break;
	}
	if (use->main < 0)
		return rc;
	if (use->cpu >= 0)
		bm_offload_decide(engines, use);
	if (engines->slots[use->main].is_silent)
		*use = (struct bm_use){use->cpu, -1};
	return 0;
}

void bm_engines_close(struct bm_engines *engines)
{
	for (int i = 0; i < BM_ENGINES_MOST; i++) {
		if (engines->slots[i].is_open && !engines->slots[i].is_silent)
			engines->slots[i].backend->close(engines->slots[i].engine);
	}
}
