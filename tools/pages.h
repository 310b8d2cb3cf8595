/* SPDX-License-Identifier: MIT */
/* pages.h - walks over the present pages of the mappings, extent by extent. */
#ifndef PAGES_H
#define PAGES_H

#include "maps.h"

typedef long visit_fn(void *user, const struct mapping *mapping, const struct bm_extent *extent);

/*
 * Calls visit for each extent; stops when it returns something else than 0.
 * Returns that, 0, or -errno of the library.
 */
long pages_walk(const struct arguments *arguments, const struct mappings *mappings, visit_fn *visit,
		void *user);

/* Says on standard error that --map named nothing, when it is so. */
void pages_note_none(const struct arguments *arguments, const struct mappings *mappings);

#endif
