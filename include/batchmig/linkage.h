/* SPDX-License-Identifier: MIT */
/* linkage.h - what stands around the declarations of each part: C, and exported. */
#ifndef BATCHMIG_LINKAGE_H
#define BATCHMIG_LINKAGE_H

#ifdef __cplusplus
#define BATCHMIG_C_BEGIN extern "C" {
#define BATCHMIG_C_END   }
#else
#define BATCHMIG_C_BEGIN
#define BATCHMIG_C_END
#endif

#ifdef __GNUC__
#define BATCHMIG_BEGIN BATCHMIG_C_BEGIN _Pragma("GCC visibility push(default)")
#define BATCHMIG_END   _Pragma("GCC visibility pop") BATCHMIG_C_END
#else
#define BATCHMIG_BEGIN BATCHMIG_C_BEGIN
#define BATCHMIG_END   BATCHMIG_C_END
#endif

#endif /* BATCHMIG_LINKAGE_H */
