/* SPDX-License-Identifier: MIT */
/* dsa.h - the backend dsa: work queues of Intel DSA that this process may open. */
#ifndef BM_BACKEND_DSA_H
#define BM_BACKEND_DSA_H

#include "backend.h"

extern const struct bm_backend bm_backend_dsa;

#endif
