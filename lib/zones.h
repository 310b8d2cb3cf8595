/* SPDX-License-Identifier: MIT */
/* zones.h - on which nodes a pin may move a page: those with movable zones or CMA. */
#ifndef BM_ZONES_H
#define BM_ZONES_H

#include "sys.h"

/*
 * A pin for long (FOLL_LONGTERM: vfio, buffers of io_uring) first moves a page out
 * of zone Movable and of CMA, to wherever there is room, another node included.
 */
struct bm_zones {
	struct bm_ids may_move; /* nodes with such memory, and those of which nothing is known */
	struct bm_ids only_movable; /* nodes that have no other: no page can be pinned there */
	int known;                  /* 0: the kernel did not tell */
};

/*
 * As the zones are now: memory that comes later by hotplug is not seen, but a node
 * without memory may move. Not in a window.
 */
void bm_zones_read(const struct bm_sys *sys, struct bm_zones *zones);

#endif
