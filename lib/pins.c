/* SPDX-License-Identifier: MIT */
/* pins.c - pins and unpins, and looks where that has left the targets. */
#include "pins.h"

#include <errno.h>

/* Asked for with one call; on the stack. */
#define ASK 64u

/* 1 when one of them begins where the other one ends: lists may run down, too. */
static int are_neighbours(const char *one, size_t one_length, const char *two, size_t two_length)
{
	return one + one_length == two || two + two_length == one;
}

size_t bm_pins_runs(const struct bm_copy *copies, size_t count)
{
	size_t runs = count ? 2 : 0;

	for (size_t i = 1; i < count; i++) {
		const struct bm_copy *one = &copies[i - 1], *two = &copies[i];

		runs += !are_neighbours(one->from, one->length, two->from, two->length);
		runs += !are_neighbours(one->to, one->length, two->to, two->length);
	}
	return runs;
}

int bm_pins_take(struct bm_copier *copier, const struct bm_copy *copies, size_t count)
{
	int rc;

	if (!copier->backend->pin)
		return 0;
	rc = copier->backend->pin(copier->channel, copies, count);
	if (rc < 0)
		copier->pin_error = rc;
	return rc;
}

/* 1 when all pages of a copy are where they should be, or it cannot be told. */
static int is_there(const struct bm_copier *copier, const struct bm_copy *copy)
{
	void *pages[ASK];
	int nodes[ASK];
	size_t at = 0;

	while (at < copy->length) {
		size_t asked = 0;

		for (; asked < ASK && at < copy->length; at += copier->page_size)
			pages[asked++] = (char *)copy->to + at;
		if (copier->sys->nodes_raw(asked, pages, nodes) < 0)
			return 1;
		for (size_t i = 0; i < asked; i++) {
			if (nodes[i] >= 0 && nodes[i] != copier->node)
				return 0;
		}
	}
	return 1;
}

/* The targets are not to be touched: the pages that were copied are still where they were, too. */
static size_t lose_all(unsigned char *ends, size_t count)
{
	size_t more = 0;

	for (size_t i = 0; i < count; i++) {
		more += ends[i] == BM_COPY_DONE;
		ends[i] = BM_COPY_LOST;
	}
	return more;
}

size_t bm_pins_astray(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		      unsigned char *ends)
{
	size_t astray = 0;

	for (size_t i = 0; copier->looks_after && i < count; i++) {
		if (ends[i] != BM_COPY_DONE || is_there(copier, &copies[i]))
			continue;
		ends[i] = BM_COPY_LOST;
		astray++;
	}
	copier->is_astray |= astray > 0;
	return astray;
}

size_t bm_pins_drop(struct bm_copier *copier, const struct bm_copy *copies, size_t count,
		    unsigned char *ends)
{
	int rc;

	if (!copier->backend->unpin)
		return 0;
	rc = copier->backend->unpin(copier->channel);
	if (rc == 0)
		return bm_pins_astray(copier, copies, count, ends);
	/* Where it is not known what is pinned the kernel copies back what it cannot move. */
	copier->pin_error = rc < 0 ? rc : copier->pin_error;
	copier->silent = 1;
	return lose_all(ends, count);
}
