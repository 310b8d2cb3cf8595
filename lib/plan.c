/* SPDX-License-Identifier: MIT */
/* plan.c - sorting, merging and cutting. */
#include "plan.h"

#include <string.h>

#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)
#define SMALL      64

static void insertion_sort(struct bm_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct bm_item item = items[i];
		size_t at = i;

		for (; at > 0 && items[at - 1].addr > item.addr; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* One pass of a radix sort, stable; 0 when all digits are alike and nothing was done. */
static int radix_pass(const struct bm_item *from, struct bm_item *to, size_t count,
		      unsigned int shift)
{
	size_t start[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < count; i++)
		start[(from[i].addr >> shift) & (DIGITS - 1)]++;
	if (start[(from[0].addr >> shift) & (DIGITS - 1)] == count)
		return 0;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t here = start[digit];

		start[digit] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[start[(from[i].addr >> shift) & (DIGITS - 1)]++] = from[i];
	return 1;
}

static void radix_sort(struct bm_item *items, struct bm_item *spare, size_t count,
		       unsigned int page_shift)
{
	struct bm_item *from = items, *to = spare;

	for (unsigned int shift = page_shift; shift < 64; shift += DIGIT_BITS) {
		if (radix_pass(from, to, count, shift)) {
			struct bm_item *swap = from;

			from = to;
			to = swap;
		}
	}
	if (from != items)
		memcpy(items, from, count * sizeof(*items));
}

int bm_plan_items(void *const *pages, size_t count, uint64_t page_size, struct bm_item *items)
{
	uint64_t before = 0;
	int sorted = 1;

	for (size_t i = 0; i < count; i++) {
		uint64_t addr = (uint64_t)(uintptr_t)pages[i] & ~(page_size - 1);

		items[i].addr = addr;
		items[i].index = i;
		sorted &= addr >= before;
		before = addr;
	}
	return sorted;
}

void bm_plan_sort(struct bm_item *items, struct bm_item *spare, size_t count, uint64_t page_size)
{
	if (count <= SMALL)
		insertion_sort(items, count);
	else
		radix_sort(items, spare, count, (unsigned int)__builtin_ctzll(page_size));
}

size_t bm_plan_units(struct bm_plan *plan, struct bm_unit *units, size_t enough)
{
	const uint64_t region = ~(plan->region - 1), page_size = plan->page_size;
	const int *nodes = plan->nodes;
	struct bm_unit *last = NULL;
	size_t made = 0, i = plan->next, count = plan->count;
	int usual = count > i ? nodes[plan->items[i].index] : 0, mixed = 0;

	for (; i < count; i++) {
		const struct bm_item *item = &plan->items[i];
		int node = nodes[item->index];

		if (last && last->addr == item->addr) {
			last->items++;
			last->node = node;
			mixed |= node ^ usual;
			continue;
		}
		if (made >= enough && last && (last->addr ^ item->addr) & region)
			break;
		last = &units[made++];
		*last = (struct bm_unit){.addr = item->addr,
					 .end = item->addr + page_size,
					 .first = i,
					 .items = 1,
					 .node = node,
					 .status = BM_NOT_ASKED};
		mixed |= node ^ usual;
	}
	plan->mixed = mixed != 0;
	plan->next = i;
	return made;
}

void bm_plan_join(struct bm_unit *units, size_t first, size_t last, const struct bm_item *items,
		  const int *nodes, uint64_t huge_size)
{
	struct bm_unit *unit = &units[first];
	size_t deciding = 0;

	unit->items = units[last - 1].first + units[last - 1].items - unit->first;
	for (size_t i = unit->first; i < unit->first + unit->items; i++) {
		if (items[i].index >= deciding) {
			deciding = items[i].index;
			unit->node = nodes[deciding];
		}
	}
	unit->huge = 1;
	unit->end = (unit->addr & ~(huge_size - 1)) + huge_size;
}

size_t bm_plan_region_end(const struct bm_unit *units, size_t count, size_t first, uint64_t region)
{
	size_t end = first + 1;

	while (end < count && ((units[first].addr ^ units[end].addr) & ~(region - 1)) == 0)
		end++;
	return end;
}

/* The usual case: writes the order as if there were one node; -1 when there are more. */
static ptrdiff_t order_of_one(const struct bm_unit *units, size_t count, uint32_t *order)
{
	ptrdiff_t made = 0;
	int node = -1;

	for (size_t i = 0; i < count; i++) {
		if (units[i].state != BM_UNIT_TODO)
			continue;
		if (units[i].node != node) {
			if (made > 0)
				return -1;
			node = units[i].node;
		}
		order[made++] = (uint32_t)i;
	}
	return made;
}

static size_t order_by_node(const struct bm_unit *units, size_t count, uint32_t *order)
{
	uint32_t start[BM_NODES_MAX] = {0}, sum = 0;
	int highest = -1;

	for (size_t i = 0; i < count; i++) {
		if (units[i].state == BM_UNIT_TODO) {
			start[units[i].node]++;
			highest = units[i].node > highest ? units[i].node : highest;
		}
	}
	for (int node = 0; node <= highest; node++) {
		uint32_t here = start[node];

		start[node] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++) {
		if (units[i].state == BM_UNIT_TODO)
			order[start[units[i].node]++] = (uint32_t)i;
	}
	return sum;
}

size_t bm_plan_order(const struct bm_unit *units, size_t count, uint32_t *order)
{
	ptrdiff_t made = order_of_one(units, count, order);

	return made >= 0 ? (size_t)made : order_by_node(units, count, order);
}

size_t bm_plan_calls(const struct bm_unit *units, const uint32_t *order, size_t count,
		     const struct bm_call_size *most, struct bm_call *calls)
{
	struct bm_call *call = NULL;
	size_t made = 0;
	uint64_t bytes = 0;
	int node = -1;

	for (size_t i = 0; i < count; i++) {
		const struct bm_unit *unit = &units[order[i]];
		uint64_t size = unit->huge ? most->huge_bytes : unit->end - unit->addr;

		if (!call || unit->node != node || bytes + size > most->bytes) {
			if (call)
				call->count = (uint32_t)i - call->first;
			call = &calls[made++];
			call->first = (uint32_t)i;
			node = unit->node;
			bytes = 0;
		}
		bytes += size;
	}
	if (call)
		call->count = (uint32_t)count - call->first;
	return made;
}

size_t bm_plan_chunks(const struct bm_unit *units, const uint32_t *order, size_t count,
		      uint64_t bytes, struct bm_call *calls)
{
	const struct bm_unit *last = NULL;
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bm_unit *unit = &units[order[i]];

		if (!last || unit->node != last->node || unit->huge || last->huge ||
		    (unit->addr ^ last->addr) & ~(bytes - 1))
			calls[made++] = (struct bm_call){(uint32_t)i, 0};
		calls[made - 1].count++;
		last = unit;
	}
	return made;
}

size_t bm_plan_runs(const struct bm_item *items, size_t count, const int *nodes, uint64_t page_size)
{
	size_t runs = 0;
	uint64_t next = 0;
	int node = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bm_item *item = &items[i];

		/* Of entries for the same page the last decides. */
		if (i + 1 < count && items[i + 1].addr == item->addr)
			continue;
		runs += runs == 0 || item->addr != next || nodes[item->index] != node;
		next = item->addr + page_size;
		node = nodes[item->index];
	}
	return runs;
}
