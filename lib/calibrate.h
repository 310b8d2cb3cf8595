/* SPDX-License-Identifier: MIT */
/* calibrate.h - measures the rates of swap with chunks of its own. */
#ifndef BM_CALIBRATE_H
#define BM_CALIBRATE_H

#include "swap.h"

/* At its first call swaps a chunk of memory of its own some times. Any thread. */
void bm_calibrate_once(struct bm_swap *swap);

#endif
