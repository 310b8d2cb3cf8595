/* SPDX-License-Identifier: MIT */
/* profile.h - a file with what things cost on a machine, and of which machine it is. */
#ifndef BM_PROFILE_H
#define BM_PROFILE_H

#include "pairs.h"
#include "sys.h"

#define BM_LOOP_MAX 32

struct bm_profile {
	char loop[BM_LOOP_MAX]; /* of the backend cpu */
	struct bm_pairs *pairs; /* where the rates go, or come from */
};

/*
 * Reads a file into a profile: 1; 0 when it is of another machine; -EINVAL
 * when it is none. Of the last two @why (BM_WHY_MAX bytes) says more.
 */
int bm_profile_read(const struct bm_sys *sys, const char *path, struct bm_profile *profile,
		    char *why);

/* Writes a file, in place of an old one only when it is complete: 0 or -errno. */
int bm_profile_write(const struct bm_sys *sys, const char *path, const struct bm_profile *profile);

#endif
