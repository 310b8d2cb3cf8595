/* SPDX-License-Identifier: MIT */
/* uffd_new.h - the making of the process's userfaultfd, for uffd.c. */
#ifndef BM_UFFD_NEW_H
#define BM_UFFD_NEW_H

#include "uffd.h"

/* Opens it and starts its reader: 0, or the errors of bm_uffd_enter(). */
int bm_uffd_make(const struct bm_uffd_wish *wish, struct bm_uffd **made);
/*
 * All but the descriptor, which its reader has given up; @ours: it is still
 * the application's table that has it under its number.
 */
void bm_uffd_unmake(struct bm_uffd *uffd, int ours);

#endif
