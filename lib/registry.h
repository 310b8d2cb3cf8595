/* SPDX-License-Identifier: MIT */
/* registry.h - the backends by name, and preference lists of them. */
#ifndef BM_REGISTRY_H
#define BM_REGISTRY_H

#include "backend.h"
#include "batchmig.h"
#include "engines.h"

/*
 * Checks a preference list ("auto", "dsa,kernel"): 0 when something of it can
 * be had; -EINVAL for an unknown or empty name, with a suggestion; -ENODEV
 * when nothing is left, with the reason of each. Devices are looked for with
 * @env, where nothing before them can be had; NULL: they are not. @option names
 * the list in the message; @why has BM_WHY_MAX bytes.
 */
int bm_registry_check(const char *list, const char *option, const struct bm_backend_env *env,
		      char *why);

/*
 * -EINVAL where an option names what is no queue or function, with the reason in why
 * (BM_WHY_MAX bytes); else 0. Looks only for what is named.
 */
int bm_registry_check_queues(const struct bm_backend_env *env, char *why);

/* The backends for bm_info: 1, 0 past the end. @why and @remedy have BM_WHY_MAX bytes. */
int bm_registry_row(size_t index, const struct bm_backend_env *env, struct bm_facility *row,
		    char *why, char *remedy);

/*
 * The backends of a valid list that copy for the mover swap, before it comes to the kernel.
 * "auto" is all of them but what @env makes a risk.
 */
void bm_registry_picks(const char *list, const struct bm_backend_env *env, struct bm_picks *picks);

/* The table of what copies in row @index of bm_registry_row(); NULL: the kernel. */
const struct bm_backend *bm_registry_backend(size_t index);

/* The name of the backend that copies with the kernel movers. */
const char *bm_registry_kernel(void);

/* And of the one that copies with a loop of the CPU. */
const char *bm_registry_cpu(void);

#endif
