/* SPDX-License-Identifier: MIT */
/* cost.h - what programs that time a backend without its device have in common. */
#ifndef TESTS_COST_H
#define TESTS_COST_H

#include "backend.h"

double cost_now(void); /* ns */

/* Memory of an engine, as in struct bm_backend_env. */
void *cost_memory(const struct bm_sys *sys, size_t size);
void cost_memory_end(const struct bm_sys *sys, void *at, size_t size);

/* A row: least, tenth, median and ninth tenth; the values are sorted. */
void cost_print(const char *what, double *ns, size_t rounds);

#endif
