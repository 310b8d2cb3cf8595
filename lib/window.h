/* SPDX-License-Identifier: MIT */
/*
 * window.h - one chunk out of reach: opening, taking out, closing.
 *
 *      closed ── open ── take_out ── (copy) ── put_back ── close ── closed
 *
 * docs/window.md draws what may block whom. From open to close its owner has
 * all signals blocked and touches nothing but its own stack, the window, the
 * pool, and constants.
 */
#ifndef BM_WINDOW_H
#define BM_WINDOW_H

#include "uffd.h"

/* Where a chunk lies, where its pages go meanwhile, and where the copies are made. */
struct bm_window_frame {
	uint64_t start, end;
	uint64_t grave, staging; /* staging 0: see struct bm_window, direct */
	uint16_t *place;         /* see struct bm_window */
	uint64_t low, high;      /* the mapping, as far as it is known */
};

/*
 * 0; -ESTALE something is being removed from it just now; or -errno of the
 * registration: -EBUSY another userfaultfd has it,
 * -EINVAL not a mapping that can be, -ENOMEM too many mappings.
 */
int bm_window_open(struct bm_uffd *uffd, struct bm_window *window,
		   const struct bm_window_frame *frame);

/*
 * Takes pages [first, first + count) out, from the first: how many, or the
 * error of the first one: -EBUSY pinned or shared, -EINVAL flags differ,
 * -ESTALE the application has changed the mapping meanwhile.
 */
long bm_window_take_out(struct bm_uffd *uffd, struct bm_window *window, uint32_t first,
			uint32_t count);

/* Finds what is in the graveyard; returns 1 when it is one huge page. */
int bm_window_look(struct bm_uffd *uffd, struct bm_window *window, int pagemap);

/*
 * Without staging, before the pages are put back: UFFDIO_COPY writes over the
 * guard pages that the application has made meanwhile (MADV_GUARD_INSTALL),
 * UFFDIO_MOVE does not. To PAGEMAP_SCAN their markers are swapped pages.
 */
void bm_window_spare_guards(struct bm_uffd *uffd, struct bm_window *window, int pagemap);

/* Everything is put back: 1 when a page has not come back from where it should have. */
int bm_window_was_odd(const struct bm_window *window);

/* Everything is put back. Wakes all who wait. */
void bm_window_close(struct bm_uffd *uffd, struct bm_window *window);

#endif
