/* SPDX-License-Identifier: MIT */
/* swap_children.h - children of a process that migrates and writes all the time. */
#ifndef KERNEL_SWAP_CHILDREN_H
#define KERNEL_SWAP_CHILDREN_H

#include "swap_load.h"

#define COUNT 1024

/* Every byte: what is kept is as it was filled, what writers have is counted up from that. */
int contents_as_seen(const struct load *load);

/*
 * Two writers in the first half; after each child the second half is made our
 * own again. `start` gives a child that ends with status 0, and the load is
 * made here; it has a pid or -1.
 */
void children_meanwhile(struct load *load, const char *test, pid_t (*start)(void));

#endif
