/* SPDX-License-Identifier: MIT */
/* channels.c - the channels of a seat: opened at first use, settled when one was given up. */
#include <errno.h>
#include <stdio.h>

#include "bits.h"
#include "swap.h"

/* What is told of an engine, once. */
enum { TOLD_FAILED, TOLD_CHANNEL, TOLD_PINS, TOLD_SOURCES };

/* What it cannot do is done without it, and goes on. */
static void tell_once(struct bm_swap *swap, int place, int which, const char *what)
{
	struct bm_engine_slot *slot = &swap->engines.slots[place];

	if (!(atomic_fetch_or(&slot->told, 1u << which) & 1u << which))
		bm_log(swap->engines.env.log, BM_LOG_WARN,
		       "backend %s %s: copies are made without it", slot->backend->name, what);
}

static void tell_pins(struct bm_swap *swap, int place, int error)
{
	char what[128];

	snprintf(what, sizeof(what), "cannot pin or unpin memory (error %d%s)", -error,
		 error == -ENOMEM ? ", often the limit that ulimit -l shows, RLIMIT_MEMLOCK" : "");
	tell_once(swap, place, TOLD_PINS, what);
}

/* Each node is noted once. */
static void tell_astray(const struct bm_swap *swap, const struct bm_seat *seat)
{
	bm_log(swap->engines.env.log, BM_LOG_WARN,
	       "backend %s pins pages, and the kernel moves those of node %d elsewhere for that (a "
	       "movable zone): copies there are made without it",
	       seat->copier.backend->name, seat->astray);
}

static struct bm_channel *channel_of(struct bm_swap *swap, struct bm_seat *seat, int place)
{
	const struct bm_engine_slot *slot = &swap->engines.slots[place];
	struct bm_seat_channel *mine = &seat->channels[place];

	if (!mine->channel && slot->backend->chan_open(slot->engine, -1, &mine->channel) < 0) {
		mine->channel = NULL;
		tell_once(swap, place, TOLD_CHANNEL, "has no memory for a channel");
	}
	return mine->channel;
}

/* Each time a window takes as long as the time limit: the cpu, if it stands by, is better. */
#define LOSSES_MOST 3u

/* Without a channel of the main one, or after it was silent too often, the cpu is alone. */
static struct bm_use use_of(struct bm_swap *swap, struct bm_seat *seat, struct bm_use use)
{
	if (use.main >= 0 && use.cpu >= 0 &&
	    (seat->channels[use.main].losses >= LOSSES_MOST || !channel_of(swap, seat, use.main)))
		return (struct bm_use){use.cpu, -1};
	return use;
}

/* 1 with a channel of the main one. */
static int set_copier(struct bm_swap *swap, struct bm_seat *seat, struct bm_use use)
{
	const struct bm_engines *engines = &swap->engines;
	struct bm_copier *copier = &seat->copier;

	use = use_of(swap, seat, use);
	*copier = (struct bm_copier){
		.sys = swap->wish.sys, .node = -1, .patience_ns = engines->patience_ns};
	seat->use = use;
	if (use.main < 0)
		return 0;
	copier->backend = engines->slots[use.main].backend;
	copier->channel = channel_of(swap, seat, use.main);
	copier->silent = seat->channels[use.main].silent;
	copier->least = engines->slots[use.main].least;
	copier->shares = engines->slots[use.main].shares;
	copier->run_bytes = engines->slots[use.main].run_bytes;
	copier->page_size = engines->env.page_size;
	seat->astray = -1;
	if (use.cpu >= 0)
		copier->cpu_channel = channel_of(swap, seat, use.cpu);
	if (copier->cpu_channel)
		copier->cpu = engines->slots[use.cpu].backend;
	return copier->channel != NULL;
}

static int is_astray(const struct bm_engine_slot *slot, int node)
{
	return atomic_load(&slot->astray[node / 64]) >> node % 64 & 1;
}

struct bm_copier bm_seat_copier(const struct bm_swap *swap, const struct bm_seat *seat, int node,
				int pinnable)
{
	const struct bm_engine_slot *slot = &swap->engines.slots[seat->use.main];
	struct bm_copier copier = seat->copier;

	copier.node = node;
	if (!(copier.backend->facts & BM_BACKEND_PINS) || !bm_node_possible(node))
		return copier;
	copier.is_aside = !pinnable || is_astray(slot, node);
	copier.is_from_movable |= !pinnable;
	copier.looks_after = bm_bit(swap->zones.may_move.bits, (uint32_t)node);
	return copier;
}

void bm_seat_copied(struct bm_swap *swap, struct bm_seat *seat, const struct bm_copier *copier)
{
	struct bm_engine_slot *slot = &swap->engines.slots[seat->use.main];

	seat->copier = *copier;
	if (copier->is_astray && !is_astray(slot, copier->node)) {
		atomic_fetch_or(&slot->astray[copier->node / 64], UINT64_C(1) << copier->node % 64);
		seat->astray = copier->node;
	}
	seat->copier.is_astray = 0;
}

struct bm_seat *bm_swap_sit(struct bm_swap *swap, struct bm_use use)
{
	int number = bm_pool_seat_take(&swap->pool);
	struct bm_seat *seat = number < 0 ? NULL : &swap->seats[number];

	if (!seat)
		return NULL;
	seat->number = number;
	if (set_copier(swap, seat, use))
		return seat;
	bm_pool_seat_give(&swap->pool, number);
	return NULL;
}

/* ---------------------------------------------------------------- silent ones */

/* What it may have written to is the pool's again. */
static void give_held(struct bm_swap *swap, struct bm_seat *seat)
{
	struct bm_slab *slab = seat->held, *next;
	uint64_t signals;

	/*
	 * Without a userfaultfd the pool is empty, and these are nobody's any more.
	 * Not by bm_uffd_visit(), which nobody can do while another thread forks.
	 */
	if (slab && bm_uffd_hold(swap->wish.sys, &signals)) {
		for (; slab; slab = next) {
			next = slab->next;
			bm_pool_give_held(&swap->pool, slab);
		}
		bm_uffd_let_go(swap->wish.sys, &signals);
	}
	seat->held = NULL;
}

/* 1 when the channel of that place is known to write no more. */
static int settle(struct bm_swap *swap, struct bm_seat *seat, int place)
{
	const struct bm_backend *backend = swap->engines.slots[place].backend;
	struct bm_seat_channel *mine = &seat->channels[place];

	if (!mine->silent)
		return 1;
	if (!backend->settle || backend->settle(mine->channel) != 1)
		return 0;
	mine->silent = 0;
	return 1;
}

static int settle_all(struct bm_swap *swap, struct bm_seat *seat)
{
	int quiet = 1;

	for (int i = 0; i < BM_ENGINES_MOST; i++)
		quiet &= settle(swap, seat, i);
	return quiet;
}

static void tell_silent(const struct bm_swap *swap, const struct bm_seat *seat)
{
	const struct bm_engines *engines = &swap->engines;
	int last = seat->use.cpu >= 0 && seat->channels[seat->use.main].losses >= LOSSES_MOST;

	bm_log(engines->env.log, BM_LOG_WARN,
	       "backend %s told of nothing for %llu ms: it is not used by this thread %s, what it "
	       "had is copied again from the old pages",
	       seat->copier.backend->name, (unsigned long long)engines->patience_ns / 1000000,
	       last ? "any more" : "until it is known to be quiet");
}

void bm_swap_rise(struct bm_swap *swap, struct bm_seat *seat)
{
	bm_seat_unclaim(swap, seat);
	/* In the window, where it was noticed, nothing may be logged. */
	if (seat->copier.has_failed)
		tell_once(swap, seat->use.main, TOLD_FAILED, "takes no more copies");
	if (seat->copier.pin_error)
		tell_pins(swap, seat->use.main, seat->copier.pin_error);
	if (seat->astray >= 0)
		tell_astray(swap, seat);
	if (seat->copier.is_from_movable)
		tell_once(swap, seat->use.main, TOLD_SOURCES,
			  "pins pages, and the kernel would first copy those of nodes that have "
			  "movable zones only");
	if (seat->copier.silent && !seat->channels[seat->use.main].silent) {
		seat->channels[seat->use.main].silent = 1;
		seat->channels[seat->use.main].losses++;
		seat->settled = 0;
		tell_silent(swap, seat);
	}
	/* What takes nothing more may do so again: settle() is where it is reset. */
	if (seat->copier.has_failed && seat->copier.backend->settle &&
	    !seat->channels[seat->use.main].silent) {
		seat->channels[seat->use.main].silent = 1;
		seat->settled = 0;
	}
	/* Asking takes time: after 1, 2, 4, 8... batches. */
	if (seat->channels[seat->use.main].silent || seat->held) {
		seat->settled++;
		if ((seat->settled & (seat->settled - 1)) == 0 && settle_all(swap, seat))
			give_held(swap, seat);
	}
	bm_pool_seat_give(&swap->pool, seat->number);
}

void bm_seat_close(struct bm_swap *swap, struct bm_seat *seat)
{
	if (settle_all(swap, seat))
		give_held(swap, seat);
	for (int i = 0; i < BM_ENGINES_MOST; i++) {
		struct bm_engine_slot *slot = &swap->engines.slots[i];

		/* It may still write to its records: they stay, and the engine with them. */
		if (seat->channels[i].silent)
			slot->is_silent = 1;
		else if (seat->channels[i].channel)
			slot->backend->chan_close(seat->channels[i].channel);
	}
}
