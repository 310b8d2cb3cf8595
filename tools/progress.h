/* SPDX-License-Identifier: MIT */
/* progress.h - how far a migration is: a bar on a terminal, lines elsewhere. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

struct progress {
	int shown, is_terminal;
	uint64_t total; /* bytes */
	uint64_t start_ns, last_ns;
};

void progress_start(struct progress *progress, int shown, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
/* Ends the bar; returns the seconds since the start. */
double progress_end(struct progress *progress, uint64_t done);

#endif
