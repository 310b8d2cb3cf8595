/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what to do, from what was asked. Pure: no system call, no lock.
 *
 * An item is an entry of the caller. A unit is what moves as one: a base page,
 * or a huge page. Units are in ascending order of address; each owns a run of
 * items.
 */
#ifndef BM_PLAN_H
#define BM_PLAN_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "nodes.h"

struct bm_item {
	uint64_t addr; /* of the page */
	size_t index;  /* in the caller's arrays */
};

enum bm_unit_state {
	BM_UNIT_TODO,    /* to be moved */
	BM_UNIT_WAIT,    /* may move together with another unit: asked again afterwards */
	BM_UNIT_ABSENT,  /* nothing there to move */
	BM_UNIT_ALREADY, /* was on its target */
	BM_UNIT_MOVED,
	BM_UNIT_LEFT, /* cannot move, or not worth another try */
};

#define BM_NOT_ASKED INT_MIN

struct bm_unit {
	uint64_t addr; /* of its first page that was asked for: the address to name */
	uint64_t end;  /* of the memory that moves with it, exclusive */
	size_t first;  /* its first item */
	size_t items;
	int node;   /* target */
	int status; /* as last known: node or -errno, BM_NOT_ASKED */
	int error;  /* of the last attempt to move it, 0 none */
	unsigned char state;
	unsigned char reason; /* of error */
	unsigned char tried;
	unsigned char huge;
	unsigned char contested; /* by a unit of the same folio that could not be seen */
	unsigned char gone;      /* pagemap too says that it is absent */
	unsigned char there;     /* on its target already, and to be replaced */
	unsigned char swapped;   /* by the mover swap */
	unsigned char left;      /* why swap left it to the kernel: enum bm_reason, 0 */
};

/* Of the memory that moves with it: with a huge page from its start. */
static inline uint64_t bm_unit_start(const struct bm_unit *unit, uint64_t huge_size)
{
	return unit->huge ? unit->end - huge_size : unit->addr;
}

/* An attempt before the one that succeeded may have left its error. */
static inline void bm_unit_moved(struct bm_unit *unit, int node)
{
	unit->state = BM_UNIT_MOVED;
	unit->status = node;
	unit->error = 0;
	unit->reason = 0;
}

/* Makes an item of each entry; 1 when they are in ascending order. */
int bm_plan_items(void *const *pages, size_t count, uint64_t page_size, struct bm_item *items);

/*
 * Sorts items by address; entries of the same page stay in the caller's order.
 * @spare: as large as @items. Linear in count.
 */
void bm_plan_sort(struct bm_item *items, struct bm_item *spare, size_t count, uint64_t page_size);

/* The sorted items of a batch, and how far they have become units. */
struct bm_plan {
	const struct bm_item *items;
	size_t count;
	size_t next;      /* first item that is not in a unit yet */
	const int *nodes; /* the caller's targets */
	uint64_t page_size;
	uint64_t region; /* bytes, a power of two: what may be one huge page */
	int mixed;       /* out: not all units of the last call have one target */
};

/*
 * Makes units of base pages from the next items, `enough` of them and then to
 * the end of the region the last one is in. Returns their number.
 */
size_t bm_plan_units(struct bm_plan *plan, struct bm_unit *units, size_t enough);

/*
 * Makes one unit of all units of a huge page, units[first] to units[last - 1],
 * in place of the first. The entry with the highest index decides its node.
 */
void bm_plan_join(struct bm_unit *units, size_t first, size_t last, const struct bm_item *items,
		  const int *nodes, uint64_t huge_size);

/* The first unit after `first` that is not in the same region. */
size_t bm_plan_region_end(const struct bm_unit *units, size_t count, size_t first, uint64_t region);

/*
 * Writes the indices of the units that are to do, grouped by node, ascending
 * in address within a node. Returns how many.
 */
size_t bm_plan_order(const struct bm_unit *units, size_t count, uint32_t *order);

struct bm_call {
	uint32_t first; /* in order */
	uint32_t count;
};

/* How much goes into a call; one unit always does. */
struct bm_call_size {
	uint64_t bytes;
	uint64_t huge_bytes; /* what a huge page counts for, whichever of its pages is named */
};

/*
 * Cuts the order into calls of one node and of that size. @calls: room for
 * count. Returns how many.
 */
size_t bm_plan_calls(const struct bm_unit *units, const uint32_t *order, size_t count,
		     const struct bm_call_size *most, struct bm_call *calls);

/*
 * Cuts the order into chunks for the mover swap: units of one node within one
 * aligned block of `bytes`, a power of two; a huge page alone. @calls: room
 * for count. Returns how many.
 */
size_t bm_plan_chunks(const struct bm_unit *units, const uint32_t *order, size_t count,
		      uint64_t bytes, struct bm_call *calls);

/* Runs of adjacent pages with one target, as BM_BIND would bind them. */
size_t bm_plan_runs(const struct bm_item *items, size_t count, const int *nodes,
		    uint64_t page_size);
#endif
