/* SPDX-License-Identifier: MIT */
/* conformance_dsa.h - the cases of the backend dsa. */
#ifndef UNIT_CONFORMANCE_DSA_H
#define UNIT_CONFORMANCE_DSA_H

#include "conformance.h"
#include "models/dsa.h"

/* The case of that number: 1, or 0 past the end. */
int conformance_dsa_case(size_t index, struct conformance_case *which);

/* The software device of the case that runs; NULL: none for rules */
struct dsa *conformance_dsa_device(const struct conformance *run);
/* A fresh one in its place, and a table of calls that leads there. No engine is open. */
void conformance_dsa_renew(struct conformance *run);

#endif
