/* SPDX-License-Identifier: MIT */
/*
 * forked.h - the child of a raw clone(2) gets the pages that were out of
 * reach when it was made. By the reader, with the gate closed.
 */
#ifndef BM_FORKED_H
#define BM_FORKED_H

#include "uffd.h"

/* The descriptor is what the event of the fork brought; it is closed. */
void bm_forked(struct bm_uffd *uffd, int descriptor);

#endif
