/* SPDX-License-Identifier: MIT */
/* registry.h - the backends by name, and preference lists of them. */
#ifndef BM_REGISTRY_H
#define BM_REGISTRY_H

#include "backend.h"
#include "batchmig.h"

/*
 * Checks a preference list ("auto", "dsa,kernel"): 0 when something of it can
 * be had; -EINVAL for an unknown or empty name, with a suggestion; -ENODEV
 * when nothing is left, with the reason of each. @option names the list in
 * the message; @why has BM_WHY_MAX bytes.
 */
int bm_registry_check(const char *list, const char *option, char *why);

/* The backends for bm_info: NULL past the end. */
const struct bm_facility *bm_registry_row(size_t index);

/*
 * The backend of a valid list that copies for the mover swap, NULL when the
 * kernel comes first. *named: the list names it, which is a quiet promise.
 */
const struct bm_backend *bm_registry_copying(const char *list, int *named);

/* The name of the backend that copies with the kernel movers. */
const char *bm_registry_kernel(void);

#endif
