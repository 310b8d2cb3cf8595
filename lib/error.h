/* SPDX-License-Identifier: MIT */
/* error.h - the reason behind a status. */
#ifndef BM_ERROR_H
#define BM_ERROR_H

#include "batchmig.h"

/* The reason that a negative status of the kernel stands for. */
enum bm_reason bm_reason_of(int status);

/* 1 when another try may help. */
int bm_error_transient(int error);

/* 1 for what is a matter of the moment: no memory, too many files. */
int bm_error_passes(int error);

#endif
