/* SPDX-License-Identifier: MIT */
/* values.h - values of options; a bad one ends the program with one line and EXIT_USAGE. */
#ifndef VALUES_H
#define VALUES_H

#include "tool.h"

/* A whole number. @or: what is allowed besides, or "". */
int value_number(const char *name, const char *text, int least, int most, const char * or);
/* Bytes in a second, with the suffixes of --rate. */
int64_t value_rate(const char *text);
/* "strict" or "wish". */
const char *value_bound(const char *text);
/* Adds what --map names. */
void value_map(struct arguments *arguments, const char *text);

#endif
