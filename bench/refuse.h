/* SPDX-License-Identifier: MIT */
/* refuse.h - options that all commands have, and this one has no use for. */
#ifndef BENCH_REFUSE_H
#define BENCH_REFUSE_H

#include "setup.h"

enum refused {
	NO_MB = 1,
	NO_THREADS = 2,
	NO_MOVER = 4,
	NO_NODES = 8,
	NO_INSTRUCTIONS = 16 /* what it tells are times */
};

/* In ARGP_KEY_END: ends the program when one of them (enum refused) was told. */
void refuse(struct argp_state *state, const struct setup *setup, unsigned int refused);

#endif
