/* SPDX-License-Identifier: MIT */
/* ptdma.h - the backend ptdma: AMD's PTDMA and AE4DMA functions, driven from user space. */
#ifndef BM_BACKEND_PTDMA_H
#define BM_BACKEND_PTDMA_H

#include "backend.h"

extern const struct bm_backend bm_backend_ptdma;

#endif
