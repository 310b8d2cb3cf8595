/* SPDX-License-Identifier: MIT */
/* machine.h - what a number depends on besides the program: recorded with each file of results. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>

/* A new object; ends the program when it cannot be made. Facts that are not to be had are "unknown". */
json_t *machine_facts(void);

#endif
