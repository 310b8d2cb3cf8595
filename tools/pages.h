/* SPDX-License-Identifier: MIT */
/* pages.h - walks over the present pages of the mappings, extent by extent. */
#ifndef PAGES_H
#define PAGES_H

#include "maps.h"

/*
 * Calls visit for each extent; stops when it returns something else than 0.
 * Returns that, 0, or -errno of the library.
 */
long pages_walk(const struct arguments *arguments, const struct mappings *mappings,
		long (*visit)(void *user, const struct bm_extent *extent), void *user);

#endif
