/* SPDX-License-Identifier: MIT */
/*
 * accel.h - all work queues of this machine, by libaccel-config.
 *
 * It is loaded when it is needed: one build runs with and without it. It
 * writes "1" to the file cmd_status of every device, which clears the status
 * of the last command; nothing else is changed.
 */
#ifndef BM_DSA_ACCEL_H
#define BM_DSA_ACCEL_H

#include "found.h"

/*
 * 0, or with why and remedy -ENODEV (there is no device), -ELIBACC (the
 * library cannot be loaded), -EROFS, -EBUSY, -ENOMEM.
 */
int bm_dsa_accel(struct bm_dsa_found *found, char *why, char *remedy);

#endif
