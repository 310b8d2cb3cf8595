/* SPDX-License-Identifier: MIT */
/* swap.c - opens and closes what a context swaps pages with. */
#include "swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "headroom.h"
#include "keeper.h"
#include "pagemap.h"
#include "threads.h"

/* What a backend may take to measure its loops, and the rest of it, for a moment. */
#define OPEN_BYTES (16u << 20)

static int many_nodes(const struct bm_sys *sys)
{
	char text[256];

	/* A kernel without CONFIG_NUMA has no such file and one node. */
	return bm_sys_text(sys, BM_MEMORY_NODES_FILE, text, sizeof(text)) > 0 &&
	       strpbrk(text, ",-");
}

static void set_up_engines(struct bm_swap *swap, const struct bm_swap_config *config)
{
	struct bm_engines *engines = &swap->engines;

	engines->env = config->env;
	engines->env.memory = bm_own_memory;
	engines->env.memory_end = bm_own_memory_end;
	engines->patience_ns = config->patience_ns;
	engines->least = config->engine_least;
	engines->share = config->engine_share;
	atomic_init(&swap->usual, ((struct bm_use){-1, -1}));
}

static int open_pool(struct bm_swap *swap, const struct bm_swap_config *config)
{
	struct bm_slab_env env = {.sys = config->sys,
				  .page_size = config->page_size,
				  .huge_size = config->huge_size,
				  .pagemap = bm_pagemap_open(config->sys, 0),
				  .many_nodes = many_nodes(config->sys)};

	if (env.pagemap < 0)
		return env.pagemap;
	swap->pool.most = config->pool_most;
	swap->pool.idle_ns = config->idle_ns;
	swap->pool.refills = config->refills;
	return bm_pool_init(&swap->pool, &env);
}

int bm_swap_new(const struct bm_swap_config *config, struct bm_swap **swap)
{
	struct bm_swap *made = config->sys->alloc(1, sizeof(*made));
	int rc;

	if (!made)
		return -ENOMEM;
	made->wish = (struct bm_uffd_wish){config->sys, config->page_size, config->huge_size,
					   config->strict};
	rc = bm_headroom(config->sys) < OPEN_BYTES ? -ENOMEM : bm_uffd_probe(&made->wish);
	if (rc == 0)
		rc = open_pool(made, config);
	if (rc < 0) {
		free(made);
		return rc;
	}
	set_up_engines(made, config);
	if (made->pool.env.many_nodes)
		bm_zones_read(config->sys, &made->zones);
	made->rates = config->rates;
	atomic_init(&made->calibrated, config->calibrated);
	*swap = made;
	return 0;
}

void bm_swap_free(struct bm_swap *swap, int stale)
{
	if (!swap)
		return;
	if (!stale) {
		bm_keeper_end(&swap->pool);
		for (size_t i = 0; i < BM_SEATS; i++)
			bm_seat_close(swap, &swap->seats[i]);
		bm_engines_close(&swap->engines);
		bm_pool_end(&swap->pool);
	}
	swap->wish.sys->close(swap->pool.env.pagemap);
	free(swap);
}

int bm_seat_claim(struct bm_uffd *uffd, struct bm_seat *seat, const void *frame, const void *end)
{
	uint64_t block = uffd->sys->thread_block(0);
	struct bm_span span = bm_span_around(block, uffd->page_size);

	if (seat->serial == uffd->serial)
		return 0;
	seat->claims[0] = bm_claim_stack(uffd, frame, end);
	if (seat->claims[0] < 0)
		return seat->claims[0];
	seat->claims[1] = block ? bm_claim(uffd, BM_CLAIM_OWN, span.start, span.end) : -1;
	seat->serial = uffd->serial;
	return 0;
}

void bm_seat_unclaim(struct bm_swap *swap, struct bm_seat *seat)
{
	uint64_t signals;
	struct bm_uffd *uffd = seat->serial ? bm_uffd_hold(swap->wish.sys, &signals) : NULL;

	if (uffd && uffd->serial == seat->serial) {
		bm_claim_end(uffd, seat->claims[0]);
		if (seat->claims[1] >= 0)
			bm_claim_end(uffd, seat->claims[1]);
	}
	if (uffd)
		bm_uffd_let_go(swap->wish.sys, &signals);
	seat->serial = 0;
}
