/* SPDX-License-Identifier: MIT */
/* conformance_ptdma.h - the cases of the backend ptdma. */
#ifndef UNIT_CONFORMANCE_PTDMA_H
#define UNIT_CONFORMANCE_PTDMA_H

#include "conformance.h"

/* The case of that number: 1, or 0 past the end. */
int conformance_ptdma_case(size_t index, struct conformance_case *which);

#endif
