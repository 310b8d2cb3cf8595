/* SPDX-License-Identifier: MIT */
/*
 * headroom.h - how much memory the control groups of this process leave it.
 *
 * A page fault at the limit of a group calls the OOM killer; the pool must not
 * take the last pages that the application counts on.
 */
#ifndef BM_HEADROOM_H
#define BM_HEADROOM_H

#include "sys.h"

/* Bytes to the nearest limit of its group and those above; UINT64_MAX without one. */
uint64_t bm_headroom(const struct bm_sys *sys);

#endif
