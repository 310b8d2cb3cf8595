/* SPDX-License-Identifier: MIT */
/*
 * touches.h - first touches of registered mappings outside of all windows:
 * they get zero pages. By the reader, with the gate closed.
 */
#ifndef BM_TOUCHES_H
#define BM_TOUCHES_H

#include "uffd.h"

struct bm_touch {
	uint64_t page;
	uint32_t thread; /* who waits for it */
	uint32_t tries;
};

/*
 * Those that could not be served yet, and room for what one read(2) brings; on
 * the stack of the reader. They are served when all that was read is written
 * down: a page may belong where an event among it says.
 */
struct bm_touches {
	struct bm_touch list[32];
	unsigned int count;
};

void bm_touches_add(struct bm_uffd *uffd, struct bm_touches *touches, uint64_t address,
		    uint32_t thread);
/* Serves those that can be served now. */
void bm_touches_serve(struct bm_uffd *uffd, struct bm_touches *touches);

#endif
