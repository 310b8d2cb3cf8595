/* SPDX-License-Identifier: MIT */
/* dsa_cuse.h - what the program dsa_cuse is asked for. */
#ifndef MODEL_DSA_CUSE_H
#define MODEL_DSA_CUSE_H

#include "dsa.h"

#define DSA_CUSE_RULES_MOST 8

struct dsa_cuse_options {
	const char *name; /* "wq0.0" */
	struct dsa_queue_config queue;
	enum dsa_pace pace;
	uint32_t seed;
	const char *counts; /* file, NULL: none */
	struct dsa_rule rules[DSA_CUSE_RULES_MOST];
	size_t rules_count;
};

/* dsa_cuse_options.c: 0, or -1 when it has told on standard error what is allowed. */
int dsa_cuse_read_options(struct dsa_cuse_options *options, int argc, char **argv);

#endif
