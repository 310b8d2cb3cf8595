/* SPDX-License-Identifier: MIT */
/* version.h - of the header, and of the library that runs. */
#ifndef BATCHMIG_VERSION_H
#define BATCHMIG_VERSION_H

#include "linkage.h"

BATCHMIG_BEGIN

#define BM_VERSION_MAJOR 0
#define BM_VERSION_MINOR 1
#define BM_VERSION_PATCH 0

/*
 * bm_version - version of the library at run time, "MAJOR.MINOR.PATCH".
 * The string is static. Never blocks, any thread, cannot fail. Since 0.1.
 */
const char *bm_version(void);

BATCHMIG_END

#endif /* BATCHMIG_VERSION_H */
