/* SPDX-License-Identifier: MIT */
/* library.h - what the parts of the library with a software device share. */
#ifndef MODEL_LIBRARY_H
#define MODEL_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "sys.h"

/* A rule of BM_MODEL_RULES. */
struct library_rule {
	int knob;
	uint64_t every, amount;
};

/* Of "KNOB:EVERY:AMOUNT,...": how many there are, at most `most`. */
size_t library_rules(const char *text, struct library_rule *rules, size_t most);

/* Puts the device into the table. */
void library_dsa(struct bm_sys *sys, const char *how_reached, const char *rules);
void library_ptdma(struct bm_sys *sys, const char *how_reached, const char *rules);

#endif
